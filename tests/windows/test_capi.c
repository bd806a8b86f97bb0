/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Containers of CryptoAPI and the user's certificates, for real: neither needs
 * a double in Wine.
 */
#include "tests/windows/container.h"
#include "tests/windows/keystore_test.h"

#include <stdlib.h>

static EVP_PKEY *rsa;
static wchar_t container[MESH_KEY_NAME_MAX];
static const unsigned char input[64] = "what is signed is a digest, or not";

static int setup_container(void **state)
{
    struct mesh_key_name name;

    if (setup(state) != 0)
        return 1;
    rsa = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "RSA", (size_t)2048);
    name = name_of(rsa);
    mesh_source_name(name.udf, container);
    assert_true(container_make(rsa, container));
    return 0;
}

static int teardown_container(void **state)
{
    EVP_PKEY_free(rsa);
    return teardown(state);
}

static void is_found(void **state)
{
    (void)state;
    assert_int_equal(holds(rsa), 1);
}

static void signs(void **state)
{
    static const struct {
        const char *digest;
        size_t len;
    } rows[] = {{"SHA2-256", 32}, {"SHA2-384", 48}, {"SHA2-512", 64},
                {"SHA1", 20},     {"MD5", 16},      {"MD5-SHA1", 36},
                {NULL, 20},       {NULL, 32},       {NULL, 36}};

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
}

/* A caller of libcrypto may have made the DigestInfo itself. */
static void signs_digest_info(void **state)
{
    static const unsigned char head[] = {
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
        0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = MESH_PAD_PKCS1};
    unsigned char info[sizeof(head) + 32];

    (void)state;
    memcpy(info, head, sizeof(head));
    memcpy(info + sizeof(head), input, 32);
    expect_ok(ctx, operate(rsa, &op, info, sizeof(info)));
    assert_true(verifies(rsa, RSA_PKCS1_PADDING, "SHA2-256", 0, input, 32));
    info[14]++;
    assert_false(operate(rsa, &op, info, sizeof(info)));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "DigestInfo");
}

static void decrypts(void **state)
{
    static const struct {
        enum mesh_padding padding;
        int native;
    } rows[] = {{MESH_PAD_PKCS1, RSA_PKCS1_PADDING},
                {MESH_PAD_OAEP, RSA_PKCS1_OAEP_PADDING}};
    unsigned char cipher[256];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                     .padding = rows[i].padding,
                                     .implicit_rejection = 1};
        size_t len = encrypt(rsa, rows[i].native, NULL, NULL, input, 40, cipher,
                             sizeof(cipher));

        if (rows[i].padding == MESH_PAD_OAEP)
            op.implicit_rejection = 0;
        expect_ok(ctx, operate(rsa, &op, cipher, len));
        assert_int_equal(out_len, 40);
        assert_memory_equal(out, input, 40);
        cipher[100] ^= 1;
        assert_false(operate(rsa, &op, cipher, len));
        expect_error(ctx, MESH_R_OPERATION_FAILED, "cannot be decrypted");
    }
}

static void decrypts_tls(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1_TLS,
                                 .tls_client_version = 0x0303};
    unsigned char secret[48] = {3, 3, 1}, cipher[256];
    size_t len = encrypt(rsa, RSA_PKCS1_PADDING, NULL, NULL, secret,
                         sizeof(secret), cipher, sizeof(cipher));

    (void)state;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_int_equal(out_len, sizeof(secret));
    assert_memory_equal(out, secret, sizeof(secret));
    cipher[100] ^= 1;
    expect_ok(ctx, operate(rsa, &op, cipher, len));
    assert_int_equal(out_len, sizeof(secret));
    assert_memory_not_equal(out, secret, sizeof(secret));
}

static void refuses_by_name(void **state)
{
    static const struct {
        struct mesh_private_op op;
        size_t in_len;
        const char *text;
    } rows[] = {
        {{.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PSS,
          .digest = "SHA2-256",
          .salt_length = 32},
         32,
         "sign PSS"},
        {{.operation = MESH_OP_SIGN, .padding = MESH_PAD_NONE},
         256,
         "sign raw"},
        {{.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PKCS1,
          .digest = "SHA2-224"},
         28,
         "does not have the digest"},
        {{.operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1},
         17,
         "DigestInfo"},
        {{.operation = MESH_OP_DECRYPT,
          .padding = MESH_PAD_OAEP,
          .digest = "SHA2-256"},
         256,
         "OAEP with SHA1"},
        {{.operation = MESH_OP_DECRYPT, .padding = MESH_PAD_NONE},
         256,
         "decrypt raw"},
        {{.operation = MESH_OP_DERIVE}, 32, "derive"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(operate(rsa, &rows[i].op, input, rows[i].in_len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, rows[i].text);
    }
}

static void another_key_is_none(void **state)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "RSA", (size_t)2048);
    struct mesh_key_name name = name_of(other);
    wchar_t wide[MESH_KEY_NAME_MAX];
    HCRYPTPROV none;
    int held;

    (void)state;
    mesh_source_name(name.udf, wide);
    assert_true(container_make(rsa, wide));
    assert_false(mesh_keystore_holds(ctx, &name, &held));
    expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
    CryptAcquireContextW(&none, wide, NULL, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    EVP_PKEY_free(other);
}

static int count_key(struct mesh_context *context,
                     const struct mesh_source_key *key, void *arg)
{
    (void)context;
    if (wcscmp(key->name, container) == 0 && EVP_PKEY_eq(key->public, rsa) == 1)
        (*(int *)arg)++;
    return 1;
}

static void is_listed(void **state)
{
    int found = 0;

    (void)state;
    expect_ok(ctx, mesh_source_legacy.list(ctx, &mesh_source_legacy, count_key,
                                           &found));
    assert_int_equal(found, 1);
}

/* A certificate of the key, which ends after so many days; into MY, with the
 * container's name if there is one. */
static X509 *add_certificate(EVP_PKEY *key, int days, wchar_t *of)
{
    X509 *x509 = X509_new();
    unsigned char *der = NULL;
    int len;

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), days);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), days * 86400L);
    X509_set_pubkey(x509, key);
    X509_sign(x509, key, EVP_sha256());
    len = i2d_X509(x509, &der);
    assert_true(container_certify(der, (size_t)len, of));
    OPENSSL_free(der);
    return x509;
}

static void expect_certificate(EVP_PKEY *key, X509 *wanted)
{
    struct mesh_key_name name = name_of(key);
    unsigned char *der, *expected = NULL;
    size_t len;

    expect_ok(ctx, mesh_keystore_certificate(ctx, &name, &der, &len));
    if (wanted == NULL) {
        assert_null(der);
        return;
    }
    assert_int_equal(len, i2d_X509(wanted, &expected));
    assert_memory_equal(der, expected, len);
    OPENSSL_free(der);
    OPENSSL_free(expected);
}

static void certificate_of_the_user(void **state)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");
    X509 *first, *later, *ours, *strange;

    (void)state;
    expect_certificate(rsa, NULL);
    /* another key's, whatever Windows says of its container */
    strange = add_certificate(other, 100, container);
    expect_certificate(rsa, NULL);
    first = add_certificate(rsa, 10, NULL);
    expect_certificate(rsa, first);
    later = add_certificate(rsa, 20, NULL);
    expect_certificate(rsa, later);
    ours = add_certificate(rsa, 5, container);
    expect_certificate(rsa, ours);
    expect_certificate(other, strange);
    X509_free(first);
    X509_free(later);
    X509_free(ours);
    X509_free(strange);
    EVP_PKEY_free(other);
}

static void is_deleted(void **state)
{
    struct mesh_source_key key;
    struct mesh_key_name name = name_of(rsa);
    int found = 0;

    (void)state;
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    assert_int_not_equal(
        mesh_source_legacy.open(ctx, &mesh_source_legacy, &name, 1, &key), 0);
    expect_ok(ctx, mesh_source_legacy.list(ctx, &mesh_source_legacy, count_key,
                                           &found));
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_found),
        cmocka_unit_test(signs),
        cmocka_unit_test(signs_digest_info),
        cmocka_unit_test(decrypts),
        cmocka_unit_test(decrypts_tls),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(another_key_is_none),
        cmocka_unit_test(is_listed),
        cmocka_unit_test(certificate_of_the_user),
        cmocka_unit_test(is_deleted),
    };

    return cmocka_run_group_tests(tests, setup_container, teardown_container);
}
