/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a key of the Keychain, against libcrypto's other half.
 */
#include "tests/macos/keychain_test.h"

static const unsigned char digest[] = "a digest of sixty-four octets, none "
                                      "of which is 0, not a single 1";
static const char message[] = "a message";
static EVP_PKEY *rsa;

static int setup_rsa(void **state)
{
    EVP_PKEY *public;

    if (setup(state))
        return -1;
    if (rsa == NULL)
        rsa = software_key("RSA", "2048");
    expect_ok(ctx, import_key(rsa, &public));
    EVP_PKEY_free(public);
    return 0;
}

static struct mesh_private_op operation(enum mesh_operation kind,
                                        enum mesh_padding padding,
                                        const char *md, const char *mgf1)
{
    struct mesh_private_op op = {.operation = kind, .padding = padding};

    if (md != NULL)
        OPENSSL_strlcpy(op.digest, md, sizeof(op.digest));
    if (mgf1 != NULL)
        OPENSSL_strlcpy(op.mgf1_digest, mgf1, sizeof(op.mgf1_digest));
    return op;
}

/* The Keychain's own digests, others, TLS 1.0's pair, and none. */
static void signs_pkcs1(void **state)
{
    static const struct {
        const char *digest;
        size_t len;
    } cases[] = {
        {"SHA1", 20},     {"SHA2-224", 28}, {"SHA2-256", 32},
        {"SHA2-384", 48}, {"SHA2-512", 64}, {"SHA3-256", 32},
        {"MD5", 16},      {"MD5-SHA1", 36}, {NULL, 20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op =
            operation(MESH_OP_SIGN, MESH_PAD_PKCS1, cases[i].digest, NULL);

        expect_ok(ctx, operate(rsa, &op, digest, cases[i].len));
        assert_true(verifies(rsa, RSA_PKCS1_PADDING, cases[i].digest, NULL, 0,
                             digest, cases[i].len));
        out[3] ^= 1;
        assert_false(verifies(rsa, RSA_PKCS1_PADDING, cases[i].digest, NULL, 0,
                              digest, cases[i].len));
    }
}

static void signs_pss(void **state)
{
    static const struct {
        const char *digest, *mgf1;
        size_t len;
        int salt;
    } cases[] = {
        {"SHA1", NULL, 20, 20},      {"SHA2-224", NULL, 28, 28},
        {"SHA2-256", NULL, 32, 32},  {"SHA2-384", NULL, 48, 48},
        {"SHA2-512", NULL, 64, 64},  {"SHA2-256", "SHA256", 32, 32},
        {"SHA2-256", NULL, 32, 0},   {"SHA2-256", NULL, 32, 20},
        {"SHA2-256", NULL, 32, 222}, {"SHA2-256", "SHA1", 32, 32},
        {"SHA3-256", NULL, 32, 32},  {"SHA2-512", "SHA2-256", 64, 17},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op = operation(MESH_OP_SIGN, MESH_PAD_PSS,
                                              cases[i].digest, cases[i].mgf1);

        op.salt_length = cases[i].salt;
        expect_ok(ctx, operate(rsa, &op, digest, cases[i].len));
        assert_true(verifies(rsa, RSA_PKCS1_PSS_PADDING, cases[i].digest,
                             cases[i].mgf1, cases[i].salt, digest,
                             cases[i].len));
        out[3] ^= 1;
        assert_false(verifies(rsa, RSA_PKCS1_PSS_PADDING, cases[i].digest,
                              cases[i].mgf1, cases[i].salt, digest,
                              cases[i].len));
    }
}

/* A modulus of 8n + 1 bits has a block that begins with an octet 0. */
static void signs_pss_with_an_odd_modulus(void **state)
{
    static const char *const bits[] = {"1025", "1031", "1032"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mesh_private_op op =
            operation(MESH_OP_SIGN, MESH_PAD_PSS, "SHA2-256", "SHA1");
        EVP_PKEY *key = software_key("RSA", bits[i]), *public;

        expect_ok(ctx, import_key(key, &public));
        for (int n = 0; n < 8; n++) {
            op.salt_length = n;
            expect_ok(ctx, operate(key, &op, digest, 32));
            assert_true(verifies(key, RSA_PKCS1_PSS_PADDING, "SHA2-256", "SHA1",
                                 n, digest, 32));
        }
        EVP_PKEY_free(public);
        EVP_PKEY_free(key);
    }
}

static void signs_ecdsa(void **state)
{
    static const struct {
        const char *algorithm, *digest;
        size_t len;
    } cases[] = {
        {"P-256", "SHA2-256", 32}, {"P-256", "SHA2-512", 64},
        {"P-256", "SHA1", 20},     {"P-384", "SHA2-384", 48},
        {"P-384", "SHA2-512", 64}, {"P-521", "SHA2-512", 64},
        {"P-521", "SHA2-256", 32}, {"P-256", NULL, 40},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op =
            operation(MESH_OP_SIGN, MESH_PAD_DEFAULT, cases[i].digest, NULL);
        EVP_PKEY *key = generate(cases[i].algorithm);

        expect_ok(ctx, operate(key, &op, digest, cases[i].len));
        assert_true(
            verifies(key, 0, cases[i].digest, NULL, 0, digest, cases[i].len));
        out[out_len - 1] ^= 1;
        assert_false(
            verifies(key, 0, cases[i].digest, NULL, 0, digest, cases[i].len));
        EVP_PKEY_free(key);
    }
}

static void signs_raw(void **state)
{
    struct mesh_private_op op =
        operation(MESH_OP_SIGN, MESH_PAD_NONE, NULL, NULL);
    unsigned char block[256] = {0, 7, 1};

    (void)state;
    expect_ok(ctx, operate(rsa, &op, block, sizeof(block)));
    assert_int_equal(out_len, sizeof(block));
    assert_true(
        verifies(rsa, RSA_NO_PADDING, NULL, NULL, 0, block, sizeof(block)));
}

static void decrypts_oaep(void **state)
{
    static const struct {
        const char *digest, *mgf1, *label;
    } cases[] = {
        {NULL, NULL, NULL},         {"SHA1", NULL, NULL},
        {"SHA2-224", NULL, NULL},   {"SHA2-256", NULL, NULL},
        {"SHA2-384", NULL, NULL},   {"SHA2-512", NULL, NULL},
        {"SHA2-256", "SHA1", NULL}, {"SHA2-256", NULL, "a label"},
        {"SHA3-256", NULL, NULL},   {"SHA1", "SHA2-512", "x"},
    };
    unsigned char secret[OUT_MAX];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mesh_private_op op = operation(MESH_OP_DECRYPT, MESH_PAD_OAEP,
                                              cases[i].digest, cases[i].mgf1);

        op.label = (const unsigned char *)cases[i].label;
        op.label_len = cases[i].label != NULL ? strlen(cases[i].label) : 0;
        len =
            encrypt(rsa, RSA_PKCS1_OAEP_PADDING, cases[i].digest, cases[i].mgf1,
                    cases[i].label, message, sizeof(message), secret);
        expect_ok(ctx, operate(rsa, &op, secret, len));
        assert_int_equal(out_len, sizeof(message));
        assert_memory_equal(out, message, sizeof(message));
        secret[9] ^= 1;
        assert_false(operate(rsa, &op, secret, len));
        expect_error(ctx, MESH_R_OPERATION_FAILED,
                     "the data cannot be decrypted with this key");
    }
}

static void decrypts_pkcs1(void **state)
{
    struct mesh_private_op op =
        operation(MESH_OP_DECRYPT, MESH_PAD_PKCS1, NULL, NULL);
    unsigned char secret[OUT_MAX], first[OUT_MAX];
    size_t len = encrypt(rsa, RSA_PKCS1_PADDING, NULL, NULL, NULL, message,
                         sizeof(message), secret);
    size_t first_len;

    (void)state;
    for (op.implicit_rejection = 0; op.implicit_rejection < 2;
         op.implicit_rejection++) {
        expect_ok(ctx, operate(rsa, &op, secret, len));
        assert_int_equal(out_len, sizeof(message));
        assert_memory_equal(out, message, sizeof(message));
    }
    secret[9] ^= 1;
    op.implicit_rejection = 0;
    assert_false(operate(rsa, &op, secret, len));
    expect_error(ctx, MESH_R_OPERATION_FAILED,
                 "the data cannot be decrypted with this key");
    /* always the same, and not the message */
    op.implicit_rejection = 1;
    expect_ok(ctx, operate(rsa, &op, secret, len));
    first_len = out_len;
    memcpy(first, out, out_len);
    expect_ok(ctx, operate(rsa, &op, secret, len));
    assert_int_equal(out_len, first_len);
    assert_memory_equal(out, first, first_len);
    assert_true(out_len != sizeof(message)
                || memcmp(out, message, sizeof(message)) != 0);
}

static void decrypts_a_premaster_secret(void **state)
{
    struct mesh_private_op op =
        operation(MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, NULL, NULL);
    unsigned char premaster[48] = {3, 3, 7}, secret[OUT_MAX];
    size_t len = encrypt(rsa, RSA_PKCS1_PADDING, NULL, NULL, NULL, premaster,
                         sizeof(premaster), secret);

    (void)state;
    op.tls_client_version = op.tls_negotiated_version = 0x303;
    expect_ok(ctx, operate(rsa, &op, secret, len));
    assert_int_equal(out_len, sizeof(premaster));
    assert_memory_equal(out, premaster, sizeof(premaster));
    op.tls_client_version = op.tls_negotiated_version = 0x302;
    expect_ok(ctx, operate(rsa, &op, secret, len));
    assert_int_equal(out_len, sizeof(premaster));
    assert_memory_not_equal(out, premaster, sizeof(premaster));
}

static void decrypts_raw(void **state)
{
    static const struct {
        enum mesh_operation operation;
        enum mesh_padding padding;
    } cases[] = {{MESH_OP_DECRYPT, MESH_PAD_NONE},
                 {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT}};
    unsigned char block[256] = {0, 0, 0, 9}, secret[OUT_MAX];
    size_t len = encrypt(rsa, RSA_NO_PADDING, NULL, NULL, NULL, block,
                         sizeof(block), secret);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mesh_private_op op =
            operation(cases[i].operation, cases[i].padding, NULL, NULL);

        expect_ok(ctx, operate(rsa, &op, secret, len));
        assert_int_equal(out_len, sizeof(block));
        assert_memory_equal(out, block, sizeof(block));
    }
}

static void derives(void **state)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mesh_private_op op =
            operation(MESH_OP_DERIVE, MESH_PAD_DEFAULT, NULL, NULL);
        EVP_PKEY *key = generate(curves[i]);
        EVP_PKEY *peer = software_key("EC", curves[i]);
        EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new(peer, NULL);
        unsigned char *spki = NULL, secret[OUT_MAX];
        int spki_len = i2d_PUBKEY(peer, &spki);
        size_t len = sizeof(secret);

        expect_ok(ctx, operate(key, &op, spki, (size_t)spki_len));
        assert_int_equal(EVP_PKEY_derive_init(derive), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(derive, key), 1);
        assert_int_equal(EVP_PKEY_derive(derive, secret, &len), 1);
        assert_int_equal(out_len, len);
        assert_memory_equal(out, secret, len);
        EVP_PKEY_CTX_free(derive);
        OPENSSL_free(spki);
        EVP_PKEY_free(peer);
        EVP_PKEY_free(key);
    }
}

#define WITH_RSA(test)                                                         \
    cmocka_unit_test_setup_teardown(test, setup_rsa, teardown)
#define ALONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static int free_key(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RSA(signs_pkcs1),
        WITH_RSA(signs_pss),
        ALONE(signs_pss_with_an_odd_modulus),
        ALONE(signs_ecdsa),
        WITH_RSA(signs_raw),
        WITH_RSA(decrypts_oaep),
        WITH_RSA(decrypts_pkcs1),
        WITH_RSA(decrypts_a_premaster_secret),
        WITH_RSA(decrypts_raw),
        ALONE(derives),
    };

    return cmocka_run_group_tests(tests, NULL, free_key);
}
