/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fingerprints: the published vectors, both truncations, the rules that name a
 * key, and what is no fingerprint.  test_udf_fixtures.c: real files.
 */
#include "platform/keystore.h"
#include "platform/udf.h"
#include "tests/platform/capture.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>

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

static struct mesh_udf parsed(const char *text)
{
    struct mesh_udf udf;

    expect_ok(ctx, mesh_udf_parse(ctx, text, &udf));
    return udf;
}

static EVP_PKEY *generate(const char *keytype, const char *group, unsigned bits)
{
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, keytype, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(pctx), 1);
    if (group != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_group_name(pctx, group), 1);
    if (bits != 0)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(pctx, (int)bits), 1);
    assert_int_equal(EVP_PKEY_generate(pctx, &key), 1);
    EVP_PKEY_CTX_free(pctx);
    return key;
}

static int names(const struct mesh_udf *udf, EVP_PKEY *key)
{
    int named = -1;

    expect_ok(ctx, mesh_udf_names_key(ctx, udf, key, &named));
    return named;
}

static void published_vectors(void **state)
{
    static const struct {
        size_t bits;
        const char *text;
    } vectors[] = {
        {100, "MDDK7-N6A72-7AJZN-OSTR3"},
        {125, "MDDK7-N6A72-7AJZN-OSTRX-XKS72"},
        {150, "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD"},
        {250, "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXI-6OZSL-U2VOA-TZQ6J-MHPTS"},
    };
    struct mesh_udf udf, full;
    char text[MESH_UDF_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        expect_ok(ctx, mesh_udf_compute(ctx, 96, "text/plain", DATA,
                                        strlen(DATA), vectors[i].bits, &udf));
        mesh_udf_print(&udf, text);
        assert_string_equal(text, vectors[i].text);
        full = parsed(text);
        assert_int_equal(full.bits, vectors[i].bits);
        assert_memory_equal(full.bytes, udf.bytes, sizeof(udf.bytes));
    }
    /* As the draft truncates: the cut of the whole text. */
    expect_ok(ctx, mesh_udf_compute(ctx, 96, "text/plain", DATA, strlen(DATA),
                                    520, &udf));
    udf.bits = 150;
    mesh_udf_print(&udf, text);
    assert_string_equal(text, "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXI");
    udf.bits = 100;
    mesh_udf_print(&udf, text);
    assert_string_equal(text, "MDDK7-N6A72-7AJZN-OSTRX");

    assert_false(mesh_udf_compute(ctx, 97, "text/plain", "", 0, 150, &udf));
    expect_error(ctx, MESH_R_USAGE, "type octet 97");
    assert_false(mesh_udf_compute(ctx, 96, "text/plain", "", 0, 151, &udf));
    expect_error(ctx, MESH_R_USAGE, "151 bits");
    assert_false(mesh_udf_compute(ctx, 96, "text/plain", "", 0, 525, &udf));
    expect_error(ctx, MESH_R_USAGE, "525 bits");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_false(mesh_udf_compute(ctx, 96, text, "", 0, 150, &udf));
    expect_error(ctx, MESH_R_USAGE, "content type xxx");
}

/* What a key is called under each rule, at each length, by each truncation. */
static void names_of_a_key(void **state)
{
    static const struct {
        const char *keytype, *group;
        unsigned bits;
    } types[] = {{"EC", "P-256", 0}, {"ED25519", NULL, 0}, {"RSA", NULL, 2048}};
    static const char *const content_types[] = {"application/pkix-keyinfo",
                                                "application/x509-keyinfo"};

    (void)state;
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        EVP_PKEY *key =
            generate(types[t].keytype, types[t].group, types[t].bits);
        EVP_PKEY *other = generate("EC", "P-256", 0);
        struct mesh_udf own;
        unsigned char *spki = NULL;
        int len = i2d_PUBKEY(key, &spki);

        expect_ok(ctx, mesh_udf_of_key(ctx, key, &own));
        assert_int_equal(own.bits, 150);
        assert_int_equal(own.bytes[0], 96);
        assert_int_equal(names(&own, key), 1);
        assert_int_equal(names(&own, other), 0);
        for (size_t c = 0; c < 2; c++)
            for (unsigned type = 96; type <= 144; type += 48) {
                struct mesh_udf full, low;

                expect_ok(ctx, mesh_udf_compute(ctx, (unsigned char)type,
                                                content_types[c], spki,
                                                (size_t)len, 520, &full));
                for (size_t bits = 100; bits <= 520; bits += 5) {
                    struct mesh_udf high = full;
                    char text[MESH_UDF_TEXT_MAX];

                    high.bits = bits;
                    mesh_udf_print(&high, text);
                    high = parsed(text);
                    assert_int_equal(names(&high, key), 1);
                    assert_int_equal(names(&high, other), 0);
                    expect_ok(ctx, mesh_udf_compute(ctx, (unsigned char)type,
                                                    content_types[c], spki,
                                                    (size_t)len, bits, &low));
                    assert_int_equal(names(&low, key), 1);
                }
            }
        OPENSSL_free(spki);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
    }
}

/* Any wrong character is another name; of the last two, whose six bits the
 * truncations take differently, exactly two pairs are right. */
static void one_character_wrong(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    EVP_PKEY *key = generate("EC", "P-256", 0);
    struct mesh_udf own, udf, high;
    char text[MESH_UDF_TEXT_MAX];
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki), right = 0, forms;

    (void)state;
    expect_ok(ctx, mesh_udf_of_key(ctx, key, &own));
    mesh_udf_print(&own, text);
    for (size_t at = 0; at < strlen(text) - 2; at++) {
        char good = text[at];

        for (size_t i = 0; good != '-' && i < 32; i++)
            if (alphabet[i] != good) {
                text[at] = alphabet[i];
                udf = parsed(text);
                assert_int_equal(names(&udf, key), 0);
            }
        text[at] = good;
    }
    expect_ok(ctx, mesh_udf_compute(ctx, 96, "application/pkix-keyinfo", spki,
                                    (size_t)len, 520, &high));
    forms = (high.bytes[18] & 0xfc) == own.bytes[18] ? 1 : 2;
    for (size_t i = 0; i < 1024; i++) {
        text[strlen(text) - 2] = alphabet[i / 32];
        text[strlen(text) - 1] = alphabet[i % 32];
        udf = parsed(text);
        right += names(&udf, key);
    }
    assert_int_equal(right, forms);

    /* A cut of the text that we write names the key down to 100 bits. */
    mesh_udf_print(&own, text);
    for (size_t cut = strlen(text); cut >= 23; cut--) {
        text[cut] = '\0';
        udf = parsed(text);
        assert_int_equal(names(&udf, key), 1);
    }
    own.bits = 96;
    assert_int_equal(names(&own, key), 0);
    /* Beyond 150 bits there is no such cut: 33 characters, the last of them
     * right in two ways at most. */
    right = 0;
    udf = high;
    udf.bits = 165;
    memset(udf.bytes + 20, 0, sizeof(udf.bytes) - 20);
    for (unsigned i = 0; i < 32; i++) {
        udf.bytes[20] = (unsigned char)(i << 3);
        right += names(&udf, key);
    }
    assert_in_range(right, 1, 2);
    udf.bytes[20] = 0;
    assert_int_equal(names(&udf, key), (high.bytes[20] & 0xf8) == 0
                                           || (high.bytes[20] & 0x1f) == 0);
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
}

/* Type octets of other things name no key, whatever follows. */
static void other_types_name_no_key(void **state)
{
    EVP_PKEY *key = generate("ED25519", NULL, 0);
    struct mesh_udf own;

    (void)state;
    expect_ok(ctx, mesh_udf_of_key(ctx, key, &own));
    for (unsigned type = 0; type < 256; type++) {
        own.bytes[0] = (unsigned char)type;
        assert_int_equal(names(&own, key), type == 96);
    }
    EVP_PKEY_free(key);
}

static void spellings(void **state)
{
    static const char *const same[] = {
        "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD",
        "mddk7-n6a72-7ajzn-ostrx-xks7d-jafxd",
        "MDDK7N6A727AJZNOSTRXXKS7DJAFXD",
        "MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF-XD",
        "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD-A",
        "MDDK7N6A727AJZNOSTRXXKS7DJAFXDA",
    };
    struct mesh_udf first = parsed(same[0]), later;
    char text[MESH_UDF_TEXT_MAX], again[MESH_UDF_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct mesh_udf udf = parsed(same[i]);

        assert_memory_equal(&udf, &first, sizeof(udf));
        assert_int_equal(mesh_udf_looks_like(same[i]), 1);
    }
    /* 2019 and later: 140 bits in groups of four. */
    later = parsed("MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF");
    assert_int_equal(later.bits, 140);
    assert_true(mesh_udf_may_equal(&later, &first));
    mesh_udf_print(&later, text);
    assert_string_equal(text, "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAF");

    memset(first.bytes, 0xa5, sizeof(first.bytes));
    for (first.bits = 100; first.bits <= 520; first.bits += 5) {
        mesh_udf_print(&first, text);
        assert_true(strlen(text) < sizeof(text));
        later = parsed(text);
        assert_int_equal(later.bits, first.bits);
        mesh_udf_print(&later, again);
        assert_string_equal(text, again);
    }
}

static void no_fingerprints(void **state)
{
    static const struct {
        const char *text;
        enum mesh_reason reason;
    } wrong[] = {
        {"", MESH_R_FINGERPRINT_SYNTAX},
        {"-----", MESH_R_FINGERPRINT_SYNTAX},
        {"MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFX1", MESH_R_FINGERPRINT_SYNTAX},
        {"MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFX8", MESH_R_FINGERPRINT_SYNTAX},
        {"MDDK7 N6A72 7AJZN OSTRX XKS7D JAFXD", MESH_R_FINGERPRINT_SYNTAX},
        {"MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFX\xc3\x84",
         MESH_R_FINGERPRINT_SYNTAX},
        {"../MDDK7-N6A72-7AJZN-OSTRX", MESH_R_FINGERPRINT_SYNTAX},
        {"user@example.net", MESH_R_FINGERPRINT_SYNTAX},
        {"MB2GK-6DUF5", MESH_R_FINGERPRINT_TOO_SHORT},
        {"MDDK7-N6A72-7AJZN-OSTR", MESH_R_FINGERPRINT_TOO_SHORT},
        {"personal", MESH_R_FINGERPRINT_TOO_SHORT},
    };
    static const char *const words[] = {"",
                                        "personal",
                                        "master",
                                        "ssh",
                                        "mail",
                                        "network",
                                        "sign",
                                        "SSHAuthenticationKey",
                                        "escrow",
                                        "M",
                                        "MB2GK-6DUF5",
                                        "MasterEncryptionKeyOfAll",
                                        "user@example.net"};
    struct mesh_udf udf;
    char text[MESH_UDF_TEXT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(mesh_udf_parse(ctx, wrong[i].text, &udf));
        expect_error(ctx, wrong[i].reason, wrong[i].text);
        assert_false(mesh_udf_decode(wrong[i].text, &udf));
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(mesh_udf_looks_like(words[i]), 0);
    /* 104 characters are all that there is. */
    memset(text, 'M', sizeof(text));
    text[104] = '\0';
    assert_int_equal(parsed(text).bits, 520);
    text[104] = 'M';
    text[105] = '\0';
    assert_false(mesh_udf_parse(ctx, text, &udf));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "MMMMM");
}

static void comparison(void **state)
{
    struct mesh_udf reference = parsed("MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD");
    struct mesh_udf draft = parsed("MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXI");
    struct mesh_udf cut = parsed("MDDK7-N6A72-7AJZN-OSTRX");
    struct mesh_udf wrong = parsed("MDDK7-N6A72-7AJZN-OSTRX-XKS7E-JAFXD");
    struct mesh_udf random = parsed("RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ");
    struct mesh_udf close = parsed("RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKR");
    struct mesh_udf prefix = parsed("RC6V4-UZ3QE-U66M4-ZUZC5-A");
    struct mesh_udf empty = {.bits = 0};

    (void)state;
    assert_true(mesh_udf_may_equal(&reference, &draft));
    assert_true(mesh_udf_may_equal(&reference, &cut));
    assert_true(mesh_udf_may_equal(&cut, &reference));
    assert_false(mesh_udf_may_equal(&reference, &wrong));
    assert_false(mesh_udf_may_equal(&random, &close));
    assert_true(mesh_udf_may_equal(&random, &prefix));
    assert_true(mesh_udf_may_equal(&close, &prefix));
    assert_false(mesh_udf_may_equal(&random, &reference));
    assert_false(mesh_udf_may_equal(&empty, &empty));
}

static void random_names(void **state)
{
    struct mesh_udf a, b, again;
    char text[MESH_UDF_TEXT_MAX];

    (void)state;
    expect_ok(ctx, mesh_udf_random(ctx, &a));
    expect_ok(ctx, mesh_udf_random(ctx, &b));
    assert_false(mesh_udf_may_equal(&a, &b));
    mesh_udf_print(&a, text);
    assert_int_equal(text[0], 'R');
    assert_int_equal(strlen(text), 35);
    assert_true(mesh_udf_looks_like(text));
    again = parsed(text);
    assert_memory_equal(&again, &a, sizeof(a));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(names_of_a_key),
        cmocka_unit_test(one_character_wrong),
        cmocka_unit_test(other_types_name_no_key),
        cmocka_unit_test(spellings),
        cmocka_unit_test(no_fingerprints),
        cmocka_unit_test(comparison),
        cmocka_unit_test(random_names),
    };

    return cmocka_run_group_tests_name("udf", tests, setup, teardown);
}
