/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CNG fails, by the double of ncrypt.dll: each error says so, and nothing stays
 * open.
 */
#include "platform/windows/status.h"
#include "tests/windows/keystore_keys.h"

static int do_holds(void)
{
    struct mesh_key_name name = name_of(p256);
    int held;

    return mesh_keystore_holds(ctx, &name, &held);
}

static int do_sign(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};

    return operate(p256, &op, input, 32);
}

static int do_sign_rsa(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_PKCS1,
                                 .digest = "SHA2-256"};

    return operate(rsa, &op, input, 32);
}

static int do_decrypt(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1,
                                 .implicit_rejection = 1};
    unsigned char cipher[256] = {0, 1};

    return operate(rsa, &op, cipher, sizeof(cipher));
}

static int do_tls(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1_TLS,
                                 .tls_client_version = 0x0303};
    unsigned char cipher[256] = {0, 1};

    return operate(rsa, &op, cipher, sizeof(cipher));
}

static int do_derive(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(p256, &der), ok;

    ok = operate(p256, &op, der, (size_t)len);
    OPENSSL_free(der);
    return ok;
}

static int do_generate(void)
{
    EVP_PKEY *key;
    int ok = mesh_keystore_generate(ctx, "RSA-2048", &key);

    assert_true(ok == (key != NULL));
    EVP_PKEY_free(key);
    return ok;
}

static int do_import(void)
{
    EVP_PKEY *made = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");
    EVP_PKEY *public;
    unsigned char *der;
    int len = to_pkcs8(made, &der), ok;

    ok = mesh_keystore_import(ctx, der, (size_t)len, &public);
    assert_true(ok == (public != NULL));
    OPENSSL_clear_free(der, (size_t)len);
    EVP_PKEY_free(public);
    EVP_PKEY_free(made);
    return ok;
}

static int do_delete(void)
{
    struct mesh_key_name name = name_of(p256);

    return mesh_keystore_delete(ctx, &name);
}

static int do_list(void)
{
    struct mesh_keystore_item *items;
    size_t count;
    int ok = mesh_keystore_list(ctx, &items, &count);

    assert_true(ok || items == NULL);
    OPENSSL_free(items);
    return ok;
}

static int do_status(void)
{
    struct mesh_keystore_status status;

    return mesh_keystore_status(ctx, &status);
}

/* Each call of CNG fails once: the error says so, and nothing stays open. */
static void faults(void **state)
{
    static const struct {
        const char *fault;
        int (*run)(void);
        enum mesh_reason reason;
        const char *text;
    } rows[] = {
        {"NCryptOpenStorageProvider=80090030", do_status,
         MESH_R_OPERATION_FAILED, "removed, or is not ready"},
        {"NCryptOpenKey=80090010", do_holds, MESH_R_OPERATION_FAILED,
         "not permitted"},
        {"NCryptOpenKey=80090016", do_sign, MESH_R_KEY_NOT_HELD,
         "does not have it"},
        {"NCryptGetProperty=80090029", do_holds, MESH_R_OPERATION_UNSUPPORTED,
         "0x80090029"},
        {"NCryptExportKey=8009002d", do_holds, MESH_R_OPERATION_FAILED,
         "0x8009002d"},
        {"NCryptEnumKeys=80090020", do_holds, MESH_R_OPERATION_FAILED,
         "0x80090020"},
        {"NCryptSignHash=8010006e", do_sign, MESH_R_PROMPT_DISMISSED,
         "refused by the user"},
        {"NCryptSignHash=80090022", do_sign, MESH_R_LOCKED, "at-use"},
        {"NCryptSignHash=80090035", do_sign_rsa, MESH_R_OPERATION_FAILED,
         "removed"},
        {"NCryptSignHash=80090010", do_sign_rsa, MESH_R_OPERATION_FAILED,
         "not permitted"},
        {"NCryptSignHash=12345", do_sign_rsa, MESH_R_OPERATION_FAILED,
         "0x00012345"},
        {"NCryptDecrypt=8010006e", do_decrypt, MESH_R_PROMPT_DISMISSED,
         "refused by the user"},
        {"NCryptDecrypt@2=8010006e", do_decrypt, MESH_R_PROMPT_DISMISSED,
         "refused by the user"},
        {"NCryptDecrypt=80090027", do_decrypt, MESH_R_OPERATION_FAILED,
         "cannot be decrypted"},
        {"NCryptDecrypt=c000000d", do_decrypt, MESH_R_OPERATION_FAILED,
         "cannot be decrypted"},
        {"NCryptDecrypt=80090022", do_tls, MESH_R_LOCKED, "at-use"},
        {"NCryptDecrypt=80090027", do_tls, MESH_R_NONE, NULL},
        {"NCryptImportKey=80090005", do_derive, MESH_R_OPERATION_FAILED,
         "does not take the data"},
        {"NCryptSecretAgreement=80090029", do_derive,
         MESH_R_OPERATION_UNSUPPORTED, "cannot do this"},
        {"NCryptDeriveKey=80090029", do_derive, MESH_R_OPERATION_UNSUPPORTED,
         "cannot do this"},
        {"NCryptCreatePersistedKey=8009000f", do_generate, MESH_R_KEY_EXISTS,
         "there already"},
        {"NCryptSetProperty=80090029", do_generate,
         MESH_R_OPERATION_UNSUPPORTED, "make a key"},
        {"NCryptFinalizeKey=8009000e", do_generate, MESH_R_MEMORY, "memory"},
        {"NCryptExportKey=80090020", do_generate, MESH_R_OPERATION_FAILED,
         "0x80090020"},
        {"NCryptCreatePersistedKey=8009000f", do_import, MESH_R_KEY_EXISTS,
         "there already"},
        {"NCryptGetProperty=80090020", do_import, MESH_R_OPERATION_FAILED,
         "0x80090020"},
        {"NCryptSetProperty=80090010", do_import, MESH_R_OPERATION_FAILED,
         "not permitted"},
        {"NCryptFinalizeKey=80090010", do_import, MESH_R_OPERATION_FAILED,
         "not permitted"},
        {"NCryptDeleteKey=80090010", do_delete, MESH_R_OPERATION_FAILED,
         "not permitted"},
        {"NCryptEnumKeys=80090010", do_list, MESH_R_OPERATION_FAILED,
         "list keys"},
        {"NCryptEnumKeys@3=80090010", do_list, MESH_R_OPERATION_FAILED,
         "list keys"},
        {"NCryptOpenKey=80090010", do_list, MESH_R_NONE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set("NCRYPT_DOUBLE_FAIL", rows[i].fault);
        print_message("%s\n", rows[i].fault);
        if (rows[i].text != NULL) {
            assert_false(rows[i].run());
            expect_error(ctx, rows[i].reason, rows[i].text);
        } else {
            expect_ok(ctx, rows[i].run());
        }
        set("NCRYPT_DOUBLE_FAIL", NULL);
        expect_clean();
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(holds(keys[i]), 1);
    assert_int_equal(do_list(), 1);
}

/* 0 is success and nothing else is, whatever its sign. */
static void every_status_has_a_text(void **state)
{
    static const struct {
        DWORD status;
        enum mesh_reason reason;
        const char *text;
    } rows[] = {
        {0x80090016, MESH_R_KEY_NOT_HELD, "not there"},
        {0x8009000D, MESH_R_KEY_NOT_HELD, "not there"},
        {0x80090010, MESH_R_OPERATION_FAILED, "not permitted"},
        {0x8010006E, MESH_R_PROMPT_DISMISSED, "refused"},
        {0x80090036, MESH_R_PROMPT_DISMISSED, "refused"},
        {1223, MESH_R_PROMPT_DISMISSED, "refused"},
        {0x80090022, MESH_R_LOCKED, "at-use"},
        {0x8009002E, MESH_R_LOCKED, "at-use"},
        {0x80090030, MESH_R_OPERATION_FAILED, "not ready"},
        {0x80090035, MESH_R_OPERATION_FAILED, "removed"},
        {0x80100069, MESH_R_OPERATION_FAILED, "removed"},
        {0x8028400F, MESH_R_OPERATION_FAILED, "no TPM"},
        {0x40290423, MESH_R_OPERATION_UNSUPPORTED, "salt"},
        {0x8009000F, MESH_R_KEY_EXISTS, "already"},
        {0x80090029, MESH_R_OPERATION_UNSUPPORTED, "cannot do this"},
        {0x80090005, MESH_R_OPERATION_FAILED, "does not take the data"},
        {0x80090028, MESH_R_BUFFER_TOO_SMALL, "does not fit"},
        {0xC0000023, MESH_R_BUFFER_TOO_SMALL, "does not fit"},
        {0xC000000D, MESH_R_OPERATION_FAILED, "does not take the data"},
        {0x1, MESH_R_OPERATION_FAILED, "0x00000001"},
        {0xDEADBEEF, MESH_R_OPERATION_FAILED, "0xdeadbeef"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(mesh_status_raise(ctx, rows[i].status, "sign", "a key"));
        expect_error(ctx, rows[i].reason, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults),
        cmocka_unit_test(every_status_has_a_text),
    };

    return cmocka_run_group_tests(tests, setup_keys, teardown_keys);
}
