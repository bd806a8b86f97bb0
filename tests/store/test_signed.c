/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signed objects: lenient JSON, strict base64url, signatures of each algorithm.
 */
#include "store/signed.h"

#include "tests/store/fake_keystore.h"

#include <openssl/err.h>

static struct mesh_context *ctx;

static json_t *parse(const char *text)
{
    return mesh_json_parse(ctx, text, strlen(text), "text");
}

static void test_json(void **state)
{
    json_t *json =
        parse("{\r\n \"a\": \"\nAQ\r\nAB\", \"b\": \"\\\"\nc\\\\\"}\n");

    (void)state;
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "a")), "AQAB");
    assert_string_equal(json_string_value(json_object_get(json, "b")), "\"c\\");
    json_decref(json);
}

static void test_json_refused(void **state)
{
    static const char *const rows[][2] = {
        {"", "line 1, column 1: the text is truncated"},
        {"{\"a\":\n \"b", "the text is truncated"},
        {"{\"a\": \"\nx\n\",\n  b}", "line 4, column 4: "},
        {"hello", "line 1, column "},
        {"{\"a\": 1, \"a\": 2}", "a member stands twice"},
        {"{\"a\": \"\xff\"}", "not UTF-8"},
        {"{\"a\": \"\t\"}", "control character"},
        {"{} {}", "end of file expected"},
    };
    size_t i;
    char deep[10001];

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(parse(rows[i][0]));
        expect_error(ctx, MESH_R_PROFILE_MALFORMED, rows[i][1]);
    }
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_null(parse(deep));
    expect_error(ctx, MESH_R_PROFILE_MALFORMED, "nested too deeply");
    /* Brackets inside a string are none. */
    deep[1] = deep[sizeof(deep) - 3] = '"';
    deep[sizeof(deep) - 2] = ']';
    json_decref(parse(deep));
    assert_int_equal(captured.count, 0);
}

static void test_base64url(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"Zg", "f"},
        {"Zm8", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg", "foob"},
        {"Zm9vYmE", "fooba"},
        {"-_-_", "\xfb\xff\xbf"},
    };
    unsigned char *data;
    char *text;
    size_t i, len;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_ok(ctx, mesh_base64url_decode(ctx, rows[i][0],
                                             strlen(rows[i][0]), &data, &len));
        assert_int_equal(len, strlen(rows[i][1]));
        assert_string_equal((char *)data, rows[i][1]);
        text = mesh_base64url_encode(ctx, data, len);
        assert_string_equal(text, rows[i][0]);
        OPENSSL_free(text);
        OPENSSL_free(data);
    }
    expect_ok(ctx, mesh_base64url_decode(ctx, "\nZm9\r\nv\n", 8, &data, &len));
    assert_string_equal((char *)data, "foo");
    OPENSSL_free(data);
}

static void test_base64url_refused(void **state)
{
    static const char *const rows[][2] = {
        {"Zg==", "octet 0x3D"},   {"Z+8v", "octet 0x2B"},
        {"Z/8v", "octet 0x2F"},   {"Zm 9v", "octet 0x20"},
        {"Z", "no base64url"},    {"Zm9vY", "no base64url"},
        {"Zm9.", "no base64url"}, {"Zm9\xc3", "no base64url"},
        {"Zh", "bits beyond"},    {"Zm9", "bits beyond"},
    };
    unsigned char *data;
    size_t i, len;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(mesh_base64url_decode(ctx, rows[i][0], strlen(rows[i][0]),
                                           &data, &len));
        expect_error(ctx, MESH_R_PROFILE_MALFORMED, rows[i][1]);
        assert_null(data);
    }
}

/* A signed object by key, changed by the caller before it is parsed. */
static json_t *make(EVP_PKEY *key)
{
    json_t *payload = json_pack("{s{ss}}", "DeviceProfile", "Identifier", "X");
    json_t *object =
        mesh_signed_make(ctx, "MAJBM-WHBCU-IVXPI-VI7YZ", payload, key);

    json_decref(payload);
    assert_non_null(object);
    return object;
}

static json_t *data_of(json_t *object)
{
    return json_object_get(object, "SignedData");
}

static json_t *signature_of(json_t *object)
{
    return json_array_get(json_object_get(data_of(object), "signatures"), 0);
}

/* Replaces the protected header by other JSON text. */
static void set_header(json_t *object, const char *text)
{
    char *encoded = mesh_base64url_encode(ctx, text, strlen(text));

    json_object_set_new(signature_of(object), "protected",
                        json_string(encoded));
    OPENSSL_free(encoded);
}

static const char *const algorithms[][2] = {
    {"RSA-2048", "RS512"},
    {"RSA-PSS-2048", "PS512"},
    {"P-256", "ES256"},
    {"P-384", "ES384"},
    {"P-521", "ES512"},
    {"secp256k1", "ES256K"},
    {"brainpoolP256r1", "ESB256"},
    {"ED25519", "EdDSA"},
    {"brainpoolP384r1", "ESB384"},
    {"brainpoolP512r1", "ESB512"},
    {"ED448", "EdDSA"},
    {"ML-DSA-44", "ML-DSA-44"},
    {"ML-DSA-65", "ML-DSA-65"},
    {"SLH-DSA-SHA2-128f", "SLH-DSA-SHA2-128f"},
};
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

static void test_sign_and_verify(void **state)
{
    EVP_PKEY *other = fake_generate(ctx, "P-256");
    struct mesh_signed *parsed;
    size_t i;

    (void)state;
    for (i = 0; i < ALGORITHMS; i++) {
        const struct mesh_algorithm *row =
            mesh_algorithm_find(algorithms[i][0]);
        struct mesh_signature *signature;
        EVP_PKEY *key;
        json_t *object;

        if (!mesh_algorithm_available(ctx, row))
            continue;
        key = fake_generate(ctx, algorithms[i][0]);
        object = make(key);
        expect_ok(ctx, mesh_signed_parse(ctx, object, &parsed));
        signature = &parsed->signatures[0];
        assert_string_equal(signature->algorithm, algorithms[i][1]);
        assert_string_equal(parsed->identifier, "MAJBM-WHBCU-IVXPI-VI7YZ");
        assert_string_equal((char *)parsed->payload,
                            "{\"DeviceProfile\":{\"Identifier\":\"X\"}}");
        expect_ok(ctx, mesh_signature_verify(ctx, signature, key));
        assert_false(mesh_signature_verify(ctx, signature, other));
        expect_error(ctx, MESH_R_PROFILE_SIGNER, "another key");
        signature->signature[signature->signature_len - 1] ^= 1;
        assert_false(mesh_signature_verify(ctx, signature, key));
        expect_error(ctx, MESH_R_PROFILE_SIGNATURE, "is wrong");
        signature->signature[signature->signature_len - 1] ^= 1;
        signature->signature_len--;
        assert_false(mesh_signature_verify(ctx, signature, key));
        expect_error(ctx, MESH_R_PROFILE_SIGNATURE, "is wrong");
        signature->signature_len = 0;
        assert_false(mesh_signature_verify(ctx, signature, key));
        expect_error(ctx, MESH_R_PROFILE_SIGNATURE, "is wrong");
        OPENSSL_free(signature->algorithm);
        signature->algorithm =
            OPENSSL_strdup(algorithms[(i + 1) % ALGORITHMS][1]);
        assert_false(mesh_signature_verify(ctx, signature, key));
        expect_error(ctx, MESH_R_PROFILE_SIGNATURE, "does not fit");
        mesh_signed_free(parsed);
        json_decref(object);
    }
    fake_free();
    assert_int_equal(ERR_peek_error(), 0);
}

/* libcrypto's own ECDSA is DER; JOSE's r and s are of fixed length. */
static void test_ecdsa_is_raw(void **state)
{
    struct mesh_signed *parsed;
    json_t *object = make(fake_generate(ctx, "P-521"));

    (void)state;
    expect_ok(ctx, mesh_signed_parse(ctx, object, &parsed));
    assert_int_equal(parsed->signatures[0].signature_len, 2 * 66);
    mesh_signed_free(parsed);
    json_decref(object);
    fake_free();
}

static void refused(json_t *object, enum mesh_reason reason, const char *says)
{
    struct mesh_signed *parsed;

    assert_false(mesh_signed_parse(ctx, object, &parsed));
    assert_null(parsed);
    expect_error(ctx, reason, says);
    json_decref(object);
}

static void test_refused(void **state)
{
    EVP_PKEY *key = fake_generate(ctx, "P-256");
    json_t *object, *list;
    size_t i;

    (void)state;
    refused(json_object(), MESH_R_PROFILE_MALFORMED, "no signed object");
    object = make(key);
    json_object_set_new(data_of(object), "payload", json_string("e30"));
    refused(object, MESH_R_PROFILE_DIGEST, "not the one that was signed");
    object = make(key);
    set_header(object, "{\"alg\":\"ES256\"}");
    refused(object, MESH_R_PROFILE_MALFORMED, "no text \"val\"");
    object = make(key);
    set_header(object, "{\"alg\":\"ES256\",\"val\":\"AAAA\"}");
    refused(object, MESH_R_PROFILE_DIGEST, "not the one that was signed");
    object = make(key);
    set_header(object, "{\"val\":");
    refused(object, MESH_R_PROFILE_MALFORMED,
            "protected header: line 1, column 8: the text is truncated");
    object = make(key);
    json_object_del(json_object_get(signature_of(object), "header"), "kid");
    refused(object, MESH_R_PROFILE_MALFORMED, "no \"kid\"");
    object = make(key);
    json_object_del(signature_of(object), "signature");
    refused(object, MESH_R_PROFILE_MALFORMED, "no text \"signature\"");
    object = make(key);
    json_array_clear(json_object_get(data_of(object), "signatures"));
    refused(object, MESH_R_PROFILE_MALFORMED, "0 signatures");
    object = make(key);
    list = json_object_get(data_of(object), "signatures");
    for (i = 0; i < MESH_SIGNERS_MAX; i++)
        json_array_append(list, signature_of(object));
    refused(object, MESH_R_PROFILE_MALFORMED, "9 signatures");
    /* Without "signatures" it is the form of 2016. */
    object = make(key);
    json_object_del(data_of(object), "signatures");
    refused(object, MESH_R_PROFILE_MALFORMED, "no text \"header\"");
    fake_free();
}

/* val fits the payload, and yet nobody signed it. */
static void test_forged_header(void **state)
{
    EVP_PKEY *key = fake_generate(ctx, "ED25519");
    json_t *object = make(key), *other = json_pack("{s{}}", "DeviceProfile");
    json_t *forged =
        mesh_signed_make(ctx, "X", other, fake_generate(ctx, "ED25519"));
    struct mesh_signed *parsed;

    (void)state;
    json_object_set(signature_of(forged), "header",
                    json_object_get(signature_of(object), "header"));
    expect_ok(ctx, mesh_signed_parse(ctx, forged, &parsed));
    assert_false(mesh_signature_verify(ctx, &parsed->signatures[0], key));
    expect_error(ctx, MESH_R_PROFILE_SIGNATURE, "is wrong");
    mesh_signed_free(parsed);
    json_decref(object);
    json_decref(other);
    json_decref(forged);
    fake_free();
}

static void test_not_held(void **state)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "ED25519");
    EVP_PKEY *agree = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "X25519");
    json_t *payload = json_object();

    (void)state;
    assert_null(mesh_signed_make(ctx, "X", payload, key));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, "M");
    assert_null(mesh_signed_make(ctx, "X", payload, agree));
    expect_error(ctx, MESH_R_ALGORITHM, "no profile can be signed");
    json_decref(payload);
    EVP_PKEY_free(key);
    EVP_PKEY_free(agree);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_json),
        STORE_TEST(test_json_refused),
        STORE_TEST(test_base64url),
        STORE_TEST(test_base64url_refused),
        STORE_TEST(test_sign_and_verify),
        STORE_TEST(test_ecdsa_is_raw),
        STORE_TEST(test_refused),
        STORE_TEST(test_forged_header),
        STORE_TEST(test_not_held),
    };
    int failed;

    ctx = test_context();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mesh_context_free(ctx);
    return test_status(failed);
}
