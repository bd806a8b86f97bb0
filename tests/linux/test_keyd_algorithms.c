/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every algorithm signs, against plain libcrypto with the same key; and what
 * this libcrypto or this key cannot do is refused by its name.
 */
#include "platform/algorithm.h"
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

#define OUT_MAX 50000 /* SLH-DSA-SHA2-256f: 49 856 */

static const char message[] = "the message, longer than any digest that there "
                              "is: of sixty-four octets and more";

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

static size_t digest_of(const char *name, unsigned char digest[64])
{
    size_t len;

    assert_int_equal(EVP_Q_digest(ctx->libctx, name, NULL, message,
                                  sizeof(message), digest, &len),
                     1);
    return len;
}

static int is_one_shot(const struct mesh_algorithm *row)
{
    return (row->family
            & (MESH_FAMILY_ED25519 | MESH_FAMILY_ED448 | MESH_FAMILY_PQ_SIGN))
           != 0;
}

/* libcrypto's own verification of a whole message. */
static int verifies(EVP_PKEY *key, const char *digest, const OSSL_PARAM *params,
                    const void *in, size_t in_len, const unsigned char *sig,
                    size_t sig_len)
{
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    EVP_PKEY *public = public_half(key);
    int ok;

    assert_int_equal(EVP_DigestVerifyInit_ex(verify, NULL, digest, ctx->libctx,
                                             NULL, public, params),
                     1);
    ok = EVP_DigestVerify(verify, sig, sig_len, in, in_len) == 1;
    EVP_MD_CTX_free(verify);
    EVP_PKEY_free(public);
    return ok;
}

/* libcrypto's own signature of a whole message. */
static size_t signed_natively(EVP_PKEY *key, const char *digest,
                              const OSSL_PARAM *params, unsigned char *sig)
{
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    size_t len = OUT_MAX;

    assert_int_equal(EVP_DigestSignInit_ex(sign, NULL, digest, ctx->libctx,
                                           NULL, key, params),
                     1);
    assert_int_equal(EVP_DigestSign(sign, sig, &len,
                                    (const unsigned char *)message,
                                    sizeof(message)),
                     1);
    EVP_MD_CTX_free(sign);
    return len;
}

/* What a program would ask for to sign the message. */
static struct mesh_private_op sign_op(const struct mesh_algorithm *row,
                                      const char *digest)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN};

    if (row->family == MESH_FAMILY_RSA)
        op.padding = MESH_PAD_PKCS1;
    if (row->family == MESH_FAMILY_RSA_PSS)
        op.padding = MESH_PAD_PSS;
    if (!is_one_shot(row))
        strcpy(op.digest, digest);
    return op;
}

/* Signs by mesh-keyd's own code; libcrypto must take the signature, and no
 * other message with it. */
static void check_signature(const struct mesh_algorithm *row, EVP_PKEY *key,
                            const struct mesh_private_op *op,
                            const OSSL_PARAM *params)
{
    const char *name = op->digest[0] != '\0' ? op->digest : NULL;
    unsigned char digest[64], *sig;
    size_t digest_len = name != NULL ? digest_of(name, digest) : 0, len;
    int ok;

    if (is_one_shot(row))
        ok = operate(key, op, message, sizeof(message), &sig, &len);
    else
        ok = operate(key, op, digest, digest_len, &sig, &len);
    expect_ok(ctx, ok);
    assert_in_range(len, 1, EVP_PKEY_get_size(key));
    assert_true(
        verifies(key, name, params, message, sizeof(message), sig, len));
    assert_false(
        verifies(key, name, params, message, sizeof(message) - 1, sig, len));
    OPENSSL_free(sig);
}

static int is_slow(const struct mesh_algorithm *row)
{
    return row->bits > 2048 || strstr(row->name, "192s") != NULL
           || strstr(row->name, "256s") != NULL;
}

static void every_row_signs(void **state)
{
    static const char *const digests[] = {"SHA2-256", "SHA1", "SHA2-512",
                                          "SHA3-384", "SHA2-512/256"};
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct mesh_private_op op;

        if ((row->uses & MESH_USE_SIGN) == 0
            || !mesh_algorithm_available(ctx, row))
            continue;
        for (size_t d = 0; d < (is_one_shot(row) || is_slow(row) ? 1 : 5);
             d++) {
            op = sign_op(row, digests[d]);
            check_signature(row, test_key(ctx, row->name), &op, NULL);
        }
    }
}

/* The reverse: what libcrypto signs without random numbers is what mesh-keyd
 * signs. */
static void signatures_are_libcryptos_own(void **state)
{
    static const char *const names[] = {"RSA-2048", "ED25519", "ED448"};
    static unsigned char native[OUT_MAX];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct mesh_algorithm *row = mesh_algorithm_find(names[i]);
        struct mesh_private_op op = sign_op(row, "SHA2-384");
        EVP_PKEY *key = test_key(ctx, names[i]);
        unsigned char digest[64], *sig;
        size_t digest_len = digest_of("SHA2-384", digest), len;

        expect_ok(ctx,
                  is_one_shot(row)
                      ? operate(key, &op, message, sizeof(message), &sig, &len)
                      : operate(key, &op, digest, digest_len, &sig, &len));
        assert_int_equal(signed_natively(key,
                                         is_one_shot(row) ? NULL : "SHA2-384",
                                         NULL, native),
                         len);
        assert_memory_equal(sig, native, len);
        OPENSSL_free(sig);
    }
}

/* Of EdDSA, ML-DSA and SLH-DSA: all that there is besides the message, and what
 * the same is called by libcrypto. */
static const struct extra {
    const char *key;
    unsigned since; /* minor version of OpenSSL 3 */
    struct mesh_private_op op;
    const char *param; /* that libcrypto does not know before */
} extras[] = {
    {"ED25519", 2, {.variant = "Ed25519"}, "instance"},
    {"ED25519", 2, {.variant = "Ed25519ph"}, "instance"},
    {"ED25519", 2, {.variant = "ed25519PH", .label_len = 3}, "instance"},
    {"ED25519", 2, {.variant = "Ed25519ctx", .label_len = 255}, "instance"},
    {"ED448", 2, {.label_len = 7}, "context-string"},
    {"ED448", 2, {.variant = "Ed448", .label_len = 7}, "instance"},
    {"ED448", 2, {.variant = "Ed448ph", .label_len = 255}, "instance"},
    {"P-256", 2, {.digest = "SHA2-256", .deterministic = 1}, "nonce-type"},
    {"P-521", 2, {.digest = "SHA2-512", .deterministic = 1}, "nonce-type"},
    {"ML-DSA-44", 5, {.deterministic = 1}, "deterministic"},
    {"ML-DSA-65", 5, {.deterministic = 1, .label_len = 255}, ""},
    {"ML-DSA-87", 5, {.label_len = 1}, ""},
    {"SLH-DSA-SHA2-128f", 5, {.deterministic = 1}, ""},
    {"SLH-DSA-SHAKE-128f", 5, {.deterministic = 1, .label_len = 255}, ""},
    {"SLH-DSA-SHAKE-192f", 5, {.label_len = 9}, ""},
};

static void build_extra(const struct extra *extra, OSSL_PARAM params[4])
{
    static unsigned one = 1;
    const struct mesh_private_op *op = &extra->op;
    size_t n = 0;

    if (op->variant[0] != '\0')
        params[n++] = OSSL_PARAM_construct_utf8_string("instance",
                                                       (char *)op->variant, 0);
    if (op->label_len != 0)
        params[n++] = OSSL_PARAM_construct_octet_string(
            "context-string", (void *)op->label, op->label_len);
    if (op->deterministic != 0)
        params[n++] = OSSL_PARAM_construct_uint(
            op->digest[0] != '\0' ? "nonce-type" : "deterministic", &one);
    params[n] = OSSL_PARAM_construct_end();
}

static void signs_with_all_there_is(void **state)
{
    static unsigned char native[OUT_MAX], context[255] = {3, 1, 4};

    (void)state;
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        struct extra extra = extras[i];
        const struct mesh_algorithm *row = mesh_algorithm_find(extra.key);
        struct mesh_private_op *op = &extra.op;
        const char *name = op->digest[0] != '\0' ? op->digest : NULL;
        unsigned char digest[64], *sig;
        const void *in = name != NULL ? (const void *)digest : message;
        size_t in_len =
            name != NULL ? digest_of(name, digest) : sizeof(message);
        OSSL_PARAM params[4];
        size_t len;

        if (!mesh_algorithm_available(ctx, row))
            continue;
        op->operation = MESH_OP_SIGN;
        op->label = op->label_len != 0 ? context : NULL;
        if (!has_openssl(extra.since)) {
            assert_false(
                operate(test_key(ctx, extra.key), op, in, in_len, &sig, &len));
            assert_non_null(strstr(capture.text, extra.param));
            expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "libcrypto 3.");
            assert_null(sig);
            continue;
        }
        build_extra(&extra, params);
        check_signature(row, test_key(ctx, extra.key), op, params);
        if (op->deterministic == 0
            && !EVP_PKEY_is_a(test_key(ctx, extra.key), row->name))
            continue;
        if (op->deterministic == 0 && (row->family & MESH_FAMILY_PQ_SIGN) != 0)
            continue; /* random numbers */
        expect_ok(
            ctx, operate(test_key(ctx, extra.key), op, in, in_len, &sig, &len));
        assert_int_equal(
            signed_natively(test_key(ctx, extra.key), name, params, native),
            len);
        assert_memory_equal(sig, native, len);
        OPENSSL_free(sig);
    }
}

/* A message that the caller has put between the prefix and the context already
 * (FIPS 204, 5.2): its signature is that of the message itself. */
static void signs_encoded_messages(void **state)
{
    static const char *const names[] = {"ML-DSA-65", "SLH-DSA-SHA2-128f"};
    unsigned char encoded[2 + sizeof(message)] = {0, 0}, *sig;
    struct mesh_private_op op = {.operation = MESH_OP_SIGN, .encoded = 1};
    size_t len;

    (void)state;
    memcpy(encoded + 2, message, sizeof(message));
    for (size_t i = 0; i < 2; i++) {
        if (!mesh_algorithm_available(ctx, mesh_algorithm_find(names[i])))
            continue;
        expect_ok(ctx, operate(test_key(ctx, names[i]), &op, encoded,
                               sizeof(encoded), &sig, &len));
        assert_true(verifies(test_key(ctx, names[i]), NULL, NULL, message,
                             sizeof(message), sig, len));
        OPENSSL_free(sig);
    }
}

/* Larger than a message over the socket. */
static void signs_large_messages(void **state)
{
    static const char *const names[] = {"ED25519", "ED448", "ML-DSA-65",
                                        "SLH-DSA-SHA2-128f"};
    struct mesh_private_op op = {.operation = MESH_OP_SIGN};
    size_t large = 1 << 20, len;
    unsigned char *in = OPENSSL_zalloc(large), *sig;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t in_len = 0; in_len <= large; in_len += large) {
            if (!mesh_algorithm_available(ctx, mesh_algorithm_find(names[i])))
                continue;
            expect_ok(ctx, operate(test_key(ctx, names[i]), &op, in, in_len,
                                   &sig, &len));
            assert_true(verifies(test_key(ctx, names[i]), NULL, NULL, in,
                                 in_len, sig, len));
            OPENSSL_free(sig);
        }
    OPENSSL_free(in);
}

static EVP_PKEY *restricted_key(void)
{
    EVP_PKEY_CTX *make =
        EVP_PKEY_CTX_new_from_name(ctx->libctx, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    EVP_PKEY_keygen_init(make);
    assert_true(
        EVP_PKEY_CTX_set_rsa_keygen_bits(make, 2048) > 0
        && EVP_PKEY_CTX_set_rsa_pss_keygen_md_name(make, "SHA2-384", NULL) > 0
        && EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md_name(make, "SHA2-256") > 0
        && EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(make, 40) > 0
        && EVP_PKEY_generate(make, &key) == 1);
    EVP_PKEY_CTX_free(make);
    return key;
}

/* An RSA-PSS key does PSS alone, within its restrictions. */
static void restricted_keys_stay_so(void **state)
{
    static const struct {
        struct mesh_private_op op;
        size_t in_len;
        const char *text; /* NULL: it is done */
    } cases[] = {
        {{.padding = MESH_PAD_PSS,
          .digest = "SHA2-384",
          .mgf1_digest = "SHA2-256",
          .salt_length = 40},
         48,
         NULL},
        {{.padding = MESH_PAD_PSS,
          .digest = "SHA2-384",
          .mgf1_digest = "SHA2-256",
          .salt_length = 100},
         48,
         NULL},
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-384", .salt_length = 48},
         48,
         NULL}, /* its own MGF1 */
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-256", .salt_length = 40},
         32,
         "sign PSS: digest SHA2-256: digest not allowed"},
        {{.padding = MESH_PAD_PSS,
          .digest = "SHA2-384",
          .mgf1_digest = "SHA2-384",
          .salt_length = 40},
         48,
         "sign PSS: mgf1-digest SHA2-384: digest not allowed"},
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-384", .salt_length = 39},
         48,
         "sign PSS: saltlen: pss saltlen too small: Should be more than 40"},
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-384", .salt_length = 300},
         48,
         "data too large"},
        {{.padding = MESH_PAD_PKCS1, .digest = "SHA2-384"}, 48, "RSA-PSS"},
        {{.padding = MESH_PAD_NONE},
         256,
         "sign raw with a key of type RSA-PSS"},
        {{.operation = MESH_OP_DECRYPT, .padding = MESH_PAD_OAEP},
         256,
         "decrypt OAEP with a key of type RSA-PSS"},
        {{.operation = MESH_OP_DECAPSULATE, .variant = "RSASVE"},
         256,
         "decapsulate with a key of type RSA-PSS"},
    };
    EVP_PKEY *key = restricted_key();
    unsigned char *sig, digest[256] = {0};
    size_t len;

    (void)state;
    digest_of("SHA2-384", digest);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op = cases[i].op;
        const OSSL_PARAM salt[] = {
            OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &op.salt_length),
            OSSL_PARAM_END,
        };
        int ok;

        if (op.operation == 0)
            op.operation = MESH_OP_SIGN;
        ok = operate(key, &op, digest, cases[i].in_len, &sig, &len);
        if (cases[i].text == NULL) {
            expect_ok(ctx, ok);
            assert_true(verifies(key, "SHA2-384", salt, message,
                                 sizeof(message), sig, len));
            OPENSSL_free(sig);
        } else {
            assert_false(ok);
            expect_error(ctx, capture.reason, cases[i].text);
        }
    }
    EVP_PKEY_free(key);
}

static int to_der(EVP_PKEY *key, unsigned char der[512])
{
    int len = i2d_PUBKEY(key, &der);

    assert_in_range(len, 1, 512);
    return len;
}

/* What a key of the one type can, and one of the other cannot. */
static void refuses_by_the_keys_type(void **state)
{
    static const struct {
        const char *key;
        struct mesh_private_op op;
        size_t in_len;
        const char *text;
    } cases[] = {
        {"ED25519", {.digest = "SHA2-256"}, 32, "ED25519 takes no digest"},
        {"ED448", {.digest = "SHA2-256"}, 32, "ED448 takes no digest"},
        {"ED25519", {.deterministic = 1}, 9, "has no deterministic form"},
        {"ED25519", {.encoded = 1}, 9, "takes no encoded messages"},
        {"ED25519", {.variant = "Ed448ph"}, 9, "has no such variant"},
        {"ED448", {.variant = "Ed25519"}, 9, "has no such variant"},
        {"ED25519", {.label_len = 3}, 9, "ED25519 takes no context string"},
        {"ED25519",
         {.label_len = 3, .variant = "Ed25519"},
         9,
         "sign takes no context string"},
        {"ED25519", {.variant = "Ed25519ctx"}, 9, "needs a context string"},
        {"ED25519",
         {.label_len = 256, .variant = "Ed25519ctx"},
         9,
         "255 octets at most"},
        {"ED448", {.label_len = 256}, 9, "context string"},
        {"P-256",
         {.label_len = 3, .digest = "SHA1"},
         20,
         "takes no context string"},
        {"P-256", {.label_len = 3}, 32, "EC takes no context string"},
        {"P-256", {.variant = "Ed25519"}, 32, "EC has no variants"},
        {"P-256", {.encoded = 1}, 32, "EC takes no encoded messages"},
        {"X25519", {.label_len = 0}, 32, "sign with a key of type X25519"},
        {"X448",
         {.operation = MESH_OP_DECAPSULATE, .variant = "RSASVE"},
         56,
         "has no such variant"},
        {"RSA-2048", {.label_len = 0}, 32, "sign with a key of type RSA"},
        {"RSA-2048", {.operation = MESH_OP_DERIVE}, 0, ""},
        {"ML-DSA-44", {.digest = "SHA2-256"}, 32, "ML-DSA-44 takes no digest"},
        {"ML-DSA-44", {.variant = "Ed25519"}, 32, "ML-DSA-44 has no variants"},
        {"ML-DSA-44", {.label_len = 256}, 9, "context string"},
        {"ML-KEM-512", {.label_len = 0}, 32, "sign with a key of type ML-KEM"},
        {"ML-KEM-512", {.operation = MESH_OP_DERIVE}, 0, ""},
    };
    unsigned char in[256] = {1}, *out;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op = cases[i].op;

        if (!mesh_algorithm_available(ctx, mesh_algorithm_find(cases[i].key)))
            continue;
        if (op.operation == 0)
            op.operation = MESH_OP_SIGN;
        op.label = op.label_len != 0 ? in : NULL;
        if (op.operation == MESH_OP_DERIVE) {
            unsigned char der[512];
            int der_len = to_der(test_key(ctx, "X25519"), der);

            assert_false(operate(test_key(ctx, cases[i].key), &op, der,
                                 (size_t)der_len, &out, &len));
            expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED,
                         "derive with a key of type ");
            continue;
        }
        assert_false(operate(test_key(ctx, cases[i].key), &op, in,
                             cases[i].in_len, &out, &len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, cases[i].text);
        assert_null(out);
    }
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
        cmocka_unit_test(every_row_signs),
        cmocka_unit_test(signatures_are_libcryptos_own),
        cmocka_unit_test(signs_with_all_there_is),
        cmocka_unit_test(signs_encoded_messages),
        cmocka_unit_test(signs_large_messages),
        cmocka_unit_test(restricted_keys_stay_so),
        cmocka_unit_test(refuses_by_the_keys_type),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
