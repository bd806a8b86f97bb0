/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys that come into CNG and into the TPM, by the double of ncrypt.dll, and
 * whom they ask.
 */
#include "platform/pkcs1.h"
#include "platform/windows/cng.h"
#include "tests/windows/keystore_keys.h"

static void imports(void **state)
{
    EVP_PKEY *made[2], *public;
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};

    (void)state;
    made[0] = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "RSA", (size_t)2048);
    made[1] = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-384");
    for (size_t i = 0; i < 2; i++) {
        struct mesh_key_name name = name_of(made[i]);
        unsigned char *der;
        int len = to_pkcs8(made[i], &der);

        expect_ok(ctx, mesh_keystore_import(ctx, der, (size_t)len, &public));
        assert_int_equal(EVP_PKEY_eq(public, made[i]), 1);
        EVP_PKEY_free(public);
        op.padding = i == 0 ? MESH_PAD_PKCS1 : MESH_PAD_DEFAULT;
        expect_ok(ctx, operate(made[i], &op, input, 32));
        assert_true(verifies(made[i], i == 0 ? RSA_PKCS1_PADDING : 0,
                             "SHA2-256", 0, input, 32));
        assert_false(mesh_keystore_import(ctx, der, (size_t)len, &public));
        expect_error(ctx, MESH_R_KEY_EXISTS, "already");
        assert_null(public);
        assert_false(mesh_keystore_import(ctx, der, (size_t)len - 1, &public));
        expect_error(ctx, MESH_R_KEY_MALFORMED, "PKCS#8");
        expect_ok(ctx, mesh_keystore_delete(ctx, &name));
        assert_int_equal(holds(made[i]), 0);
        assert_false(mesh_keystore_delete(ctx, &name));
        expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
        OPENSSL_clear_free(der, (size_t)len);
        EVP_PKEY_free(made[i]);
    }
    made[0] = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "ED25519");
    assert_int_equal(holds(made[0]), 0);
    {
        unsigned char *der;
        int len = to_pkcs8(made[0], &der);

        assert_false(mesh_keystore_import(ctx, der, (size_t)len, &public));
        expect_error(ctx, MESH_R_ALGORITHM, "Windows key store");
        OPENSSL_clear_free(der, (size_t)len);
    }
    EVP_PKEY_free(made[0]);
    expect_clean();
}

/* The private half of one key with the public half of another would be found
 * under the other's name. */
static void import_of_two_halves(void **state)
{
    EVP_PKEY *one = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256"),
             *other = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256"),
             *public;
    unsigned char *der, *point, *found = NULL;
    size_t size = EVP_PKEY_get1_encoded_public_key(one, &point);
    int len = to_pkcs8(one, &der);

    (void)state;
    for (int i = 0; i + (int)size <= len && found == NULL; i++)
        if (memcmp(der + i, point, size) == 0)
            found = der + i;
    assert_non_null(found);
    OPENSSL_free(point);
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(other, &point), size);
    memcpy(found, point, size);
    assert_false(mesh_keystore_import(ctx, der, (size_t)len, &public));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "public half");
    assert_null(public);
    assert_int_equal(holds(one), 0);
    assert_int_equal(holds(other), 0);
    OPENSSL_free(point);
    OPENSSL_clear_free(der, (size_t)len);
    EVP_PKEY_free(one);
    EVP_PKEY_free(other);
    expect_clean();
}

/* Makes a key of CNG under a name, past our own functions. */
static void make_named(const wchar_t *name, DWORD ui_flags)
{
    NCRYPT_UI_POLICY ui = {1, ui_flags, NULL, NULL, NULL};
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;

    assert_int_equal(
        NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0), 0);
    assert_int_equal(NCryptCreatePersistedKey(provider, &key,
                                              BCRYPT_ECDH_P256_ALGORITHM, name,
                                              0, NCRYPT_OVERWRITE_KEY_FLAG),
                     0);
    if (ui_flags != 0)
        assert_int_equal(NCryptSetProperty(key, NCRYPT_UI_POLICY_PROPERTY,
                                           (PBYTE)&ui, sizeof(ui), 0),
                         0);
    assert_int_equal(NCryptFinalizeKey(key, 0), 0);
    NCryptFreeObject(key);
    NCryptFreeObject(provider);
}

static void another_key_is_none(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};
    EVP_PKEY *absent = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");
    struct mesh_key_name name = name_of(absent);
    struct mesh_keystore_item *items;
    wchar_t wide[MESH_KEY_NAME_MAX];
    size_t count;
    int held;

    (void)state;
    assert_int_equal(holds(absent), 0);
    mesh_source_name(name.udf, wide);
    make_named(wide, 0);
    assert_false(mesh_keystore_holds(ctx, &name, &held));
    expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
    assert_false(operate(absent, &op, input, 32));
    expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
    assert_false(mesh_keystore_delete(ctx, &name));
    expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, KEYS);
    OPENSSL_free(items);
    EVP_PKEY_free(absent);
    expect_clean();
}

/* The public half of a key of CNG. */
static EVP_PKEY *public_of(const wchar_t *name)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;
    EVP_PKEY *public;

    assert_int_equal(
        NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0), 0);
    assert_int_equal(NCryptOpenKey(provider, &key, name, 0, 0), 0);
    assert_int_equal(mesh_cng_public(ctx, key, &public), 0);
    NCryptFreeObject(key);
    NCryptFreeObject(provider);
    return public;
}

/* Nobody is asked but for a use, and then only if the configuration allows. */
static void prompts(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};
    struct mesh_key_name name;
    EVP_PKEY *key;

    (void)state;
    make_named(MESH_MADE_PREFIX L"asks", NCRYPT_UI_PROTECT_KEY_FLAG);
    key = public_of(MESH_MADE_PREFIX L"asks");
    name = name_of(key);
    set("NCRYPT_DOUBLE_PROMPT", "cancel");
    assert_int_equal(holds(key), 1);
    assert_false(operate(key, &op, input, 32));
    expect_error(ctx, MESH_R_PROMPT_DISMISSED, "refused by the user");
    ctx->config.prompt = MESH_PROMPT_NEVER;
    assert_false(operate(key, &op, input, 32));
    expect_error(ctx, MESH_R_LOCKED, "prompt = at-use");
    assert_false(mesh_keystore_delete(ctx, &name));
    expect_error(ctx, MESH_R_LOCKED, "prompt = at-use");
    ctx->config.prompt = MESH_PROMPT_AT_USE;
    set("NCRYPT_DOUBLE_PROMPT", NULL);
    expect_ok(ctx, operate(key, &op, input, 32));
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    EVP_PKEY_free(key);
    expect_clean();
}

static void tpm(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_PSS,
                                 .digest = "SHA2-256",
                                 .salt_length = 20};
    unsigned char cipher[256], secret[MESH_TLS_SECRET] = {3, 3, 1};
    struct mesh_keystore_item *items;
    struct mesh_key_name name;
    EVP_PKEY *key;
    size_t count, len;

    (void)state;
    ctx->config.keystore = "tpm";
    assert_false(mesh_keystore_generate(ctx, "RSA-2048", &key));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "TPM");
    assert_null(key);
    set("NCRYPT_DOUBLE_TPM", "1");
    assert_int_equal(holds(rsa), 0);
    expect_ok(ctx, mesh_keystore_generate(ctx, "RSA-2048", &key));
    name = name_of(key);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 1);
    assert_string_equal(items[0].source, "tpm");
    OPENSSL_free(items);
    ctx->config.keystore = NULL;
    assert_int_equal(holds(key), 1);
    assert_false(operate(key, &op, input, 32));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "0x40290423");
    op.salt_length = 32;
    expect_ok(ctx, operate(key, &op, input, 32));
    assert_true(
        verifies(key, RSA_PKCS1_PSS_PADDING, "SHA2-256", 32, input, 32));
    /* no raw RSA there */
    len = encrypt(key, RSA_PKCS1_PADDING, NULL, NULL, secret, sizeof(secret),
                  cipher, sizeof(cipher));
    op = (struct mesh_private_op){.operation = MESH_OP_DECRYPT,
                                  .padding = MESH_PAD_PKCS1_TLS,
                                  .tls_client_version = 0x0303};
    expect_ok(ctx, operate(key, &op, cipher, len));
    assert_memory_equal(out, secret, sizeof(secret));
    cipher[9] ^= 1;
    expect_ok(ctx, operate(key, &op, cipher, len));
    assert_int_equal(out_len, sizeof(secret));
    assert_memory_not_equal(out, secret, sizeof(secret));
    op = (struct mesh_private_op){.operation = MESH_OP_DECRYPT,
                                  .padding = MESH_PAD_PKCS1,
                                  .implicit_rejection = 1};
    assert_false(operate(key, &op, cipher, len));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "cannot be decrypted");
    cipher[9] ^= 1;
    expect_ok(ctx, operate(key, &op, cipher, len));
    assert_int_equal(out_len, sizeof(secret));
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    set("NCRYPT_DOUBLE_TPM", NULL);
    EVP_PKEY_free(key);
    expect_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports),
        cmocka_unit_test(import_of_two_halves),
        cmocka_unit_test(another_key_is_none),
        cmocka_unit_test(prompts),
        cmocka_unit_test(tpm),
    };

    return cmocka_run_group_tests(tests, setup_keys, teardown_keys);
}
