/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the Keychain back end share: an empty keychain for each,
 * and the public side of each operation, in libcrypto.
 */
#ifndef MESH_TESTS_MACOS_KEYCHAIN_TEST_H
#define MESH_TESTS_MACOS_KEYCHAIN_TEST_H

#include "platform/keystore.h"
#include "tests/platform/capture.h"

#include "double.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define OUT_MAX 1024

static struct mesh_context *ctx;
static struct capture capture;
static unsigned char out[OUT_MAX];
static size_t out_len;

static inline int setup(void **state)
{
    (void)state;
    macos_double_reset();
    memset(&capture, 0, sizeof(capture));
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || !mesh_keystore_open(ctx);
}

/* Whatever a test did: no object is left, and no private bytes were asked for.
 */
static inline int teardown(void **state)
{
    (void)state;
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    assert_int_equal(macos_double_live(), 0);
    assert_int_equal(macos_double_private_attempts(), 0);
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

static inline int operate(EVP_PKEY *key, const struct mesh_private_op *op,
                          const void *in, size_t in_len)
{
    struct mesh_key_name name = name_of(key);

    memset(out, 0, sizeof(out));
    out_len = sizeof(out);
    return mesh_keystore_operate(ctx, &name, op, in, in_len, out, &out_len);
}

/* A key by an algorithm's name, whole; kept for ever: RSA takes time. */
static inline EVP_PKEY *software_key(const char *type, const char *variant)
{
    EVP_PKEY *key = NULL;

    if (strcmp(type, "RSA") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)atoi(variant));
    else if (strcmp(type, "EC") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, type, variant);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, type);
    assert_non_null(key);
    return key;
}

static inline int import_key(EVP_PKEY *key, EVP_PKEY **public)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der), ok;

    assert_true(len > 0);
    ok = mesh_keystore_import(ctx, der, (size_t)len, public);
    OPENSSL_clear_free(der, (size_t)len);
    PKCS8_PRIV_KEY_INFO_free(info);
    return ok;
}

static inline EVP_PKEY *generate(const char *algorithm)
{
    EVP_PKEY *public = NULL;

    expect_ok(ctx, mesh_keystore_generate(ctx, algorithm, &public));
    assert_non_null(public);
    return public;
}

/* Whether out is a signature of in, by libcrypto; digest NULL: none. */
static inline int verifies(EVP_PKEY *key, int padding, const char *digest,
                           const char *mgf1, int salt_length, const void *in,
                           size_t in_len)
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
    if (mgf1 != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(verify, mgf1, NULL),
                         1);
    ok = EVP_PKEY_verify(verify, out, out_len, in, in_len) == 1;
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(verify);
    ERR_clear_error();
    return ok;
}

/* Encrypts with libcrypto; digests and label of OAEP, or NULL. */
static inline size_t encrypt(EVP_PKEY *key, int padding, const char *digest,
                             const char *mgf1, const char *label,
                             const void *in, size_t in_len, unsigned char *to)
{
    EVP_PKEY_CTX *encrypt = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    size_t len = OUT_MAX;

    assert_int_equal(EVP_PKEY_encrypt_init(encrypt), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(encrypt, padding), 1);
    if (digest != NULL)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_oaep_md_name(encrypt, digest, NULL), 1);
    if (mgf1 != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(encrypt, mgf1, NULL),
                         1);
    if (label != NULL)
        assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(encrypt,
                                                          OPENSSL_strdup(label),
                                                          (int)strlen(label)),
                         1);
    assert_int_equal(EVP_PKEY_encrypt(encrypt, to, &len, in, in_len), 1);
    EVP_PKEY_CTX_free(encrypt);
    return len;
}

/* Puts an item into the keychain as another program would: text is its file. */
static inline void put_file(const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", macos_double_folder(), name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A private key alone, under a label that is not ours. */
static inline void put_private(const char *name, EVP_PKEY *key)
{
    static const char head[] = "label: Imported Private Key\n"
                               "extractable: yes\nsensitive: yes\n";
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    assert_true(BIO_puts(bio, head) > 0);
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(BIO_write(bio, "", 1), 1);
    BIO_get_mem_data(bio, &text);
    put_file(name, text);
    BIO_free(bio);
}

#endif
