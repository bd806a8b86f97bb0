/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the Windows key store share: a context whose errors they
 * see, and the public side of each operation, in libcrypto.
 */
#ifndef MESH_TESTS_WINDOWS_KEYSTORE_TEST_H
#define MESH_TESTS_WINDOWS_KEYSTORE_TEST_H

#include "platform/windows/source.h"
#include "tests/platform/capture.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static struct mesh_context *ctx;
static struct capture capture;
static unsigned char out[MESH_RSA_MAX];
static size_t out_len;

static inline int setup(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || !mesh_keystore_open(ctx);
}

static inline int teardown(void **state)
{
    (void)state;
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    return 0;
}

static inline struct mesh_key_name name_of(EVP_PKEY *key)
{
    struct mesh_key_name name;

    expect_ok(ctx, mesh_key_name_of(ctx, key, &name));
    return name;
}

static inline int holds(EVP_PKEY *key)
{
    struct mesh_key_name name = name_of(key);
    int held = -1;

    expect_ok(ctx, mesh_keystore_holds(ctx, &name, &held));
    return held;
}

/* Does it; the result is out. */
static inline int operate(EVP_PKEY *key, const struct mesh_private_op *op,
                          const void *in, size_t in_len)
{
    struct mesh_key_name name = name_of(key);

    memset(out, 0, sizeof(out));
    out_len = sizeof(out);
    return mesh_keystore_operate(ctx, &name, op, in, in_len, out, &out_len);
}

/* Whether out is a signature of in, by libcrypto; digest NULL: none. */
static inline int verifies(EVP_PKEY *key, int padding, const char *digest,
                           int salt_length, const void *in, size_t in_len)
{
    EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    EVP_MD *md =
        digest != NULL ? EVP_MD_fetch(ctx->libctx, digest, NULL) : NULL;
    int ok;

    assert_int_equal(EVP_PKEY_verify_init(verify), 1);
    if (padding != 0)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(verify, padding), 1);
    if (md != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(verify, md), 1);
    if (padding == RSA_PKCS1_PSS_PADDING)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(verify, salt_length),
                         1);
    ok = EVP_PKEY_verify(verify, out, out_len, in, in_len) == 1;
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(verify);
    ERR_clear_error();
    return ok;
}

/* Encrypts with libcrypto; digest and label of OAEP, or NULL. */
static inline size_t encrypt(EVP_PKEY *key, int padding, const char *digest,
                             const char *label, const void *in, size_t in_len,
                             unsigned char *to, size_t size)
{
    EVP_PKEY_CTX *encrypt = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    size_t len = size;

    assert_int_equal(EVP_PKEY_encrypt_init(encrypt), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(encrypt, padding), 1);
    if (digest != NULL)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_oaep_md_name(encrypt, digest, NULL), 1);
    if (label != NULL)
        assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(encrypt,
                                                          OPENSSL_strdup(label),
                                                          (int)strlen(label)),
                         1);
    assert_int_equal(EVP_PKEY_encrypt(encrypt, to, &len, in, in_len), 1);
    EVP_PKEY_CTX_free(encrypt);
    return len;
}

#endif
