/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What mesh-keyd does with a private key, and what it refuses to.
 */
#include "platform/linux/keyd/operate.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static struct capture capture;
static struct mesh_context *ctx;

static const unsigned char digest[64] = {7, 1, 2};
static const unsigned char message[] = "the message";

/* Checks and does, as a request would. */
static int operate(EVP_PKEY *key, const struct mesh_private_op *op,
                   const void *in, size_t in_len, unsigned char **out,
                   size_t *out_len)
{
    *out = NULL;
    ERR_clear_error(); /* what the test's own checks left */
    return mesh_operate_check(ctx, op, in, in_len)
           && mesh_operate(ctx, key, op, in, in_len, out, out_len);
}

static struct mesh_private_op sign_op(enum mesh_padding padding,
                                      const char *name)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN, .padding = padding};

    strcpy(op.digest, name);
    return op;
}

/* Whether plain libcrypto accepts the signature. */
static int verify(EVP_PKEY *key, int pad_mode, const char *name,
                  const char *mgf1, int salt, const unsigned char *tbs,
                  size_t tbs_len, const unsigned char *sig, size_t sig_len)
{
    EVP_PKEY_CTX *v = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    OSSL_PARAM params[5];
    size_t n = 0;
    int ok;

    if (pad_mode != 0)
        params[n++] =
            OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &pad_mode);
    if (name[0] != '\0')
        params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_DIGEST,
                                                       (char *)name, 0);
    if (mgf1 != NULL)
        params[n++] = OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_MGF1_DIGEST, (char *)mgf1, 0);
    if (salt >= 0)
        params[n++] =
            OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt);
    params[n] = OSSL_PARAM_construct_end();
    ok = EVP_PKEY_verify_init_ex(v, params) == 1
         && EVP_PKEY_verify(v, sig, sig_len, tbs, tbs_len) == 1;
    EVP_PKEY_CTX_free(v);
    return ok;
}

static void signs_pkcs1(void **state)
{
    static const struct {
        const char *name;
        size_t len;
    } digests[] = {{"SHA2-256", 32}, {"SHA2-512", 64}, {"SHA1", 20}, {"", 51}};
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    unsigned char *sig;
    size_t len;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct mesh_private_op op = sign_op(MESH_PAD_PKCS1, digests[i].name);

        expect_ok(ctx, operate(key, &op, digest, digests[i].len, &sig, &len));
        assert_int_equal(len, 256);
        assert_true(verify(key, RSA_PKCS1_PADDING, digests[i].name, NULL, -1,
                           digest, digests[i].len, sig, len));
        sig[9] ^= 1;
        assert_false(verify(key, RSA_PKCS1_PADDING, digests[i].name, NULL, -1,
                            digest, digests[i].len, sig, len));
        OPENSSL_free(sig);
    }
}

static void signs_pss(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    unsigned char *sig;
    size_t len;

    (void)state;
    for (int salt = 0; salt <= 222; salt += 37) {
        struct mesh_private_op op = sign_op(MESH_PAD_PSS, "SHA2-256");

        op.salt_length = salt;
        strcpy(op.mgf1_digest, salt % 2 ? "SHA1" : "");
        expect_ok(ctx, operate(key, &op, digest, 32, &sig, &len));
        assert_true(verify(key, RSA_PKCS1_PSS_PADDING, "SHA2-256",
                           salt % 2 ? "SHA1" : "SHA2-256", salt, digest, 32,
                           sig, len));
        assert_false(verify(key, RSA_PKCS1_PSS_PADDING, "SHA2-256",
                            salt % 2 ? "SHA1" : "SHA2-256", salt + 1, digest,
                            32, sig, len));
        OPENSSL_free(sig);
    }
}

static void signs_raw(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_private_op op = sign_op(MESH_PAD_NONE, "");
    unsigned char block[256] = {0, 5}, *sig;
    size_t len;

    (void)state;
    expect_ok(ctx, operate(key, &op, block, sizeof(block), &sig, &len));
    assert_true(verify(key, RSA_NO_PADDING, "", NULL, -1, block, sizeof(block),
                       sig, len));
    OPENSSL_free(sig);
    assert_false(operate(key, &op, block, 255, &sig, &len));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "sign raw");
}

static void signs_ecdsa(void **state)
{
    static const char *const names[] = {"P-256", "P-384", "P-521"};
    struct mesh_private_op op = sign_op(MESH_PAD_DEFAULT, "SHA2-384");
    unsigned char *sig;
    size_t len;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = test_key(ctx, names[i]);

        expect_ok(ctx, operate(key, &op, digest, 48, &sig, &len));
        assert_true(verify(key, 0, "", NULL, -1, digest, 48, sig, len));
        assert_false(verify(key, 0, "", NULL, -1, digest + 1, 48, sig, len));
        OPENSSL_free(sig);
    }
}

static void signs_messages(void **state)
{
    EVP_PKEY *key = test_key(ctx, "ED25519");
    struct mesh_private_op op = sign_op(MESH_PAD_DEFAULT, "");
    unsigned char *sig, *large = OPENSSL_zalloc(1 << 20);
    size_t len;
    EVP_MD_CTX *v = EVP_MD_CTX_new();

    (void)state;
    expect_ok(ctx, operate(key, &op, message, sizeof(message), &sig, &len));
    assert_int_equal(len, 64);
    assert_int_equal(
        EVP_DigestVerifyInit_ex(v, NULL, NULL, ctx->libctx, NULL, key, NULL),
        1);
    assert_int_equal(EVP_DigestVerify(v, sig, len, message, sizeof(message)),
                     1);
    OPENSSL_free(sig);
    expect_ok(ctx, operate(key, &op, large, 1 << 20, &sig, &len));
    OPENSSL_free(sig);
    expect_ok(ctx, operate(key, &op, "", 0, &sig, &len));
    OPENSSL_free(sig);
    OPENSSL_free(large);
    EVP_MD_CTX_free(v);

    op = sign_op(MESH_PAD_DEFAULT, "SHA2-256");
    assert_false(operate(key, &op, digest, 32, &sig, &len));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED,
                 "with a key of type ED25519 takes no digest");
}

static size_t encrypt(EVP_PKEY *key, const OSSL_PARAM *params,
                      const unsigned char *in, size_t in_len,
                      unsigned char out[256])
{
    EVP_PKEY_CTX *e = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    size_t len = 256;

    assert_int_equal(EVP_PKEY_encrypt_init_ex(e, params), 1);
    assert_int_equal(EVP_PKEY_encrypt(e, out, &len, in, in_len), 1);
    EVP_PKEY_CTX_free(e);
    return len;
}

static void decrypts_oaep(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_OAEP};
    int mode = RSA_PKCS1_OAEP_PADDING;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
                                         (char *)"SHA2-512", 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST,
                                         (char *)"SHA1", 0),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                          (void *)"label", 5),
        OSSL_PARAM_construct_end(),
    };
    unsigned char sealed[256], *out;
    size_t len = encrypt(key, params, message, sizeof(message), sealed);

    (void)state;
    strcpy(op.digest, "SHA2-512");
    strcpy(op.mgf1_digest, "SHA1");
    op.label = (const unsigned char *)"label";
    op.label_len = 5;
    expect_ok(ctx, operate(key, &op, sealed, len, &out, &len));
    assert_int_equal(len, sizeof(message));
    assert_memory_equal(out, message, len);
    OPENSSL_free(out);

    op.label = (const unsigned char *)"LABEL";
    assert_false(operate(key, &op, sealed, 256, &out, &len));
    expect_error(ctx, MESH_R_OPERATION_FAILED,
                 "the data cannot be decrypted with this key");
    /* the digest that is the default */
    len = encrypt(key, (OSSL_PARAM[]){params[0], OSSL_PARAM_construct_end()},
                  message, sizeof(message), sealed);
    op = (struct mesh_private_op){.operation = MESH_OP_DECRYPT,
                                  .padding = MESH_PAD_OAEP};
    expect_ok(ctx, operate(key, &op, sealed, len, &out, &len));
    assert_memory_equal(out, message, sizeof(message));
    OPENSSL_free(out);
}

/* Every way in which a decryption can fail must look the same. */
static void decryption_is_no_oracle(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    static const enum mesh_padding paddings[] = {MESH_PAD_OAEP, MESH_PAD_NONE,
                                                 MESH_PAD_PKCS1};
    static const size_t lengths[] = {1, 255, 256, 257};
    unsigned char bad[257], *out;
    size_t len;

    (void)state;
    memset(bad, 0xff, sizeof(bad)); /* larger than any modulus */
    for (size_t p = 0; p < 3; p++)
        /* raw, what is shorter than the modulus is just a small number */
        for (size_t l = paddings[p] == MESH_PAD_NONE ? 2 : 0; l < 4; l++) {
            struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                         .padding = paddings[p]};

            assert_false(operate(key, &op, bad, lengths[l], &out, &len));
            assert_non_null(strstr(capture.text, "the data cannot be "
                                                 "decrypted with this key"));
            expect_error(ctx, MESH_R_OPERATION_FAILED, "");
            assert_null(out);
            assert_int_equal(ERR_peek_error(), 0);
        }
}

static void decrypts_pkcs1(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1,
                                 .implicit_rejection = 1};
    int mode = RSA_PKCS1_PADDING;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &mode),
        OSSL_PARAM_construct_end(),
    };
    unsigned char sealed[256], *out;
    size_t len = encrypt(key, params, message, sizeof(message), sealed);

    (void)state;
    expect_ok(ctx, operate(key, &op, sealed, len, &out, &len));
    assert_int_equal(len, sizeof(message));
    assert_memory_equal(out, message, len);
    OPENSSL_free(out);
}

static void decrypts_tls_premaster(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1_TLS,
                                 .tls_client_version = 0x303,
                                 .tls_negotiated_version = 0x303};
    unsigned char premaster[48] = {3, 3, 9}, sealed[256], *out, *again;
    int mode = RSA_PKCS1_PADDING;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &mode),
        OSSL_PARAM_construct_end(),
    };
    size_t len;

    (void)state;
    encrypt(key, params, premaster, sizeof(premaster), sealed);
    expect_ok(ctx, operate(key, &op, sealed, 256, &out, &len));
    assert_int_equal(len, 48);
    assert_memory_equal(out, premaster, 48);
    OPENSSL_free(out);
    /* what is wrong gives random octets, not an error (RFC 5246, 7.4.7.1) */
    premaster[1] = 2;
    encrypt(key, params, premaster, sizeof(premaster), sealed);
    for (int i = 0; i < 2; i++) {
        expect_ok(ctx, operate(key, &op, sealed, 256, &out, &len));
        assert_int_equal(len, 48);
        expect_ok(ctx, operate(key, &op, sealed, 256, &again, &len));
        assert_memory_not_equal(out, again, 48);
        OPENSSL_free(out);
        OPENSSL_free(again);
        encrypt(key, params, premaster, 20, sealed);
    }
}

static void derives(void **state)
{
    static const char *const names[] = {"P-256", "P-384", "P-521", "X25519"};
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char *der, *ours, theirs[66];
    size_t len, their_len;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        int is_x = strcmp(names[i], "X25519") == 0;
        EVP_PKEY *key, *peer;
        EVP_PKEY_CTX *d;
        int der_len;

        key = is_x ? EVP_PKEY_Q_keygen(ctx->libctx, NULL, names[i])
                   : EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", names[i]);
        peer = is_x ? EVP_PKEY_Q_keygen(ctx->libctx, NULL, names[i])
                    : EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", names[i]);
        der = NULL;
        der_len = i2d_PUBKEY(peer, &der);
        expect_ok(ctx, operate(key, &op, der, (size_t)der_len, &ours, &len));
        d = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, peer, NULL);
        their_len = sizeof(theirs);
        assert_int_equal(EVP_PKEY_derive_init(d), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(d, key), 1);
        assert_int_equal(EVP_PKEY_derive(d, theirs, &their_len), 1);
        assert_int_equal(len, their_len);
        assert_memory_equal(ours, theirs, len);
        EVP_PKEY_CTX_free(d);
        OPENSSL_free(ours);
        /* another curve's key, and what is no key */
        assert_false(operate(test_key(ctx, i == 1 ? "P-256" : "P-384"), &op,
                             der, (size_t)der_len, &ours, &len));
        expect_error(ctx, MESH_R_OPERATION_FAILED,
                     is_x ? "of type X25519, not EC" : names[i]);
        assert_false(operate(key, &op, der, (size_t)der_len - 1, &ours, &len));
        expect_error(ctx, MESH_R_KEY_MALFORMED, "SubjectPublicKeyInfo");
        OPENSSL_free(der);
        EVP_PKEY_free(key);
        EVP_PKEY_free(peer);
    }
}

/* A point that is not on the curve gives the private key away, bit by bit. */
static void derives_on_the_curve_alone(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    EVP_PKEY *key = test_key(ctx, "P-256");
    unsigned char *der = NULL, *out;
    int der_len = i2d_PUBKEY(key, &der);
    size_t len;

    (void)state;
    /* no key is needed to see that it is none */
    expect_ok(ctx, mesh_operate_check(ctx, &op, der, (size_t)der_len));
    assert_false(mesh_operate_check(ctx, &op, der, (size_t)der_len - 1));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "SubjectPublicKeyInfo");
    der[der_len - 1] ^= 1;
    assert_false(operate(key, &op, der, (size_t)der_len, &out, &len));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "SubjectPublicKeyInfo");
    OPENSSL_free(der);
}

#define SIGN_RSA .operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1
#define SIGN_PSS .operation = MESH_OP_SIGN, .padding = MESH_PAD_PSS
#define DECRYPT  .operation = MESH_OP_DECRYPT

/* Refused by the parameters alone, before any key is asked for. */
static void refuses_by_name(void **state)
{
    static const struct {
        struct mesh_private_op op;
        size_t in_len;
        const char *text;
    } cases[] = {
        {{.operation = 0}, 32, "operation 0"},
        {{.operation = MESH_OP_DECAPSULATE, .padding = MESH_PAD_PKCS1},
         32,
         "operation 4"},
        {{.operation = MESH_OP_DECAPSULATE}, 0, "needs input"},
        {{.operation = MESH_OP_DECAPSULATE, .digest = "SHA1"}, 32, "no digest"},
        {{.operation = MESH_OP_DECAPSULATE, .variant = "FOO"},
         32,
         "has no variants"},
        {{SIGN_RSA, .variant = "Ed25519ph"}, 32, "has no variants"},
        {{SIGN_RSA, .deterministic = 1}, 32, "has no deterministic form"},
        {{SIGN_RSA, .encoded = 1}, 32, "takes no encoded messages"},
        {{SIGN_RSA, .label_len = 3}, 32, "takes no context string"},
        {{SIGN_RSA, .tls_client_version = 0x303}, 32, "takes no TLS version"},
        {{.operation = MESH_OP_DERIVE, .variant = "X"}, 44, "has no variants"},
        {{.operation = 77}, 32, "operation 77"},
        {{.operation = MESH_OP_SIGN, .padding = 99}, 32, "padding 99"},
        {{.operation = MESH_OP_SIGN, .padding = MESH_PAD_OAEP}, 32, "padding"},
        {{DECRYPT, .padding = MESH_PAD_PSS}, 256, "padding"},
        {{DECRYPT}, 256, "padding 0"},
        {{SIGN_RSA, .digest = "SHA99"}, 32, "\"SHA99\" is not a digest"},
        {{SIGN_RSA, .digest = "SHAKE-128"}, 16, "\"SHAKE-128\""},
        {{SIGN_RSA, .digest = "SHA2-256"}, 31, "the digest's length"},
        {{SIGN_RSA, .digest = "SHA2-256"}, 33, "the digest's length"},
        {{SIGN_RSA, .digest = "SHA2-256", .mgf1_digest = "SHA1"}, 32, "MGF1"},
        {{SIGN_RSA, .salt_length = 3}, 32, "salt"},
        {{SIGN_RSA}, 0, "needs input"},
        {{SIGN_RSA}, 8193, "of that length"},
        {{SIGN_PSS}, 32, "needs a digest"},
        {{SIGN_PSS, .digest = "SHA2-256", .salt_length = -1}, 32, "in octets"},
        {{SIGN_PSS, .digest = "SHA2-256", .mgf1_digest = "x"}, 32, "\"x\""},
        {{DECRYPT, .padding = MESH_PAD_PKCS1, .digest = "SHA1"},
         256,
         "takes no digest"},
        {{DECRYPT, .padding = MESH_PAD_OAEP, .label_len = 9000}, 256, "label"},
        {{DECRYPT, .padding = MESH_PAD_PKCS1_TLS}, 256, "TLS version"},
        {{.operation = MESH_OP_DERIVE, .digest = "SHA2-256"}, 91, "no digest"},
    };
    unsigned char in[8193] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op = cases[i].op;

        op.label = op.label_len != 0 ? in : NULL;
        assert_false(mesh_operate_check(ctx, &op, in, cases[i].in_len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, cases[i].text);
    }
}

/* Also of who did not check first. */
static void refuses_the_unknown(void **state)
{
    const struct mesh_private_op unknown[] = {
        {.operation = (enum mesh_operation)99},
        {.operation = MESH_OP_DERIVE, .padding = MESH_PAD_PSS},
        {.operation = MESH_OP_SIGN, .padding = (enum mesh_padding)99}};
    unsigned char *out = NULL;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        assert_false(mesh_operate(ctx, test_key(ctx, "P-256"), &unknown[i],
                                  digest, 32, &out, &len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "unknown operation");
        assert_null(out);
    }
}

static void refuses_by_key(void **state)
{
    static const struct {
        const char *key;
        struct mesh_private_op op;
        size_t in_len;
    } cases[] = {
        {"P-256", {SIGN_RSA}, 32},
        {"RSA-2048", {.operation = MESH_OP_SIGN}, 32},
        {"ED25519", {DECRYPT, .padding = MESH_PAD_OAEP}, 32},
    };
    unsigned char *out;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(operate(test_key(ctx, cases[i].key), &cases[i].op, digest,
                             cases[i].in_len, &out, &len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "with a key of type");
    }
}

static void generates_by_name(void **state)
{
    EVP_PKEY *key = NULL;

    (void)state;
    expect_ok(ctx, mesh_operate_generate(ctx, "p-256", &key));
    assert_true(EVP_PKEY_is_a(key, "EC"));
    EVP_PKEY_free(key);
    key = NULL;
    assert_false(mesh_operate_generate(ctx, "DSA-1024", &key));
    expect_error(ctx, MESH_R_USAGE, "'DSA-1024'; there are RSA-2048, ");
    assert_null(key);
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
        cmocka_unit_test(signs_pkcs1),
        cmocka_unit_test(signs_pss),
        cmocka_unit_test(signs_raw),
        cmocka_unit_test(signs_ecdsa),
        cmocka_unit_test(signs_messages),
        cmocka_unit_test(decrypts_oaep),
        cmocka_unit_test(decryption_is_no_oracle),
        cmocka_unit_test(decrypts_pkcs1),
        cmocka_unit_test(decrypts_tls_premaster),
        cmocka_unit_test(derives),
        cmocka_unit_test(derives_on_the_curve_alone),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(refuses_the_unknown),
        cmocka_unit_test(refuses_by_key),
        cmocka_unit_test(generates_by_name),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
