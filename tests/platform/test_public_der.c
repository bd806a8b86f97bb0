/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The DER of public keys is libcrypto's own, octet for octet, for every type
 * and form of key.
 */
#include "platform/public_der.h"
#include "tests/platform/capture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static struct mesh_context *ctx;
static struct capture capture;

static int setup(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL;
}

static int teardown(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return 0;
}

/* NULL if this libcrypto has no such keys. */
static EVP_PKEY *generate(const char *type, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, type, NULL);
    EVP_PKEY *key = NULL;

    if (pctx != NULL && EVP_PKEY_keygen_init(pctx) > 0
        && (params == NULL || EVP_PKEY_CTX_set_params(pctx, params) > 0))
        EVP_PKEY_generate(pctx, &key);
    EVP_PKEY_CTX_free(pctx);
    ERR_clear_error();
    return key;
}

static void
compare(int (*ours)(struct mesh_context *, EVP_PKEY *, unsigned char **),
        int (*libcrypto)(const EVP_PKEY *, unsigned char **), EVP_PKEY *key)
{
    unsigned char *wanted = NULL, *der;
    int len = libcrypto(key, &wanted);

    assert_true(len > 0);
    assert_int_equal(ours(ctx, key, &der), len);
    assert_memory_equal(der, wanted, len);
    OPENSSL_free(der);
    OPENSSL_free(wanted);
}

/* The key, and its public half alone, which is what profiles give. */
static void check(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_PUBKEY(key, &der);
    EVP_PKEY *public;

    p = der;
    public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);
    assert_non_null(public);
    OPENSSL_free(der);
    compare(mesh_public_spki, i2d_PUBKEY, key);
    compare(mesh_public_spki, i2d_PUBKEY, public);
    if (EVP_PKEY_is_a(key, "RSA"))
        compare(mesh_public_pkcs1, i2d_PublicKey, public);
    assert_int_equal(ERR_peek_error(), 0);
    EVP_PKEY_free(public);
    EVP_PKEY_free(key);
}

static void every_type(void **state)
{
    static const char *const types[] = {
        "ED25519",    "ED448",      "X25519",      "X448",
        "SM2",        "ML-DSA-44",  "ML-DSA-65",   "ML-DSA-87",
        "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "SLH-DSA-SHA2-128s",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        EVP_PKEY *key = generate(types[i], NULL);

        if (key == NULL)
            print_message("%s: not in this libcrypto\n", types[i]);
        else
            check(key);
    }
}

static void rsa(void **state)
{
    static const unsigned sizes[] = {512, 1023, 2048};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned bits = sizes[i];
        OSSL_PARAM params[] = {OSSL_PARAM_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                               OSSL_PARAM_END};

        check(generate("RSA", params));
        check(generate("RSA-PSS", params));
    }
}

/* A restricted PSS key says its digest in the algorithm's parameters. */
static void restricted_pss(void **state)
{
    unsigned bits = 1024;
    OSSL_PARAM params[] = {
        OSSL_PARAM_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, "SHA2-256", 0),
        OSSL_PARAM_END};

    (void)state;
    check(generate("RSA-PSS", params));
}

static void curves(void **state)
{
    static char *const groups[] = {"P-224",      "P-256",     "P-384",
                                   "P-521",      "secp256k1", "brainpoolP256r1",
                                   "prime192v1", "sect283k1"};
    static char *const encodings[] = {OSSL_PKEY_EC_ENCODING_GROUP,
                                      OSSL_PKEY_EC_ENCODING_EXPLICIT};
    static char *const formats[] = {
        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED,
        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED,
        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_HYBRID};

    (void)state;
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (size_t i = 0; i < 6; i++) {
            OSSL_PARAM params[] = {
                OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, groups[g],
                                       0),
                OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING,
                                       encodings[i % 2], 0),
                OSSL_PARAM_END};
            EVP_PKEY *key = generate("EC", params);

            assert_non_null(key);
            assert_true(EVP_PKEY_set_utf8_string_param(
                key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                formats[i / 2]));
            check(key);
        }
}

static void what_cannot_be_encoded(void **state)
{
    EVP_PKEY *key = generate("ED25519", NULL);
    EVP_PKEY *none = EVP_PKEY_new();
    unsigned char *der;

    (void)state;
    assert_int_equal(mesh_public_pkcs1(ctx, key, &der), 0);
    expect_error(ctx, MESH_R_ALGORITHM, "ED25519");
    assert_int_equal(mesh_public_spki(ctx, none, &der), 0);
    expect_error(ctx, MESH_R_ALGORITHM, "");
    EVP_PKEY_free(key);
    EVP_PKEY_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
        cmocka_unit_test(rsa),
        cmocka_unit_test(restricted_pss),
        cmocka_unit_test(curves),
        cmocka_unit_test(what_cannot_be_encoded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
