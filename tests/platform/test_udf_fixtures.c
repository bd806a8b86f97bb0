/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fingerprints of the reference implementation: its documents, and every key
 * of its files.
 */
#include "platform/udf.h"
#include "tests/platform/capture.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#define DATA "UDF Data Value"

static struct mesh_context *ctx;
static struct capture capture;

static int setup(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL;
}

static int teardown(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return 0;
}

static int names(const struct mesh_udf *udf, EVP_PKEY *key)
{
    int named = -1;

    expect_ok(ctx, mesh_udf_names_key(ctx, udf, key, &named));
    return named;
}

static int absent;

/* A fixture's text, or a visible skip. */
static char *fixture(const char *name)
{
    const char *folder = getenv("MESH_FIXTURES");
    char path[1024], *text;
    long size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/mesh-2017/%s",
             folder == NULL ? "" : folder, name);
    if ((file = fopen(path, "rb")) == NULL) {
        print_message("no %s\n", path);
        absent = 1;
        skip();
    }
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

/* Every fingerprint that the two documents print for a content digest: 2017
 * with the reference's truncation, 2022 at lengths where whole octets decide.
 * The latter has another type octet for SHA-3: the digests are compared. */
static void published_documents(void **state)
{
    static const struct {
        const char *file, *heading, *data;
        unsigned char type;
        int texts;
    } parts[] = {
        {"ExamplesUDF-2017.md", "###Using SHA-2-512 Digest", DATA, 96, 4},
        {"UDFDigestLong-2022.md", "###Using SHA-2-512 Digest", DATA, 96, 5},
        {"UDFDigestLong-2022.md", "###Using SHA-3-512 Digest", DATA, 144, 1},
        {"UDFDigestLong-2022.md", "###Using SHA-2-512 Digest with Compression",
         "UDF Compressed Document 4187123", 96, 1},
        {"UDFDigestLong-2022.md", "###Using SHA-3-512 Digest with Compression",
         "UDF Compressed Document 774665", 144, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *document = fixture(parts[i].file), *line, *next = NULL;
        char *part = strstr(document, parts[i].heading), *end;
        int texts = 0;
        struct mesh_udf full;

        assert_non_null(part);
        if ((end = strstr(part + 1, "\n###")) != NULL)
            *end = '\0';
        expect_ok(ctx, mesh_udf_compute(ctx, parts[i].type, "text/plain",
                                        parts[i].data, strlen(parts[i].data),
                                        520, &full));
        for (line = strtok_r(part, "\r\n", &next); line != NULL;
             line = strtok_r(NULL, "\r\n", &next)) {
            char *word;
            struct mesh_udf udf;

            if ((word = strrchr(line, '>')) == NULL
                && (word = strrchr(line, ' ')) == NULL)
                word = line - 1;
            if (strchr(word + 1, '-') == NULL
                || !mesh_udf_decode(word + 1, &udf))
                continue;
            texts++;
            assert_memory_equal(udf.bytes + 1, full.bytes + 1,
                                udf.bits / 8 - 1);
        }
        assert_int_equal(texts, parts[i].texts);
        free(document);
    }
}

static unsigned char *base64url(const char *text, size_t *len)
{
    size_t n = strlen(text), padded = (n + 3) / 4 * 4;
    char *copy = malloc(padded + 1);
    unsigned char *out = malloc(padded + 1);
    int got;

    for (size_t i = 0; i < padded; i++)
        copy[i] = i >= n           ? '='
                  : text[i] == '-' ? '+'
                  : text[i] == '_' ? '/'
                                   : text[i];
    got = EVP_DecodeBlock(out, (unsigned char *)copy, (int)padded);
    assert_true(got >= 0);
    *len = (size_t)got - (padded - n);
    out[*len] = '\0';
    free(copy);
    return out;
}

static EVP_PKEY *rsa_key(const json_t *rsa)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params;
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, "RSA", NULL);
    static const char *const members[] = {"n", "e"};
    BIGNUM *numbers[2];
    EVP_PKEY *key = NULL;

    for (size_t i = 0; i < 2; i++) {
        size_t len;
        unsigned char *bytes = base64url(
            json_string_value(json_object_get(rsa, members[i])), &len);

        numbers[i] = BN_bin2bn(bytes, (int)len, NULL);
        OSSL_PARAM_BLD_push_BN(builder, members[i], numbers[i]);
        free(bytes);
    }
    params = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(pctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(pctx, &key, EVP_PKEY_PUBLIC_KEY, params),
                     1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(numbers[0]);
    BN_free(numbers[1]);
    EVP_PKEY_CTX_free(pctx);
    return key;
}

struct tally {
    int keys, canonical, named;
};

static void check_key(const char *name, const json_t *rsa, struct tally *tally)
{
    EVP_PKEY *key = rsa_key(rsa);
    struct mesh_udf udf, own, other;
    char text[MESH_UDF_TEXT_MAX];

    expect_ok(ctx, mesh_udf_parse(ctx, name, &udf));
    other = udf;
    tally->keys++;
    tally->named += names(&udf, key);
    expect_ok(ctx, mesh_udf_of_key(ctx, key, &own));
    mesh_udf_print(&own, text);
    tally->canonical += strcmp(text, name) == 0;
    other.bytes[17] ^= 1;
    assert_int_equal(names(&other, key), 0);
    EVP_PKEY_free(key);
}

static void walk(const char *text, struct tally *tally);

static void walk_json(const json_t *json, struct tally *tally)
{
    const json_t *rsa = json_object_get(
        json_object_get(json, "PublicParameters"), "PublicKeyRSA");
    const char *name = json_string_value(json_object_get(json, "UDF"));
    const char *payload = json_string_value(json_object_get(json, "payload"));
    const char *member;
    json_t *value;
    size_t i;

    if (name == NULL) /* ConfirmProfile: the only name is in the key */
        name = json_string_value(json_object_get(rsa, "kid"));
    if (name != NULL && rsa != NULL)
        check_key(name, rsa, tally);
    if (payload != NULL) {
        size_t len;
        unsigned char *inner = base64url(payload, &len);

        walk((char *)inner, tally);
        free(inner);
    }
    json_object_foreach ((json_t *)json, member, value) {
        walk_json(value, tally);
    }
    json_array_foreach (json, i, value) {
        walk_json(value, tally);
    }
}

static void walk(const char *text, struct tally *tally)
{
    char *clean = malloc(strlen(text) + 1), *to = clean;
    json_error_t error;
    json_t *json;

    for (; *text != '\0'; text++)
        if (*text != '\n' && *text != '\r')
            *to++ = *text;
    *to = '\0';
    json = json_loads(clean, 0, &error);
    if (json == NULL)
        print_error("%s: %.60s\n", error.text, clean);
    assert_non_null(json);
    walk_json(json, tally);
    json_decref(json);
    free(clean);
}

/* EXPECTED.tsv: file, keys, named over RSAPublicKey, over SPKI. */
static void keys_of_real_files(void **state)
{
    char *expected = fixture("EXPECTED.tsv"), *next = NULL, *line;
    int files = 0;

    (void)state;
    strtok_r(expected, "\r\n", &next);
    while ((line = strtok_r(NULL, "\r\n", &next)) != NULL) {
        char name[100];
        int keys, pkcs1, spki;
        struct tally tally = {0};
        char *text;

        assert_int_equal(
            sscanf(line, "%99s %d %d %d", name, &keys, &pkcs1, &spki), 4);
        text = fixture(name);
        walk(text, &tally);
        free(text);
        if (tally.keys != keys)
            print_error("%s: %d keys\n", name, tally.keys);
        assert_int_equal(tally.keys, keys);
        assert_int_equal(tally.canonical, pkcs1);
        assert_int_equal(tally.named, pkcs1 + spki);
        files++;
    }
    assert_int_equal(files, 9);
    free(expected);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_documents),
        cmocka_unit_test(keys_of_real_files),
    };

    int failed =
        cmocka_run_group_tests_name("udf_fixtures", tests, setup, teardown);

    return failed == 0 && absent ? 77 : failed;
}
