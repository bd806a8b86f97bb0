/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * With our provider listed before default, the keys that programs make and read
 * from files work as they did.
 */
#include "tests/keymgmt/keystore_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it */
#include <cmocka.h>
#include <openssl/core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

static const unsigned char message[] = "a message to be signed";

/* A library context with both, ours first, for each test. */
static OSSL_LIB_CTX *libctx;
static OSSL_PROVIDER *mesh, *other;

static int load_mesh_first(void **state)
{
    (void)state;
    libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_add_builtin(libctx, "mesh", OSSL_provider_init);
    mesh = OSSL_PROVIDER_load(libctx, "mesh");
    other = OSSL_PROVIDER_load(libctx, "default");
    return mesh == NULL || other == NULL;
}

static int unload(void **state)
{
    (void)state;
    OSSL_PROVIDER_unload(mesh);
    OSSL_PROVIDER_unload(other);
    OSSL_LIB_CTX_free(libctx);
    ERR_clear_error();
    return double_operations != 0; /* none of it is for the key store */
}

static void test_keys_of_files(void **state)
{
    unsigned char sig[256];
    size_t len = sizeof(sig);
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_PKEY *key;

    (void)state;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, double_key("rsa"), NULL,
                                              NULL, 0, NULL, NULL),
                     1);
    key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL);
    assert_non_null(key);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
                        "default");
    assert_int_equal(
        EVP_DigestSignInit_ex(sign, NULL, "SHA256", libctx, NULL, key, NULL),
        1);
    assert_int_equal(EVP_DigestSign(sign, sig, &len, message, sizeof(message)),
                     1);
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

/* libssl must find the EC groups, too. */
static void test_generated_keys(void **state)
{
    static const char *const types[] = {"RSA", "EC", "ED25519"};
    SSL_CTX *ssl;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const char *digest = strcmp(types[i], "ED25519") == 0 ? NULL : "SHA256";
        EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
        unsigned char sig[512], *der = NULL;
        size_t len = sizeof(sig);
        EVP_PKEY *key;

        if (strcmp(types[i], "EC") == 0)
            key = EVP_PKEY_Q_keygen(libctx, NULL, "EC", "P-256");
        else
            key = EVP_PKEY_Q_keygen(libctx, NULL, types[i], (size_t)2048);
        assert_non_null(key);
        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "mesh");
        assert_int_equal(
            EVP_DigestSignInit_ex(sign, NULL, digest, libctx, NULL, key, NULL),
            1);
        assert_int_equal(
            EVP_DigestSign(sign, sig, &len, message, sizeof(message)), 1);
        assert_int_equal(EVP_DigestVerifyInit_ex(verify, NULL, digest, libctx,
                                                 "provider=default", key, NULL),
                         1);
        assert_int_equal(
            EVP_DigestVerify(verify, sig, len, message, sizeof(message)), 1);
        assert_true(i2d_PrivateKey(key, &der) > 0); /* it is a file's key */
        OPENSSL_free(der);
        EVP_MD_CTX_free(sign);
        EVP_MD_CTX_free(verify);
        EVP_PKEY_free(key);
    }
    ssl = SSL_CTX_new_ex(libctx, NULL, TLS_method());
    assert_int_equal(SSL_CTX_set1_groups_list(ssl, "P-256:P-384:P-521"), 1);
    SSL_CTX_free(ssl);
}

/* Keys that a program makes of numbers. */
static void test_keys_of_numbers(void **state)
{
    unsigned char raw[32] = {1, 2, 3}, sig[256], clear[256], cipher[256];
    size_t len = sizeof(sig), clear_len = sizeof(clear);
    size_t cipher_len = sizeof(cipher);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL, *rsa = NULL;
    EVP_PKEY_CTX *make;
    EVP_MD_CTX *sign = EVP_MD_CTX_new();

    (void)state;
    key = EVP_PKEY_new_raw_private_key_ex(libctx, "ED25519", NULL, raw,
                                          sizeof(raw));
    assert_non_null(key);
    assert_int_equal(
        EVP_DigestSignInit_ex(sign, NULL, NULL, libctx, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(sign, sig, &len, message, sizeof(message)),
                     1);
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(sign);

    assert_int_equal(
        EVP_PKEY_todata(double_key("rsa"), EVP_PKEY_KEYPAIR, &params), 1);
    make = EVP_PKEY_CTX_new_from_name(libctx, "RSA", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(make), 1);
    assert_int_equal(EVP_PKEY_fromdata(make, &rsa, EVP_PKEY_KEYPAIR, params),
                     1);
    EVP_PKEY_CTX_free(make);
    OSSL_PARAM_free(params);
    make = EVP_PKEY_CTX_new_from_pkey(libctx, rsa, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(make), 1);
    assert_int_equal(
        EVP_PKEY_encrypt(make, cipher, &cipher_len, message, sizeof(message)),
        1);
    assert_int_equal(EVP_PKEY_decrypt_init(make), 1);
    assert_int_equal(
        EVP_PKEY_decrypt(make, clear, &clear_len, cipher, cipher_len), 1);
    assert_int_equal(clear_len, sizeof(message));
    assert_memory_equal(clear, message, sizeof(message));
    assert_int_equal(EVP_PKEY_check(make), 1);
    EVP_PKEY_CTX_free(make);
    EVP_PKEY_free(rsa);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, load_mesh_first, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys_of_files),
        TEST(test_generated_keys),
        TEST(test_keys_of_numbers),
    };
    int failed;

    failed = cmocka_run_group_tests(tests, NULL, NULL);
    double_free_keys();
    return failed;
}
