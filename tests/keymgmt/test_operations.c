/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What libcrypto asks of keys, signatures and decryption: the provider built
 * into the program, over a key store in the process.
 */
#include "tests/keymgmt/keystore_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it */
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

static OSSL_PROVIDER *provider_default, *provider_mesh;

static int load_providers(const char *first, const char *second)
{
    OSSL_PROVIDER *a, *b;

    a = OSSL_PROVIDER_load(NULL, first);
    b = OSSL_PROVIDER_load(NULL, second);
    provider_default = a;
    provider_mesh = b;
    double_failure = MESH_R_NONE;
    double_operations = 0;
    return a == NULL || b == NULL;
}

static int setup(void **state)
{
    (void)state;
    OSSL_PROVIDER_add_builtin(NULL, "mesh", OSSL_provider_init);
    if (load_providers("default", "mesh") != 0)
        return 1;
    double_make_keys();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    double_free_keys();
    return !OSSL_PROVIDER_unload(provider_mesh)
           || !OSSL_PROVIDER_unload(provider_default);
}

static EVP_PKEY *load(const char *uri, int expect)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(store);
    assert_int_equal(OSSL_STORE_expect(store, expect), 1);
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL)
            continue;
        key = expect == OSSL_STORE_INFO_PUBKEY
                  ? OSSL_STORE_INFO_get1_PUBKEY(info)
                  : OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

static EVP_PKEY *private_key(const char *name)
{
    char uri[64] = "mesh://";
    EVP_PKEY *key;

    key = load(strcat(uri, name), OSSL_STORE_INFO_PKEY);
    assert_non_null(key);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
                        "mesh");
    return key;
}

/* Our error is in the queue; libcrypto may have put its own on top. */
static void expect_error(enum mesh_reason reason)
{
    unsigned long e;
    int found = 0;

    while ((e = ERR_get_error()) != 0)
        if (ERR_GET_REASON(e) == (int)reason
            && ERR_reason_error_string(e) != NULL
            && strcmp(ERR_reason_error_string(e), mesh_reason_text(reason))
                   == 0)
            found = 1;
    assert_true(found);
}

static void test_properties(void **state)
{
    static const struct {
        const char *name, *type, *digest;
        int bits, security_bits, size, digest_is;
    } keys[] = {
        {"rsa", "RSA", "SHA256", 2048, 112, 256, 1},
        {"ec", "EC", "SHA256", 256, 128, 72, 1},
        {"ed25519", "ED25519", "UNDEF", 256, 128, 64, 2},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        EVP_PKEY *key = private_key(keys[i].name);
        EVP_PKEY *file = double_key(keys[i].name);
        EVP_PKEY *other = private_key(keys[(i + 1) % 3].name);
        EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(key, NULL);
        unsigned char *der = NULL;
        char digest[32];
        BIGNUM *d = NULL;

        assert_true(EVP_PKEY_is_a(key, keys[i].type));
        assert_int_equal(EVP_PKEY_get_bits(key), keys[i].bits);
        assert_int_equal(EVP_PKEY_get_security_bits(key),
                         keys[i].security_bits);
        assert_int_equal(EVP_PKEY_get_size(key), keys[i].size);
        assert_int_equal(
            EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)),
            keys[i].digest_is);
        assert_string_equal(digest, keys[i].digest);
        /* Equal in both orders, by value and not by handle. */
        assert_int_equal(EVP_PKEY_eq(key, file), 1);
        assert_int_equal(EVP_PKEY_eq(file, key), 1);
        assert_int_not_equal(EVP_PKEY_eq(key, other), 1);
        assert_int_not_equal(EVP_PKEY_eq(other, key), 1);
        assert_int_equal(EVP_PKEY_public_check(check), 1);
        /* The public half goes out, the private one does not. */
        assert_true(i2d_PUBKEY(key, &der) > 0);
        OPENSSL_free(der);
        der = NULL;
        assert_true(i2d_PrivateKey(key, &der) <= 0);
        assert_null(der);
        assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &d),
                         0);
        assert_int_equal(
            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d), 0);
        EVP_PKEY_CTX_free(check);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
        ERR_clear_error();
    }
    /* None of this is a private operation. */
    assert_int_equal(double_operations, 0);
}

static void test_other_key_of_same_type(void **state)
{
    EVP_PKEY *key = private_key("rsa"), *ec = private_key("ec");
    EVP_PKEY *rsa2 = EVP_RSA_gen(2048), *ec2 = EVP_EC_gen("P-256");

    (void)state;
    assert_int_equal(EVP_PKEY_eq(key, rsa2), 0);
    assert_int_equal(EVP_PKEY_eq(rsa2, key), 0);
    assert_int_equal(EVP_PKEY_eq(ec, ec2), 0);
    assert_int_equal(EVP_PKEY_eq(ec2, ec), 0);
    assert_int_equal(EVP_PKEY_parameters_eq(ec2, ec), 1);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa2);
    EVP_PKEY_free(ec2);
}

static const unsigned char message[] = "a message to be signed";

static void digest_sign_and_verify(const char *name, const char *digest,
                                   int in_parts)
{
    EVP_PKEY *key = private_key(name);
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
    EVP_PKEY *ed = private_key("ed25519"), *rsa = private_key("rsa");
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
    pctx = EVP_PKEY_CTX_new(ed, NULL);
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
    EVP_PKEY *key = private_key("ec");
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
    EVP_PKEY *key = private_key("rsa");
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
    EVP_PKEY *key = private_key("rsa");
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new(key, NULL);
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

static void test_decrypt(void **state)
{
    static const struct {
        int padding;
        enum mesh_padding sent;
        const char *md, *mgf1, *label;
    } cases[] = {
        {RSA_PKCS1_PADDING, MESH_PAD_PKCS1, NULL, NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, NULL, NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, "SHA256", NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, "SHA512", "SHA1", "label"},
    };
    EVP_PKEY *key = private_key("rsa");
    size_t i;
    int side;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EVP_PKEY_CTX *c[2];
        unsigned char cipher[256], clear[256];
        size_t cipher_len = sizeof(cipher), clear_len = 0;

        c[0] = EVP_PKEY_CTX_new(key, NULL); /* encrypts in software */
        c[1] = EVP_PKEY_CTX_new(key, NULL);
        assert_int_equal(EVP_PKEY_encrypt_init(c[0]), 1);
        assert_int_equal(EVP_PKEY_decrypt_init(c[1]), 1);
        for (side = 0; side < 2; side++) {
            assert_int_equal(
                EVP_PKEY_CTX_set_rsa_padding(c[side], cases[i].padding), 1);
            if (cases[i].md != NULL)
                assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(
                                     c[side], cases[i].md, NULL),
                                 1);
            if (cases[i].mgf1 != NULL)
                assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(
                                     c[side], cases[i].mgf1, NULL),
                                 1);
            if (cases[i].label != NULL)
                assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(
                                     c[side], OPENSSL_strdup(cases[i].label),
                                     (int)strlen(cases[i].label)),
                                 1);
        }
        double_operations = 0;
        assert_int_equal(EVP_PKEY_encrypt(c[0], cipher, &cipher_len, message,
                                          sizeof(message)),
                         1);
        assert_int_equal(
            EVP_PKEY_decrypt(c[1], NULL, &clear_len, cipher, cipher_len), 1);
        assert_int_equal(double_operations, 0);
        assert_int_equal(
            EVP_PKEY_decrypt(c[1], clear, &clear_len, cipher, cipher_len), 1);
        assert_int_equal(double_last.padding, cases[i].sent);
        assert_int_equal(clear_len, sizeof(message));
        assert_memory_equal(clear, message, sizeof(message));
        EVP_PKEY_CTX_free(c[0]);
        EVP_PKEY_CTX_free(c[1]);
    }
    EVP_PKEY_free(key);
}

/* RFC 5246, 7.4.7.1: 48 octets always, made where the key is. */
static void test_tls_premaster_padding(void **state)
{
    EVP_PKEY *key = private_key("rsa");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    unsigned version = TLS1_2_VERSION;
    OSSL_PARAM params[] = {
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version),
        OSSL_PARAM_END,
    };
    unsigned char premaster[48] = {3, 3, 1, 2, 3}, cipher[256], clear[256];
    size_t len = sizeof(cipher), clear_len = sizeof(clear);

    (void)state;
    assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
    assert_int_equal(EVP_PKEY_encrypt(c, cipher, &len, premaster, 48), 1);
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_WITH_TLS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(c, params), 1);
    assert_int_equal(EVP_PKEY_decrypt(c, clear, &clear_len, cipher, len), 1);
    assert_int_equal(clear_len, sizeof(premaster));
    assert_memory_equal(clear, premaster, sizeof(premaster));
    assert_int_equal(double_last.padding, MESH_PAD_PKCS1_TLS);
    assert_int_equal(double_last.tls_client_version, TLS1_2_VERSION);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void test_key_store_errors_reach_the_application(void **state)
{
    EVP_PKEY *key = private_key("ec");
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

static void test_public_object(void **state)
{
    EVP_PKEY *key = load("mesh://rsa", OSSL_STORE_INFO_PUBKEY);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    unsigned char sig[256];
    size_t len = sizeof(sig);

    (void)state;
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_eq(key, double_key("rsa")), 1);
    assert_false(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) == 1
                 && EVP_DigestSign(sign, sig, &len, message, sizeof(message))
                        == 1);
    assert_int_equal(double_operations, 0);
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void test_store(void **state)
{
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;
    int i;

    (void)state;
    /* Malformed: refused when it is opened. */
    assert_null(OSSL_STORE_open("mesh://a/b/c", NULL, NULL, NULL, NULL));
    ERR_clear_error();
    /* An error is an end: an application that asks on does not loop. */
    store = OSSL_STORE_open_ex("mesh://unknown", NULL, "?provider=mesh", NULL,
                               NULL, NULL, NULL, NULL);
    assert_non_null(store);
    for (i = 0; i < 3 && !OSSL_STORE_eof(store); i++)
        assert_null(OSSL_STORE_load(store));
    assert_true(i < 3);
    expect_error(MESH_R_FINGERPRINT_UNKNOWN);
    OSSL_STORE_close(store);
    /* Types that no mesh: URI has: an empty end, no error. */
    store = OSSL_STORE_open("mesh://rsa", NULL, NULL, NULL, NULL);
    assert_int_equal(OSSL_STORE_expect(store, OSSL_STORE_INFO_CRL), 1);
    assert_null(OSSL_STORE_load(store));
    assert_int_equal(OSSL_STORE_eof(store), 1);
    assert_int_equal(OSSL_STORE_error(store), 0);
    OSSL_STORE_close(store);
    /* Everything: the private key, then the public one. */
    store = OSSL_STORE_open("MESH:rsa", NULL, NULL, NULL, NULL);
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PKEY);
    OSSL_STORE_INFO_free(info);
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PUBKEY);
    OSSL_STORE_INFO_free(info);
    assert_true(OSSL_STORE_eof(store));
    OSSL_STORE_close(store);
    store = OSSL_STORE_open("mesh:names", NULL, NULL, NULL, NULL);
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_NAME);
    assert_string_equal(OSSL_STORE_INFO_get0_NAME(info), "mesh://rsa");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
}

/* Closed before anything, or half of it, was loaded: nothing leaks. */
static void test_store_closed_early(void **state)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open("mesh://rsa", NULL, NULL, NULL, NULL);

    (void)state;
    OSSL_STORE_close(store);
    store = OSSL_STORE_open("mesh://ec", NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO_free(OSSL_STORE_load(store));
    OSSL_STORE_close(store);
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
            EVP_PKEY *key = private_key(names[i]);
            EVP_MD_CTX *sign = EVP_MD_CTX_new();

            assert_int_not_equal(EVP_DigestSignInit_ex(sign, NULL, NULL, NULL,
                                                       NULL, key, params[j]),
                                 1);
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
            EVP_MD_CTX_free(sign);
            EVP_PKEY_free(key);
        }
}

static int forget_operations(void **state)
{
    (void)state;
    double_operations = 0;
    ERR_clear_error();
    return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, forget_operations)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_properties),
        TEST(test_other_key_of_same_type),
        TEST(test_digest_sign),
        TEST(test_digest_sign_refusals),
        TEST(test_init_again_without_key),
        TEST(test_pss),
        TEST(test_plain_sign_and_recover),
        TEST(test_decrypt),
        TEST(test_tls_premaster_padding),
        TEST(test_key_store_errors_reach_the_application),
        TEST(test_public_object),
        TEST(test_store),
        TEST(test_store_closed_early),
        TEST(test_parameters_that_cannot_be_carried),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
