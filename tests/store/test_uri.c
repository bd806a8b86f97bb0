/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh: URIs: what is accepted, what is refused and how, what is printed.
 */
#include "store/uri.h"

#include "tests/store/store_test.h"

static struct mesh_context *ctx;

static const struct {
    const char *text, *profile, *role;
    enum mesh_object_type type;
} good[] = {
    {"mesh:", "", "", MESH_OBJECT_ANY},
    {"mesh://", "", "", MESH_OBJECT_ANY},
    {"MESH:device", "device", "", MESH_OBJECT_ANY},
    {"mesh:device/sign", "device", "sign", MESH_OBJECT_ANY},
    {"mesh://device/sign", "device", "sign", MESH_OBJECT_ANY},
    {"mesh://user@example.net/encrypt", "user@example.net", "encrypt",
     MESH_OBJECT_ANY},
    {"mesh://device/sign?type=private", "device", "sign", MESH_OBJECT_PRIVATE},
    {"mesh://device?type=PUBLIC", "device", "", MESH_OBJECT_PUBLIC},
    {"mesh:?type=cert", "", "", MESH_OBJECT_CERTIFICATE},
    {"mesh://MAJBM-WHBCU/%73ign", "MAJBM-WHBCU", "sign", MESH_OBJECT_ANY},
    {"mesh://J%C3%BCrgen%20a%2fb@example.net", "J\xc3\xbcrgen a/b@example.net",
     "", MESH_OBJECT_ANY},
};

static const struct {
    const char *text, *says;
} bad[] = {
    {"file:device", "no \"mesh:\" URI"},
    {"mesh", "no \"mesh:\" URI"},
    {"mesh:/sign", "the profile in the URI is empty"},
    {"mesh:///sign", "the profile in the URI is empty"},
    {"mesh://device/", "the role in the URI is empty"},
    {"mesh://device/sign/x", "\"sign/x\" has more parts"},
    {"mesh://device/sign#x", "octet 0x23 at position 19"},
    {"mesh://device sign", "octet 0x20 at position 14"},
    {"mesh://dev\x1bice", "octet 0x1B at position 11"},
    {"mesh://dev\xc3\xbcice",
     "octet 0xC3 at position 11 of the URI; write it as %C3"},
    {"mesh://dev%1Bice", "control character 0x1B in the profile"},
    {"mesh://dev%00ice", "control character 0x00 in the profile"},
    {"mesh://device/%7f", "control character 0x7F in the role"},
    {"mesh://dev%zzice", "\"%zz\" in the profile"},
    {"mesh://device/si%6", "\"%6\" in the role"},
    {"mesh://dev%", "\"%\" in the profile"},
    {"mesh://../sign", "\"..\" as the profile"},
    {"mesh://device/%2e%2E", "\"..\" as the role"},
    {"mesh://device?", "unknown parameter \"\""},
    {"mesh://device?typ=cert", "unknown parameter \"typ=cert\""},
    {"mesh://device?type=", "unknown type \"\""},
    {"mesh://device?type=certificate", "unknown type \"certificate\""},
    {"mesh://device?type=cert&x=y", "unknown type \"cert&x=y\""},
};

static void test_good(void **state)
{
    struct mesh_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(mesh_uri_is(good[i].text));
        expect_ok(ctx, mesh_uri_parse(ctx, good[i].text, &uri));
        assert_string_equal(uri.profile, good[i].profile);
        assert_string_equal(uri.role, good[i].role);
        assert_int_equal(uri.type, good[i].type);
    }
}

static void test_bad(void **state)
{
    struct mesh_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(mesh_uri_parse(ctx, bad[i].text, &uri));
        expect_error(ctx, MESH_R_URI_SYNTAX, bad[i].says);
    }
}

static void test_length(void **state)
{
    char text[MESH_URI_MAX + 2] = "mesh://";
    struct mesh_uri uri;

    (void)state;
    memset(text + 7, 'a', MESH_URI_PART_MAX - 1);
    expect_ok(ctx, mesh_uri_parse(ctx, text, &uri));
    assert_int_equal(strlen(uri.profile), MESH_URI_PART_MAX - 1);
    text[7 + MESH_URI_PART_MAX - 1] = 'a';
    assert_false(mesh_uri_parse(ctx, text, &uri));
    expect_error(ctx, MESH_R_URI_SYNTAX, "the profile in the URI is longer");
    memset(text + 7, 'a', sizeof(text) - 8);
    assert_false(mesh_uri_parse(ctx, text, &uri));
    expect_error(ctx, MESH_R_URI_SYNTAX, "the URI is longer than 1024");
}

static void test_print(void **state)
{
    static const char *const rows[][3] = {
        {"MAJBM-WHBCU", "sign", "mesh://MAJBM-WHBCU/sign"},
        {"device", "", "mesh://device"},
        {"user@example.net", NULL, "mesh://user@example.net"},
        {"J\xc3\xbcrgen a/b", "x?y", "mesh://J%C3%BCrgen%20a%2Fb/x%3Fy"},
    };
    struct mesh_uri uri;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = mesh_uri_print(ctx, rows[i][0], rows[i][1]);

        assert_string_equal(text, rows[i][2]);
        expect_ok(ctx, mesh_uri_parse(ctx, text, &uri));
        assert_string_equal(uri.profile, rows[i][0]);
        OPENSSL_free(text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_good),
        STORE_TEST(test_bad),
        STORE_TEST(test_length),
        STORE_TEST(test_print),
    };
    int failed;

    ctx = test_context();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mesh_context_free(ctx);
    return test_status(failed);
}
