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

/* What is read is the key, and nothing but the whole is read. */
static void check_reading(EVP_PKEY *public, const unsigned char *der, int len)
{
    EVP_PKEY *read = mesh_public_read(ctx, der, (size_t)len);
    unsigned char *again = NULL, *wanted = NULL;
    int wanted_len = i2d_PUBKEY(public, &wanted); /* explicit curves differ */

    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(read, public), 1);
    assert_string_equal(EVP_PKEY_get0_type_name(read),
                        EVP_PKEY_get0_type_name(public));
    assert_int_equal(i2d_PUBKEY(read, &again), wanted_len);
    assert_memory_equal(again, wanted, wanted_len);
    assert_true(mesh_public_has_shape(der, (size_t)len));
    OPENSSL_free(wanted);
    OPENSSL_free(again);
    EVP_PKEY_free(read);
    again = OPENSSL_zalloc((size_t)len + 1);
    memcpy(again, der, (size_t)len);
    assert_null(mesh_public_read(ctx, again, (size_t)len + 1));
    assert_false(mesh_public_has_shape(again, (size_t)len + 1));
    for (int cut = 0; cut < len; cut += len / 16 + 1) {
        assert_null(mesh_public_read(ctx, again, (size_t)cut));
        assert_false(mesh_public_has_shape(again, (size_t)cut));
    }
    OPENSSL_free(again);
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
    check_reading(public, der, len);
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

/* What libcrypto reads as another key, or not at all, so do we. */
static void damaged(void **state)
{
    static const char *const types[] = {"ED25519", "X448", "ML-DSA-44",
                                        "ML-KEM-512", "P-256"};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        OSSL_PARAM group[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                     (char *)types[i], 0),
                              OSSL_PARAM_END};
        int is_ec = strcmp(types[i], "P-256") == 0;
        EVP_PKEY *key = generate(is_ec ? "EC" : types[i], is_ec ? group : NULL);
        unsigned char *der = NULL;
        int len;

        if (key == NULL)
            continue;
        len = i2d_PUBKEY(key, &der);
        for (int at = 0; at < len && at < 100; at++)
            for (int bit = 1; bit < 256; bit <<= 1) {
                const unsigned char *end = der;
                EVP_PKEY *ours, *theirs;

                der[at] ^= (unsigned char)bit;
                theirs = d2i_PUBKEY_ex(NULL, &end, len, ctx->libctx, NULL);
                ERR_clear_error();
                if (theirs != NULL && end != der + len) {
                    EVP_PKEY_free(theirs);
                    theirs = NULL;
                }
                ours = mesh_public_read(ctx, der, (size_t)len);
                assert_int_equal(ERR_peek_error(), 0);
                assert_int_equal(ours != NULL, theirs != NULL);
                if (ours != NULL)
                    assert_int_equal(EVP_PKEY_eq(ours, theirs), 1);
                EVP_PKEY_free(ours);
                EVP_PKEY_free(theirs);
                der[at] ^= (unsigned char)bit;
            }
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
}

/* RFC 8410, 3: the parameters of these types must be absent. */
static void parameters_too_many(void **state)
{
    EVP_PKEY *key = generate("X25519", NULL);
    X509_PUBKEY *spki = X509_PUBKEY_new();
    unsigned char *octets, *der = NULL;
    size_t octets_len = EVP_PKEY_get1_encoded_public_key(key, &octets);
    int len;

    (void)state;
    X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_X25519), V_ASN1_NULL, NULL,
                           octets, (int)octets_len);
    len = i2d_X509_PUBKEY(spki, &der);
    assert_true(mesh_public_has_shape(der, (size_t)len));
    assert_null(mesh_public_read(ctx, der, (size_t)len));
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(der);
    X509_PUBKEY_free(spki);
    EVP_PKEY_free(key);
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
        cmocka_unit_test(damaged),
        cmocka_unit_test(parameters_too_many),
        cmocka_unit_test(what_cannot_be_encoded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
