/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

static const unsigned char message[] = "a message to be signed";

static void digest_sign_and_verify(const char *name, const char *digest,
                                   int in_parts)
{
    EVP_PKEY *key = held_key(name);
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    unsigned char sig[512];
    size_t len = 0;
    unsigned before = double_operations;

    assert_int_equal(
        EVP_DigestSignInit_ex(sign, NULL, digest, NULL, NULL, key, NULL), 1);
    if (in_parts) {
        assert_int_equal(EVP_DigestSignUpdate(sign, message, 5), 1);
        assert_int_equal(
            EVP_DigestSignUpdate(sign, message + 5, sizeof(message) - 5), 1);
        assert_int_equal(EVP_DigestSignFinal(sign, NULL, &len), 1);
        assert_int_equal(double_operations, before); /* asking is free */
        assert_true(len <= sizeof(sig));
        assert_int_equal(EVP_DigestSignFinal(sign, sig, &len), 1);
    } else {
        assert_int_equal(
            EVP_DigestSign(sign, NULL, &len, message, sizeof(message)), 1);
        assert_int_equal(double_operations, before);
        assert_true(len <= sizeof(sig));
        assert_int_equal(
            EVP_DigestSign(sign, sig, &len, message, sizeof(message)), 1);
    }
    assert_int_equal(double_operations, before + 1);
    assert_int_equal(EVP_DigestVerifyInit_ex(verify, NULL, digest, NULL, NULL,
                                             double_key(name), NULL),
                     1);
    assert_int_equal(
        EVP_DigestVerify(verify, sig, len, message, sizeof(message)), 1);
    /* The private-key object verifies too, and refuses what is changed. */
    EVP_MD_CTX_reset(verify);
    assert_int_equal(
        EVP_DigestVerifyInit_ex(verify, NULL, digest, NULL, NULL, key, NULL),
        1);
    assert_int_equal(
        EVP_DigestVerify(verify, sig, len, message, sizeof(message)), 1);
    EVP_MD_CTX_reset(verify);
    sig[len / 2] ^= 1;
    assert_int_equal(
        EVP_DigestVerifyInit_ex(verify, NULL, digest, NULL, NULL, key, NULL),
        1);
    assert_int_not_equal(
        EVP_DigestVerify(verify, sig, len, message, sizeof(message)), 1);
    assert_int_equal(double_operations, before + 1);
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void test_digest_sign(void **state)
{
    static const char *const digests[] = {"SHA256", "sha384", "SHA2-512",
                                          "SHA3-256", "SHA1"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        digest_sign_and_verify("rsa", digests[i], 0);
        digest_sign_and_verify("rsa", digests[i], 1);
        digest_sign_and_verify("ec", digests[i], 0);
        digest_sign_and_verify("ec", digests[i], 1);
    }
    digest_sign_and_verify("rsa", NULL, 0); /* the default digest */
    digest_sign_and_verify("ec", NULL, 1);
    digest_sign_and_verify("ed25519", NULL, 0);
}

static void test_digest_sign_refusals(void **state)
{
    EVP_PKEY *ed = held_key("ed25519"), *rsa = held_key("rsa");
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;

    (void)state;
    assert_int_not_equal(
        EVP_DigestSignInit_ex(sign, NULL, "SHA256", NULL, NULL, ed, NULL), 1);
    expect_error(MESH_R_OPERATION_UNSUPPORTED);
    EVP_MD_CTX_reset(sign);
    assert_int_not_equal(
        EVP_DigestSignInit_ex(sign, NULL, "NOSUCH", NULL, NULL, rsa, NULL), 1);
    EVP_MD_CTX_reset(sign);
    ERR_clear_error();
    /* EdDSA does not sign digests. */
    pctx = EVP_PKEY_CTX_new_from_pkey(app, ed, NULL);
    assert_int_not_equal(EVP_PKEY_sign_init(pctx), 1);
    EVP_PKEY_CTX_free(pctx);
    ERR_clear_error();
    /* The digest cannot change once data is hashed. */
    assert_int_equal(
        EVP_DigestSignInit_ex(sign, &pctx, "SHA256", NULL, NULL, rsa, NULL), 1);
    assert_int_not_equal(EVP_PKEY_CTX_set_signature_md(pctx, EVP_sha512()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(pctx, EVP_sha256()), 1);
    ERR_clear_error();
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(rsa);
}

/* BIO_reset() on a digest filter starts over without naming the key again. */
static void test_init_again_without_key(void **state)
{
    EVP_PKEY *key = held_key("ec");
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
    unsigned char sig[128];
    size_t len = sizeof(sig);

    (void)state;
    assert_int_equal(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key),
                     1);
    assert_int_equal(EVP_DigestSignUpdate(sign, "rubbish", 7), 1);
    assert_int_equal(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, NULL),
                     1);
    assert_int_equal(EVP_DigestSignUpdate(sign, message, sizeof(message)), 1);
    /* A copy in the middle signs the same message. */
    assert_int_equal(EVP_MD_CTX_copy_ex(copy, sign), 1);
    assert_int_equal(EVP_DigestSignFinal(copy, sig, &len), 1);
    EVP_MD_CTX_reset(copy);
    assert_int_equal(
        EVP_DigestVerifyInit(copy, NULL, EVP_sha256(), NULL, double_key("ec")),
        1);
    assert_int_equal(EVP_DigestVerify(copy, sig, len, message, sizeof(message)),
                     1);
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(copy);
    EVP_PKEY_free(key);
}

static void test_pss(void **state)
{
    static const struct {
        int asked, sent;
    } salts[] = {
        {RSA_PSS_SALTLEN_DIGEST, 32},
        {RSA_PSS_SALTLEN_MAX, 222},
        {RSA_PSS_SALTLEN_AUTO, 222},
        {0, 0},
        {20, 20},
    };
    EVP_PKEY *key = held_key("rsa");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(salts) / sizeof(salts[0]) + 1; i++) {
        EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
        int too_long = i == sizeof(salts) / sizeof(salts[0]);
        unsigned char sig[256];
        size_t len = sizeof(sig);
        EVP_PKEY_CTX *pctx;

        assert_int_equal(
            EVP_DigestSignInit(sign, &pctx, EVP_sha256(), NULL, key), 1);
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(
                             pctx, too_long ? 223 : salts[i].asked),
                         1);
        if (too_long) {
            assert_int_not_equal(
                EVP_DigestSign(sign, sig, &len, message, sizeof(message)), 1);
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
        } else {
            assert_int_equal(
                EVP_DigestSign(sign, sig, &len, message, sizeof(message)), 1);
            assert_int_equal(double_last.padding, MESH_PAD_PSS);
            assert_int_equal(double_last.salt_length, salts[i].sent);
            assert_int_equal(EVP_DigestVerifyInit(verify, &pctx, EVP_sha256(),
                                                  NULL, double_key("rsa")),
                             1);
            EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
            assert_int_equal(
                EVP_DigestVerify(verify, sig, len, message, sizeof(message)),
                1);
        }
        EVP_MD_CTX_free(sign);
        EVP_MD_CTX_free(verify);
    }
    EVP_PKEY_free(key);
}

static void test_plain_sign_and_recover(void **state)
{
    EVP_PKEY *key = held_key("rsa");
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_pkey(app, key, NULL);
    unsigned char sig[256], out[256];
    size_t len = 0, out_len = 0;

    (void)state;
    assert_int_equal(EVP_PKEY_sign_init(pctx), 1);
    assert_int_equal(EVP_PKEY_sign(pctx, NULL, &len, message, 20), 1);
    assert_int_equal(len, sizeof(sig));
    assert_int_equal(EVP_PKEY_sign(pctx, sig, &len, message, 20), 1);
    assert_string_equal(double_last.digest, ""); /* no DigestInfo */
    assert_int_equal(EVP_PKEY_verify_recover_init(pctx), 1);
    assert_int_equal(EVP_PKEY_verify_recover(pctx, NULL, &out_len, sig, len),
                     1);
    assert_int_equal(EVP_PKEY_verify_recover(pctx, out, &out_len, sig, len), 1);
    assert_int_equal(out_len, 20);
    assert_memory_equal(out, message, 20);
    assert_int_equal(EVP_PKEY_verify_init(pctx), 1);
    assert_int_equal(EVP_PKEY_verify(pctx, sig, len, message, 20), 1);
    assert_int_not_equal(EVP_PKEY_verify(pctx, sig, len, message, 19), 1);
    EVP_PKEY_CTX_free(pctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void test_key_store_errors_reach_the_application(void **state)
{
    EVP_PKEY *key = held_key("ec");
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    unsigned char sig[128];
    size_t len = sizeof(sig);

    (void)state;
    assert_int_equal(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key),
                     1);
    double_failure = MESH_R_LOCKED;
    assert_int_not_equal(
        EVP_DigestSign(sign, sig, &len, message, sizeof(message)), 1);
    expect_error(MESH_R_LOCKED);
    double_failure = MESH_R_NONE;
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
}

/* A parameter that cannot reach the key is refused, not left out. */
static void test_parameters_that_cannot_be_carried(void **state)
{
    static const char *const names[] = {"rsa", "ec", "ed25519"};
    char instance[] = "Ed25519ph";
    unsigned nonce_type = 1;
    OSSL_PARAM params[][2] = {
        {OSSL_PARAM_construct_utf8_string("instance", instance, 0),
         OSSL_PARAM_construct_end()},
        {OSSL_PARAM_construct_octet_string("context-string", instance, 4),
         OSSL_PARAM_construct_end()},
        {OSSL_PARAM_construct_uint("nonce-type", &nonce_type),
         OSSL_PARAM_construct_end()},
    };
    size_t i, j;

    (void)state;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++) {
            EVP_PKEY *key = held_key(names[i]);
            EVP_MD_CTX *sign = EVP_MD_CTX_new();

            assert_int_not_equal(EVP_DigestSignInit_ex(sign, NULL, NULL, NULL,
                                                       NULL, key, params[j]),
                                 1);
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
            EVP_MD_CTX_free(sign);
            EVP_PKEY_free(key);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_digest_sign),
        TEST(test_digest_sign_refusals),
        TEST(test_init_again_without_key),
        TEST(test_pss),
        TEST(test_plain_sign_and_recover),
        TEST(test_key_store_errors_reach_the_application),
        TEST(test_parameters_that_cannot_be_carried),
    };

    return RUN_IN_EACH_ORDER(tests);
}
