/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys in CNG, by the double of ncrypt.dll: what they do, what they refuse, and
 * what is left behind.
 */
#include "platform/pkcs1.h"
#include "tests/windows/keystore_keys.h"

static void every_algorithm_is_there(void **state)
{
    struct mesh_keystore_item *items;
    size_t count;

    (void)state;
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        struct mesh_key_name name = name_of(keys[i]);
        size_t at = 0;

        assert_int_equal(holds(keys[i]), 1);
        while (at < count && strcmp(items[at].name.udf, name.udf) != 0)
            at++;
        assert_true(at < count);
        assert_string_equal(items[at].algorithm, algorithms[i]);
        assert_string_equal(items[at].source, "cng");
        assert_memory_equal(items[at].name.spki_sha256, name.spki_sha256, 32);
    }
    OPENSSL_free(items);
    expect_clean();
}

static void signs_pkcs1(void **state)
{
    static const struct {
        const char *digest;
        size_t len;
    } rows[] = {{"SHA2-256", 32}, {"SHA2-384", 48}, {"SHA2-512", 64},
                {"SHA1", 20},     {"SHA2-224", 28}, {"SHA3-256", 32},
                {"MD5-SHA1", 36}, {NULL, 17},       {NULL, 36}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                     .padding = MESH_PAD_PKCS1};

        if (rows[i].digest != NULL)
            OPENSSL_strlcpy(op.digest, rows[i].digest, sizeof(op.digest));
        expect_ok(ctx, operate(rsa, &op, input, rows[i].len));
        assert_int_equal(out_len, 256);
        assert_true(verifies(rsa, RSA_PKCS1_PADDING, rows[i].digest, 0, input,
                             rows[i].len));
        assert_false(verifies(rsa, RSA_PKCS1_PADDING, rows[i].digest, 0,
                              input + 1, rows[i].len));
    }
    expect_clean();
}

static void signs_pss(void **state)
{
    static const int salts[] = {0, 20, 32, 222};
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_PSS,
                                 .digest = "SHA2-256"};

    (void)state;
    for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
        op.salt_length = salts[i];
        expect_ok(ctx, operate(rsa, &op, input, 32));
        assert_true(verifies(rsa, RSA_PKCS1_PSS_PADDING, "SHA2-256", salts[i],
                             input, 32));
    }
    strcpy(op.mgf1_digest, "SHA256");
    expect_ok(ctx, operate(rsa, &op, input, 32));
}

static void signs_raw(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_NONE};
    unsigned char number[256] = {0, 1, 2, 3};

    (void)state;
    expect_ok(ctx, operate(rsa, &op, number, sizeof(number)));
    assert_true(verifies(rsa, RSA_NO_PADDING, NULL, 0, number, 256));
    assert_false(operate(rsa, &op, number, 255));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "the key's length");
}

static void signs_ecdsa(void **state)
{
    static const struct {
        const char *digest;
        size_t len;
    } rows[] = {{"SHA2-256", 32}, {"SHA2-512", 64}, {"SHA1", 20}, {NULL, 40}};

    (void)state;
    for (size_t k = 2; k < KEYS; k++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct mesh_private_op op = {.operation = MESH_OP_SIGN};

            if (rows[i].digest != NULL)
                OPENSSL_strlcpy(op.digest, rows[i].digest, sizeof(op.digest));
            expect_ok(ctx, operate(keys[k], &op, input, rows[i].len));
            assert_true(
                verifies(keys[k], 0, rows[i].digest, 0, input, rows[i].len));
            assert_false(verifies(keys[k], 0, rows[i].digest, 0, input + 1,
                                  rows[i].len));
        }
}

static void decrypts(void **state)
{
    static const struct {
        enum mesh_padding padding;
        int native;
        const char *digest, *label;
        unsigned rejection;
    } rows[] = {
        {MESH_PAD_PKCS1, RSA_PKCS1_PADDING, NULL, NULL, 0},
        {MESH_PAD_PKCS1, RSA_PKCS1_PADDING, NULL, NULL, 1},
        {MESH_PAD_OAEP, RSA_PKCS1_OAEP_PADDING, NULL, NULL, 1},
        {MESH_PAD_OAEP, RSA_PKCS1_OAEP_PADDING, "SHA2-256", NULL, 1},
        {MESH_PAD_OAEP, RSA_PKCS1_OAEP_PADDING, "SHA2-512", "label", 1},
    };
    unsigned char cipher[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mesh_private_op op = {.operation = MESH_OP_DECRYPT};
        size_t len = encrypt(rsa, rows[i].native, rows[i].digest, rows[i].label,
                             input, 40, cipher, sizeof(cipher));

        op.padding = rows[i].padding;
        op.implicit_rejection = rows[i].rejection;
        if (rows[i].digest != NULL)
            OPENSSL_strlcpy(op.digest, rows[i].digest, sizeof(op.digest));
        op.label = (const unsigned char *)rows[i].label;
        op.label_len = rows[i].label != NULL ? strlen(rows[i].label) : 0;
        expect_ok(ctx, operate(rsa, &op, cipher, len));
        assert_int_equal(out_len, 40);
        assert_memory_equal(out, input, 40);
        if (op.padding == MESH_PAD_OAEP || !op.implicit_rejection) {
            cipher[100] ^= 1;
            assert_false(operate(rsa, &op, cipher, len));
            expect_error(ctx, MESH_R_OPERATION_FAILED, "cannot be decrypted");
        }
    }
    expect_clean();
}

/* A wrong padding gives the same wrong message each time. */
static void rejects_implicitly(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1,
                                 .implicit_rejection = 1};
    unsigned char cipher[256] = {0, 7}, first[256];
    size_t first_len, lengths = 0;

    (void)state;
    for (unsigned char i = 0; i < 8; i++) {
        cipher[9] = i;
        expect_ok(ctx, operate(rsa, &op, cipher, sizeof(cipher)));
        first_len = out_len;
        lengths += out_len;
        memcpy(first, out, out_len);
        expect_ok(ctx, operate(rsa, &op, cipher, sizeof(cipher)));
        assert_int_equal(out_len, first_len);
        assert_memory_equal(out, first, first_len);
    }
    assert_true(lengths > 0 && lengths != 8 * first_len);
}

static void decrypts_tls(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1_TLS,
                                 .tls_client_version = 0x0303};
    unsigned char secret[MESH_TLS_SECRET] = {3, 3, 1}, cipher[256], first[48];
    size_t len = encrypt(rsa, RSA_PKCS1_PADDING, NULL, NULL, secret,
                         sizeof(secret), cipher, sizeof(cipher));

    (void)state;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_int_equal(out_len, MESH_TLS_SECRET);
    assert_memory_equal(out, secret, sizeof(secret));
    op.tls_client_version = 0x0302;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_memory_not_equal(out, secret, sizeof(secret));
    op.tls_negotiated_version = 0x0303;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_memory_equal(out, secret, sizeof(secret));
    cipher[50] ^= 1;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_int_equal(out_len, MESH_TLS_SECRET);
    memcpy(first, out, sizeof(first));
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_memory_not_equal(out, first, sizeof(first));
}

static void decapsulates(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECAPSULATE,
                                 .variant = "RSASVE"};
    EVP_PKEY_CTX *kem = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, rsa, NULL);
    unsigned char cipher[256], secret[256];
    size_t len = sizeof(cipher), secret_len = sizeof(secret);

    (void)state;
    assert_int_equal(EVP_PKEY_encapsulate_init(kem, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_kem_op(kem, "RSASVE"), 1);
    assert_int_equal(
        EVP_PKEY_encapsulate(kem, cipher, &len, secret, &secret_len), 1);
    EVP_PKEY_CTX_free(kem);
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_int_equal(out_len, secret_len);
    assert_memory_equal(out, secret, secret_len);
}

static void derives(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};

    (void)state;
    for (size_t k = 2; k < KEYS; k++) {
        EVP_PKEY *peer =
            EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", algorithms[k]);
        EVP_PKEY_CTX *derive =
            EVP_PKEY_CTX_new_from_pkey(ctx->libctx, peer, NULL);
        unsigned char *der = NULL, secret[66];
        size_t len = sizeof(secret);
        int der_len = i2d_PUBKEY(peer, &der);

        assert_int_equal(EVP_PKEY_derive_init(derive), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(derive, keys[k]), 1);
        assert_int_equal(EVP_PKEY_derive(derive, secret, &len), 1);
        expect_ok(ctx, operate(keys[k], &op, der, (size_t)der_len));
        assert_int_equal(out_len, len);
        assert_memory_equal(out, secret, len);
        assert_false(operate(keys[k == 2 ? 3 : 2], &op, der, (size_t)der_len));
        expect_error(ctx, MESH_R_KEY_MALFORMED, "same curve");
        OPENSSL_free(der);
        EVP_PKEY_CTX_free(derive);
        EVP_PKEY_free(peer);
    }
    assert_false(operate(p256, &op, "no key", 6));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "peer");
    expect_clean();
}

/* What Windows does not have is refused by name, before the key is used. */
static void refuses_by_name(void **state)
{
    static const struct {
        int is_ec;
        struct mesh_private_op op;
        size_t in_len;
        const char *text;
    } rows[] = {
        {0,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PSS,
          .digest = "SHA2-256",
          .mgf1_digest = "SHA1"},
         32,
         "MGF1"},
        {0,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PSS,
          .digest = "SHA2-224"},
         28,
         "does not have the digest"},
        {0,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PKCS1,
          .digest = "no-such"},
         32,
         "not a digest"},
        {0,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PKCS1,
          .digest = "SHA2-256"},
         31,
         "the digest's length"},
        {0,
         {.operation = MESH_OP_DECRYPT,
          .padding = MESH_PAD_OAEP,
          .digest = "SHA2-256",
          .mgf1_digest = "SHA2-512"},
         32,
         "MGF1"},
        {0, {.operation = MESH_OP_DERIVE}, 32, "cannot do this"},
        {1,
         {.operation = MESH_OP_SIGN, .digest = "SHA2-256", .deterministic = 1},
         32,
         "deterministic"},
        {1, {.operation = MESH_OP_DECAPSULATE}, 65, "Windows cannot"},
        {1,
         {.operation = MESH_OP_DECRYPT, .padding = MESH_PAD_PKCS1},
         32,
         "cannot do this"},
        {1, {.operation = MESH_OP_SIGN, .variant = "Ed25519ph"}, 32, "variant"},
    };
    unsigned used = logged("NCryptSignHash") + logged("NCryptDecrypt")
                    + logged("NCryptSecretAgreement");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(operate(rows[i].is_ec ? p256 : rsa, &rows[i].op, input,
                             rows[i].in_len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, rows[i].text);
    }
    assert_int_equal(logged("NCryptSignHash") + logged("NCryptDecrypt")
                         + logged("NCryptSecretAgreement"),
                     used);
    expect_clean();
}

static void makes_no_other_keys(void **state)
{
    static const char *const names[] = {"ED25519", "X25519", "secp256k1",
                                        "RSA-PSS-2048"};
    unsigned opened = logged("NCryptOpenStorageProvider");
    EVP_PKEY *key;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(mesh_keystore_generate(ctx, names[i], &key));
        assert_null(key);
        expect_error(ctx, MESH_R_ALGORITHM, "Windows key store");
    }
    assert_int_equal(logged("NCryptOpenStorageProvider"), opened);
}

static void other_functions(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_PKCS1,
                                 .digest = "SHA2-256"};
    struct mesh_key_name name = name_of(rsa);
    struct mesh_keystore_status status;
    EVP_PKEY *key;

    (void)state;
    expect_ok(ctx, mesh_keystore_status(ctx, &status));
    assert_string_equal(status.program, "Windows key store (CNG)");
    expect_ok(ctx, mesh_keystore_lock(ctx));
    assert_false(
        mesh_keystore_register_file(ctx, "C:\\key.pem", NULL, NULL, 0, &key));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "import it");
    out_len = 255;
    assert_false(
        mesh_keystore_operate(ctx, &name, &op, input, 32, out, &out_len));
    expect_error(ctx, MESH_R_BUFFER_TOO_SMALL, "256 octets");
}

static void deletes(void **state)
{
    struct mesh_key_name name = name_of(keys[4]);
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};

    (void)state;
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    assert_int_equal(holds(keys[4]), 0);
    assert_false(operate(keys[4], &op, input, 32));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
    expect_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_there),
        cmocka_unit_test(signs_pkcs1),
        cmocka_unit_test(signs_pss),
        cmocka_unit_test(signs_raw),
        cmocka_unit_test(signs_ecdsa),
        cmocka_unit_test(decrypts),
        cmocka_unit_test(rejects_implicitly),
        cmocka_unit_test(decrypts_tls),
        cmocka_unit_test(decapsulates),
        cmocka_unit_test(derives),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(makes_no_other_keys),
        cmocka_unit_test(other_functions),
        cmocka_unit_test(deletes),
    };

    return cmocka_run_group_tests(tests, setup_keys, teardown_keys);
}
