/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key of each algorithm in the double of CNG, whose log says which calls were
 * made.
 */
#ifndef MESH_TESTS_WINDOWS_KEYSTORE_KEYS_H
#define MESH_TESTS_WINDOWS_KEYSTORE_KEYS_H

#include "tests/windows/keystore_test.h"

#include <stdlib.h>

#define KEYS 5

static const char *const algorithms[KEYS] = {"RSA-2048", "RSA-3072", "P-256",
                                             "P-384", "P-521"};
static EVP_PKEY *keys[KEYS];
static EVP_PKEY *rsa, *p256;
static const unsigned char input[64] = "what is signed is a digest, or not";
static char log_path[MAX_PATH + 16];

static inline void set(const char *name, const char *value)
{
    assert_true(SetEnvironmentVariableA(name, value));
}

static inline int setup_keys(void **state)
{
    char folder[MAX_PATH];

    if (setup(state) != 0 || GetTempPathA(sizeof(folder), folder) == 0)
        return 1;
    snprintf(log_path, sizeof(log_path), "%scng-%lu.log", folder,
             GetCurrentProcessId());
    set("NCRYPT_DOUBLE_LOG", log_path);
    for (size_t i = 0; i < KEYS; i++)
        if (!mesh_keystore_generate(ctx, algorithms[i], &keys[i]))
            return 1;
    rsa = keys[0];
    p256 = keys[2];
    return 0;
}

static inline int teardown_keys(void **state)
{
    for (size_t i = 0; i < KEYS; i++)
        EVP_PKEY_free(keys[i]);
    DeleteFileA(log_path);
    return teardown(state);
}

/* Lines of the log with this text. */
static inline unsigned logged(const char *text)
{
    FILE *file = fopen(log_path, "r");
    char line[256];
    unsigned n = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        n += strstr(line, text) != NULL;
    fclose(file);
    return n;
}

/* Every handle is freed, no private half was asked for. */
static inline void expect_clean(void)
{
    assert_int_equal(logged(" + "), logged(" - "));
    assert_int_equal(logged("private-export"), 0);
    assert_true(logged(" + ") > 0);
}

static inline int to_pkcs8(EVP_PKEY *key, unsigned char **der)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len;

    *der = NULL;
    assert_non_null(info);
    len = i2d_PKCS8_PRIV_KEY_INFO(info, der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return len;
}

#endif
