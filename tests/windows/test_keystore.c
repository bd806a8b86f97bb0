/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys in CNG, by the double of ncrypt.dll: what they do, what they refuse, and
 * what is left behind.
 */
#include "platform/windows/cng.h"
#include "platform/pkcs1.h"
#include "platform/windows/status.h"
#include "tests/windows/keystore_test.h"

#include <stdlib.h>

#define KEYS 5

static const char *const algorithms[KEYS] = {"RSA-2048", "RSA-3072", "P-256",
                                             "P-384", "P-521"};
static EVP_PKEY *keys[KEYS];
static EVP_PKEY *rsa, *p256;
static const unsigned char input[64] = "what is signed is a digest, or not";
static char log_path[MAX_PATH + 16];

static void set(const char *name, const char *value)
{
    assert_true(SetEnvironmentVariableA(name, value));
}

static int setup_keys(void **state)
{
    char folder[MAX_PATH];

    if (setup(state) != 0 || GetTempPathA(sizeof(folder), folder) == 0)
        return 1;
    snprintf(log_path, sizeof(log_path), "%scng-%lu.log", folder,
             GetCurrentProcessId());
    set("NCRYPT_DOUBLE_LOG", log_path);
    for (size_t i = 0; i < KEYS; i++)
        if (!mesh_keystore_generate(ctx, algorithms[i], &keys[i]))
            return 1;
    rsa = keys[0];
    p256 = keys[2];
    return 0;
}

static int teardown_keys(void **state)
{
    for (size_t i = 0; i < KEYS; i++)
        EVP_PKEY_free(keys[i]);
    DeleteFileA(log_path);
    return teardown(state);
}

/* Lines of the log with this text. */
static unsigned logged(const char *text)
{
    FILE *file = fopen(log_path, "r");
    char line[256];
    unsigned n = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        n += strstr(line, text) != NULL;
    fclose(file);
    return n;
}

/* Every handle is freed, no private half was asked for. */
static void expect_clean(void)
{
    assert_int_equal(logged(" + "), logged(" - "));
    assert_int_equal(logged("private-export"), 0);
    assert_true(logged(" + ") > 0);
}

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

static int to_pkcs8(EVP_PKEY *key, unsigned char **der)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len;

    *der = NULL;
    assert_non_null(info);
    len = i2d_PKCS8_PRIV_KEY_INFO(info, der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return len;
}

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
        cmocka_unit_test(imports),
        cmocka_unit_test(another_key_is_none),
        cmocka_unit_test(prompts),
        cmocka_unit_test(tpm),
        cmocka_unit_test(faults),
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(other_functions),
        cmocka_unit_test(deletes),
    };

    return cmocka_run_group_tests(tests, setup_keys, teardown_keys);
}
