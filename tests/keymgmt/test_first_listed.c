/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * With our provider listed before default, the keys that programs make and read
 * from files work as they did.
 */
#include "tests/keymgmt/provider_test.h"

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

/* What a key can do, the other side with its half in plain libcrypto. */
static int signs(OSSL_LIB_CTX *ctx, EVP_PKEY *key, EVP_PKEY *half)
{
    static unsigned char sig[32768];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t len = sizeof(sig);
    int ok = EVP_DigestSignInit_ex(md, NULL, NULL, ctx, NULL, key, NULL) == 1
             && EVP_DigestSign(md, sig, &len, message, sizeof(message)) == 1;

    EVP_MD_CTX_reset(md);
    ok = ok
         && EVP_DigestVerifyInit_ex(md, NULL, NULL, NULL, NULL, half, NULL) == 1
         && EVP_DigestVerify(md, sig, len, message, sizeof(message)) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

static int agrees(OSSL_LIB_CTX *ctx, EVP_PKEY *key, EVP_PKEY *half,
                  const char *name)
{
    EVP_PKEY *whole = double_new_key(name), *peer = public_half(whole, NULL);
    EVP_PKEY_CTX *mine = EVP_PKEY_CTX_new_from_pkey(ctx, key, NULL);
    EVP_PKEY_CTX *theirs = EVP_PKEY_CTX_new_from_pkey(NULL, whole, NULL);
    unsigned char a[128], b[128];
    size_t a_len = sizeof(a), b_len = sizeof(b);
    int ok = EVP_PKEY_derive_init(mine) == 1
             && EVP_PKEY_derive_set_peer(mine, peer) == 1
             && EVP_PKEY_derive(mine, a, &a_len) == 1
             && EVP_PKEY_derive_init(theirs) == 1
             && EVP_PKEY_derive_set_peer(theirs, half) == 1
             && EVP_PKEY_derive(theirs, b, &b_len) == 1 && a_len == b_len
             && memcmp(a, b, a_len) == 0;

    EVP_PKEY_CTX_free(mine);
    EVP_PKEY_CTX_free(theirs);
    EVP_PKEY_free(whole);
    EVP_PKEY_free(peer);
    return ok;
}

static int decapsulates(OSSL_LIB_CTX *ctx, EVP_PKEY *key, EVP_PKEY *half)
{
    EVP_PKEY_CTX *mine = EVP_PKEY_CTX_new_from_pkey(ctx, key, NULL);
    EVP_PKEY_CTX *theirs = EVP_PKEY_CTX_new_from_pkey(NULL, half, NULL);
    static unsigned char capsule[2048], a[2048], b[2048];
    size_t len = sizeof(capsule), a_len = sizeof(a), b_len = sizeof(b);
    int ok = EVP_PKEY_encapsulate_init(theirs, NULL) == 1
             && EVP_PKEY_encapsulate(theirs, capsule, &len, b, &b_len) == 1
             && EVP_PKEY_decapsulate_init(mine, NULL) == 1
             && EVP_PKEY_decapsulate(mine, a, &a_len, capsule, len) == 1
             && a_len == b_len && memcmp(a, b, a_len) == 0;

    EVP_PKEY_CTX_free(mine);
    EVP_PKEY_CTX_free(theirs);
    return ok;
}

/* As those that plain libcrypto makes; libssl must find the EC groups, too. */
static void test_generated_keys(void **state)
{
    const char *name;
    SSL_CTX *ssl;
    size_t i;

    (void)state;
    for (i = 0; (name = double_name(i)) != NULL; i++) {
        EVP_PKEY *plain = double_key(name), *half, *key;
        unsigned char *der = NULL;

        if (plain == NULL)
            continue;
        key = double_new_key_in(libctx, name);
        assert_non_null(key);
        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "mesh");
        half = public_half(key, NULL);
        assert_int_equal(signs(libctx, key, half), signs(NULL, plain, plain));
        assert_int_equal(agrees(libctx, key, half, name),
                         agrees(NULL, plain, plain, name));
        assert_int_equal(decapsulates(libctx, key, half),
                         decapsulates(NULL, plain, plain));
        assert_true(i2d_PrivateKey(key, &der) > 0); /* it is a file's key */
        OPENSSL_free(der);
        EVP_PKEY_free(half);
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

#define MESH_FIRST(f)                                                          \
    cmocka_unit_test_setup_teardown(f, load_mesh_first, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MESH_FIRST(test_keys_of_files),
        MESH_FIRST(test_generated_keys),
        MESH_FIRST(test_keys_of_numbers),
    };
    int failed;

    failed = cmocka_run_group_tests(tests, NULL, NULL);
    double_free_keys();
    return failed;
}
