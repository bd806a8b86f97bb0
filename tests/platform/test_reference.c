/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The format of key-reference files.
 */
#include "platform/reference.h"

#include "platform/udf.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static struct capture captured;
static struct mesh_context *ctx;

static int begin(void **state)
{
    (void)state;
    memset(&captured, 0, sizeof(captured));
    ctx = mesh_context_new(NULL, capture_raise, &captured);
    return ctx == NULL;
}

static int end(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return ERR_peek_error() != 0; /* libcrypto's own are not for the caller */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

static void test_round_trip(void **state)
{
    static const size_t lengths[] = {1, 100, 101, 127, 128, 1024, 70000};
    unsigned char *der;
    char *uri, *again;
    size_t i;
    int len;

    (void)state;
    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uri = OPENSSL_zalloc(lengths[i] + 1);
        memset(uri, 'u', lengths[i]);
        expect_ok(ctx, mesh_reference_encode(ctx, uri, &der, &len));
        assert_int_equal(mesh_reference_is(der, (size_t)len), 1);
        expect_ok(ctx, mesh_reference_decode(ctx, der, (size_t)len, &again));
        assert_string_equal(uri, again);
        OPENSSL_free(uri);
        OPENSSL_free(again);
        OPENSSL_free(der);
    }
}

/* As docs/provider-mesh.7.md has it, octet for octet. */
static void test_format(void **state)
{
    static const unsigned char wanted[] =
        "\x30\x1e\x0c\x15mesh key reference v1"
        "\x0c\x05mesh:";
    static const char pem[] = "-----BEGIN MESH KEY REFERENCE-----\n"
                              "MB4MFW1lc2gga2V5IHJlZmVyZW5jZSB2MQwFbWVzaDo=\n"
                              "-----END MESH KEY REFERENCE-----\n";
    BIO *out = BIO_new(BIO_s_mem());
    unsigned char *der;
    char *text;
    int len;

    (void)state;
    expect_ok(ctx, mesh_reference_encode(ctx, "mesh:", &der, &len));
    assert_int_equal(len, sizeof(wanted) - 1);
    assert_memory_equal(der, wanted, sizeof(wanted) - 1);
    OPENSSL_free(der);
    expect_ok(ctx, mesh_reference_write(ctx, "mesh:", out));
    assert_int_equal(BIO_get_mem_data(out, &text), sizeof(pem) - 1);
    assert_memory_equal(text, pem, sizeof(pem) - 1);
    BIO_free(out);
}

static void test_malformed(void **state)
{
#define V1 "\x0c\x15mesh key reference v1"
    static const struct {
        const char *data;
        size_t len;
        const char *problem;
    } rows[] = {
#define ROW(data, problem) {data, sizeof(data) - 1, problem}
        ROW("", "truncated"),
        ROW("\x30", "truncated"),
        ROW("\x30\x1e" V1 "\x0c\x05mesh", "truncated"),
        ROW("\x30\x1e" V1 "\x0c\x06mesh:", "truncated"),
        ROW("\x30\x17" V1, "truncated"),
        ROW("\x30\x1e" V1 "\x0c\x05mesh:\n", "1 octets follow"),
        ROW("\x30\x1e" V1 "\x0c\x05mesh:\x30\x1e" V1 "\x0c\x05mesh:",
            "32 octets follow"),
        ROW("\x30\x20" V1 "\x0c\x05mesh:\x05\x00", "truncated or damaged"),
        ROW("\x30\x1e\x0c\x15mesh key reference v2\x0c\x05mesh:",
            "another version; this provider reads v1"),
        ROW("\x30\x1f\x0c\x16mesh key reference v10\x0c\x05mesh:",
            "another version"),
        ROW("\x30\x1d\x0c\x14mesh key reference v\x0c\x05mesh:",
            "another version"),
        ROW("\x30\x1e\x0c\x15Mesh key reference v1\x0c\x05mesh:",
            "does not begin with"),
        ROW("\x30\x1e\x13\x15mesh key reference v1\x0c\x05mesh:", "damaged"),
        ROW("\x30\x1e" V1 "\x16\x05mesh:", "damaged"),
        ROW("\x31\x1e" V1 "\x0c\x05mesh:", "damaged"),
        ROW("\x30\x1e" V1 "\x0c\x05me\0h:", "null octet"),
        /* BER, but not DER */
        ROW("\x30\x81\x1e" V1 "\x0c\x05mesh:", "not in DER"),
        ROW("\x30\x80" V1 "\x0c\x05mesh:\0\0", "not in DER"),
        ROW("\x30\x20" V1 "\x2c\x07\x0c\x05mesh:", "not in DER"),
        ROW("\x30\x1f" V1 "\x0c\x81\x05mesh:", "not in DER"),
    };
    size_t i;
    char *uri = "";

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            mesh_reference_decode(ctx, (const unsigned char *)rows[i].data,
                                  rows[i].len, &uri),
            0);
        expect_error(ctx, MESH_R_REFERENCE_MALFORMED, rows[i].problem);
        assert_null(uri);
    }
}

/* Foreign data is passed over; what has our text, of any version, is ours. */
static void test_is(void **state)
{
    static const char foreign[] = "\x30\x82\x01\x00\x02\x01\x00\x30\x0d\x06\x09"
                                  "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05"
                                  "mesh key reference v1";
    static const char next[] = "\x30\x1e\x0c\x15mesh key reference v9";
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(foreign); i++)
        assert_int_equal(mesh_reference_is((const unsigned char *)foreign, i),
                         0);
    for (i = 0; i < sizeof(next); i++)
        assert_int_equal(mesh_reference_is((const unsigned char *)next, i),
                         i >= sizeof(next) - 2);
}

/* The reference names the profile and the key, whatever the role was. */
static void test_uri(void **state)
{
    static const char profile[] = "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD";
    EVP_PKEY *native = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "ED25519");
    char udf[MESH_UDF_TEXT_MAX], from[512], wanted[512], *uri;
    struct mesh_udf name;
    size_t i;

    (void)state;
    assert_int_equal(mesh_udf_of_key(ctx, native, &name), 1);
    mesh_udf_print(&name, udf);
    for (i = 0; i < 4; i++) {
        snprintf(from, sizeof(from), "mesh://%s%s", i < 2 ? profile : udf,
                 i % 2 == 0 ? "/sign" : "");
        snprintf(wanted, sizeof(wanted), "mesh://%s%s%s", i < 2 ? profile : udf,
                 i < 2 ? "/" : "", i < 2 ? udf : "");
        uri = mesh_reference_uri(ctx, from, native);
        assert_non_null(uri);
        assert_string_equal(uri, wanted);
        OPENSSL_free(uri);
    }
    expect_ok(ctx, 1);
    /* Keys that no URI names. */
    for (i = 0; i < 2; i++) {
        assert_null(mesh_reference_uri(ctx, i == 0 ? NULL : "mesh:", native));
        expect_error(ctx, MESH_R_NOT_EXPORTABLE, "without a mesh: URI");
    }
    EVP_PKEY_free(native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_format), TEST(test_malformed),
        TEST(test_is),         TEST(test_uri),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
