/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every algorithm that agrees on secrets, against plain libcrypto with the same
 * key; peers and ciphertexts that are refused.
 */
#include "platform/algorithm.h"
#include "platform/linux/keyd/operate.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static struct capture capture;
static struct mesh_context *ctx;

#define OUT_MAX 2048 /* the ciphertext of ML-KEM-1024 has 1568 */

static const char message[] = "no ciphertext of anything, but of some length";

static int has_openssl(unsigned minor)
{
    return OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= minor;
}

/* Checks and does, as a request would; *out is the caller's. */
static int operate(EVP_PKEY *key, const struct mesh_private_op *op,
                   const void *in, size_t in_len, unsigned char **out,
                   size_t *out_len)
{
    *out = NULL;
    ERR_clear_error(); /* what the test's own checks left */
    return mesh_operate_check(ctx, op, in, in_len)
           && mesh_operate(ctx, key, op, in, in_len, out, out_len);
}

/* A key that has the public half alone. */
static EVP_PKEY *public_half(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);

    assert_non_null(public);
    OPENSSL_free(der);
    return public;
}

static size_t derived_natively(EVP_PKEY *key, EVP_PKEY *peer,
                               unsigned char *secret)
{
    EVP_PKEY_CTX *native = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    size_t len = OUT_MAX;

    assert_true(EVP_PKEY_derive_init(native) == 1
                && EVP_PKEY_derive_set_peer(native, peer) == 1
                && EVP_PKEY_derive(native, secret, &len) == 1);
    EVP_PKEY_CTX_free(native);
    return len;
}

static void every_row_derives(void **state)
{
    static unsigned char theirs[OUT_MAX];
    const struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    const struct mesh_algorithm *row;
    unsigned char *ours, *der;
    size_t len;
    int der_len;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        EVP_PKEY *key, *peer;

        if ((row->family & (MESH_FAMILY_EC | MESH_FAMILY_XDH)) == 0)
            continue;
        key = test_key(ctx, row->name);
        peer = row->group != NULL
                   ? EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", row->group)
                   : EVP_PKEY_Q_keygen(ctx->libctx, NULL, row->keytype);
        der = NULL;
        der_len = i2d_PUBKEY(peer, &der);
        expect_ok(ctx, operate(key, &op, der, (size_t)der_len, &ours, &len));
        assert_int_equal(derived_natively(peer, key, theirs), len);
        assert_memory_equal(ours, theirs, len);
        OPENSSL_free(ours);
        OPENSSL_free(der);
        EVP_PKEY_free(peer);
    }
}

static int to_der(EVP_PKEY *key, unsigned char der[512])
{
    int len = i2d_PUBKEY(key, &der);

    assert_in_range(len, 1, 512);
    return len;
}

static void expect_no_secret(const char *name, const unsigned char *der,
                             int der_len, enum mesh_reason reason,
                             const char *text)
{
    const struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char *out;
    size_t len;

    assert_false(
        operate(test_key(ctx, name), &op, der, (size_t)der_len, &out, &len));
    expect_error(ctx, reason, text);
    assert_null(out);
    assert_int_equal(ERR_peek_error(), 0);
}

/* Peers whose SubjectPublicKeyInfo is not written as our own. */
static void takes_compressed_points(void **state)
{
    const struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    EVP_PKEY *key = test_key(ctx, "P-256");
    EVP_PKEY *peer = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");
    unsigned char der[512], *out, *other;
    int len = to_der(peer, der), compressed;
    size_t out_len, other_len;

    (void)state;
    expect_ok(ctx, operate(key, &op, der, (size_t)len, &out, &out_len));
    der[len] = 0;
    expect_no_secret("P-256", der, len + 1, MESH_R_KEY_MALFORMED,
                     "SubjectPublicKeyInfo");
    assert_int_equal(
        EVP_PKEY_set_utf8_string_param(
            peer, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
        1);
    compressed = to_der(peer, der);
    assert_int_equal(compressed, len - 32);
    expect_ok(ctx,
              operate(key, &op, der, (size_t)compressed, &other, &other_len));
    assert_int_equal(other_len, out_len);
    assert_memory_equal(other, out, out_len);
    OPENSSL_free(out);
    OPENSSL_free(other);
    EVP_PKEY_free(peer);
}

/* A clear text for each. */
static void refuses_peers(void **state)
{
    /* SubjectPublicKeyInfo of P-256 whose point is 00, the one at infinity */
    static const unsigned char infinity[] = {
        0x30, 0x19, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x02, 0x00, 0x00};
    unsigned char der[512];
    int len;

    (void)state;
    len = to_der(test_key(ctx, "secp256k1"), der);
    expect_no_secret("P-256", der, len, MESH_R_OPERATION_FAILED,
                     "the peer's key is on secp256k1, not on P-256");
    len = to_der(test_key(ctx, "X448"), der);
    expect_no_secret("X25519", der, len, MESH_R_OPERATION_FAILED,
                     "the peer's key is of type X448, not X25519");
    expect_no_secret("P-256", der, len, MESH_R_OPERATION_FAILED,
                     "the peer's key is of type X448, not EC");
    expect_no_secret("P-256", infinity, sizeof(infinity),
                     MESH_R_OPERATION_FAILED, "the point at infinity");
    len = to_der(test_key(ctx, "P-256"), der);
    der[len - 1] ^= 1;
    expect_no_secret("P-256", der, len, MESH_R_KEY_MALFORMED,
                     "the peer's public key is not a SubjectPublicKeyInfo");
    /* all zeros, and one: points of small order */
    for (unsigned char last = 0; last < 2; last++) {
        len = to_der(test_key(ctx, "X25519"), der);
        memset(der + len - 32, 0, 32);
        der[len - 32] = last;
        expect_no_secret("X25519", der, len, MESH_R_OPERATION_FAILED,
                         "the shared secret would be zero");
        len = to_der(test_key(ctx, "X448"), der);
        memset(der + len - 56, 0, 56);
        der[len - 56] = last;
        expect_no_secret("X448", der, len, MESH_R_OPERATION_FAILED,
                         "the shared secret would be zero");
    }
    len = to_der(test_key(ctx, "ED25519"), der);
    expect_no_secret("X25519", der, len, MESH_R_OPERATION_FAILED,
                     "the peer's key is of type ED25519, not X25519");
    expect_no_secret("ED25519", der, len, MESH_R_OPERATION_UNSUPPORTED,
                     "derive with a key of type ED25519");
}

static const char *kem_of(const struct mesh_algorithm *row)
{
    return row->family == MESH_FAMILY_ML_KEM ? ""
           : row->family == MESH_FAMILY_RSA  ? "RSASVE"
                                             : "DHKEM";
}

/* libcrypto's own encapsulation to the public half: 0 if it has none. */
static int encapsulated(EVP_PKEY *key, const char *variant,
                        unsigned char *sealed, size_t *sealed_len,
                        unsigned char *secret, size_t *secret_len)
{
    EVP_PKEY *public = public_half(key);
    EVP_PKEY_CTX *native =
        EVP_PKEY_CTX_new_from_pkey(ctx->libctx, public, NULL);
    int ok;

    *sealed_len = *secret_len = OUT_MAX;
    ok = EVP_PKEY_encapsulate_init(native, NULL) == 1
         && (*variant == '\0' || EVP_PKEY_CTX_set_kem_op(native, variant) == 1)
         && EVP_PKEY_encapsulate(native, sealed, sealed_len, secret, secret_len)
                == 1;
    EVP_PKEY_CTX_free(native);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return ok;
}

static void every_row_decapsulates(void **state)
{
    static unsigned char sealed[OUT_MAX + 1], secret[OUT_MAX];
    const struct mesh_algorithm *row;
    int done = 0;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct mesh_private_op op = {.operation = MESH_OP_DECAPSULATE};
        size_t sealed_len, secret_len, len;
        unsigned char *out;
        EVP_PKEY *key;

        if ((row->uses & MESH_USE_ENCRYPT) == 0
            || !mesh_algorithm_available(ctx, row))
            continue;
        key = test_key(ctx, row->name);
        strcpy(op.variant, kem_of(row));
        if (!encapsulated(key, op.variant, sealed, &sealed_len, secret,
                          &secret_len)) {
            /* 3.0 has no DHKEM; no OpenSSL has it for every curve */
            assert_false(operate(key, &op, message, 32, &out, &len));
            expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "libcrypto 3.");
            continue;
        }
        done++;
        for (int named = 1; named >= 0; named--) {
            if (!named) /* the only one that there is */
                op.variant[0] = '\0';
            expect_ok(ctx, operate(key, &op, sealed, sealed_len, &out, &len));
            assert_int_equal(len, secret_len);
            assert_memory_equal(out, secret, len);
            OPENSSL_free(out);
        }
        /* of any wrong length, the same text */
        for (size_t l = sealed_len - 1; l <= sealed_len + 1; l += 2) {
            assert_false(operate(key, &op, sealed, l, &out, &len));
            expect_error(ctx, MESH_R_OPERATION_FAILED,
                         "decapsulate: the data cannot be decapsulated with "
                         "this key");
            assert_null(out);
        }
        strcpy(op.variant, row->family == MESH_FAMILY_RSA ? "DHKEM" : "RSASVE");
        assert_false(operate(key, &op, sealed, sealed_len, &out, &len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, " variant");
    }
    assert_true(done >= 3); /* RSASVE has always been there */
    if (has_openssl(2))
        assert_true(done >= 3 + 5);
    if (has_openssl(5))
        assert_true(done >= 3 + 5 + 3);
}

static int set_up(void **state)
{
    (void)state;
    return (ctx = mesh_context_new(NULL, capture_raise, &capture)) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    test_key(NULL, NULL);
    mesh_context_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_derives),
        cmocka_unit_test(takes_compressed_points),
        cmocka_unit_test(refuses_peers),
        cmocka_unit_test(every_row_decapsulates),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
