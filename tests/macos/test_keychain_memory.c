/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out: every object of the frameworks, in every operation,
 * fails to be made once.  What cannot be done fails with an error, leaves no
 * object and no half-made key, and can be done right after.
 */
#include "tests/macos/keychain_test.h"

static EVP_PKEY *rsa, *rsa_public, *ec, *ec_public, *peer, *spare;
static unsigned char digest[32] = {1}, encrypted[OUT_MAX],
                     premaster[48] = {3, 3};
static size_t encrypted_len;

static int sign(enum mesh_padding padding, EVP_PKEY *key, const char *md,
                int salt)
{
    struct mesh_private_op op = {
        .operation = MESH_OP_SIGN, .padding = padding, .salt_length = salt};

    OPENSSL_strlcpy(op.digest, md, sizeof(op.digest));
    return operate(key, &op, digest, sizeof(digest));
}

static int sign_pkcs1(void)
{
    return sign(MESH_PAD_PKCS1, rsa_public, "SHA2-256", 0);
}
static int sign_pkcs1_by_raw(void)
{
    return sign(MESH_PAD_PKCS1, rsa_public, "SHA3-256", 0);
}
static int sign_pss(void)
{
    return sign(MESH_PAD_PSS, rsa_public, "SHA2-256", 32);
}
static int sign_pss_by_raw(void)
{
    return sign(MESH_PAD_PSS, rsa_public, "SHA2-256", 20);
}
static int sign_ecdsa(void)
{
    return sign(MESH_PAD_DEFAULT, ec_public, "SHA2-256", 0);
}

static int decrypt(enum mesh_padding padding, const char *label)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = padding,
                                 .implicit_rejection = 1,
                                 .label = (const unsigned char *)label,
                                 .label_len = label != NULL ? 1 : 0};

    if (padding == MESH_PAD_PKCS1_TLS) {
        op.implicit_rejection = 0;
        op.tls_client_version = 0x303;
    }
    return operate(rsa_public, &op, encrypted, encrypted_len);
}

static void prepare(int padding, const char *label)
{
    encrypted_len = encrypt(rsa_public, padding, NULL, NULL, label, premaster,
                            sizeof(premaster), encrypted);
}

static int decrypt_pkcs1(void)
{
    prepare(RSA_PKCS1_PADDING, NULL);
    return decrypt(MESH_PAD_PKCS1, NULL);
}
static int decrypt_tls(void)
{
    prepare(RSA_PKCS1_PADDING, NULL);
    return decrypt(MESH_PAD_PKCS1_TLS, NULL);
}
static int decrypt_oaep(void)
{
    prepare(RSA_PKCS1_OAEP_PADDING, NULL);
    return decrypt(MESH_PAD_OAEP, NULL);
}
static int decrypt_oaep_by_raw(void)
{
    prepare(RSA_PKCS1_OAEP_PADDING, "x");
    return decrypt(MESH_PAD_OAEP, "x");
}

static int derive(void)
{
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(peer, &spki), ok;

    ok = operate(ec_public, &op, spki, (size_t)len);
    OPENSSL_free(spki);
    return ok;
}

static int look(void)
{
    struct mesh_key_name name = name_of(rsa_public);
    int held = 0;

    return mesh_keystore_holds(ctx, &name, &held) && held;
}

static int list(void)
{
    struct mesh_keystore_item *items;
    size_t count;

    if (!mesh_keystore_list(ctx, &items, &count))
        return 0;
    OPENSSL_free(items);
    return 1;
}

static int certificate(void)
{
    struct mesh_key_name name = name_of(rsa_public);
    unsigned char *der;
    size_t len;

    return mesh_keystore_certificate(ctx, &name, &der, &len) && der == NULL;
}

static int status(void)
{
    struct mesh_keystore_status status_of;

    return mesh_keystore_status(ctx, &status_of);
}

static size_t count_keys(void)
{
    struct mesh_keystore_item *items;
    size_t count;

    macos_double_fail_allocation(0);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    OPENSSL_free(items);
    return count;
}

static int remove_key(EVP_PKEY *public)
{
    struct mesh_key_name name = name_of(public);

    macos_double_fail_allocation(0);
    return mesh_keystore_delete(ctx, &name);
}

/* All or nothing; what was made is removed again. */
static int make(const char *algorithm)
{
    EVP_PKEY *public = NULL;
    struct capture before;

    if (!mesh_keystore_generate(ctx, algorithm, &public)) {
        before = capture;
        memset(&capture, 0, sizeof(capture));
        assert_null(public);
        assert_int_equal(count_keys(), 2);
        capture = before;
        return 0;
    }
    assert_true(remove_key(public));
    EVP_PKEY_free(public);
    return 1;
}

static int make_ec(void)
{
    return make("P-256");
}

static int import(void)
{
    EVP_PKEY *public = NULL;
    struct capture before;

    if (!import_key(spare, &public)) {
        before = capture;
        memset(&capture, 0, sizeof(capture));
        assert_null(public);
        assert_int_equal(holds(spare), 0);
        capture = before;
        return 0;
    }
    assert_true(remove_key(public));
    EVP_PKEY_free(public);
    return 1;
}

/* A key to delete, each time. */
static int delete_one(void)
{
    struct mesh_key_name name = name_of(spare);
    EVP_PKEY *public = NULL;
    int held = 0;

    expect_ok(ctx, mesh_keystore_holds(ctx, &name, &held));
    if (!held)
        expect_ok(ctx, import_key(spare, &public));
    EVP_PKEY_free(public);
    return 1;
}

static int delete_it(void)
{
    struct mesh_key_name name = name_of(spare);

    return mesh_keystore_delete(ctx, &name);
}

static const struct {
    const char *what;
    int (*before)(void);
    int (*run)(void);
    long at_least; /* objects */
} operations[] = {
    {"sign PKCS1", NULL, sign_pkcs1, 6},
    {"sign PKCS1 by raw", NULL, sign_pkcs1_by_raw, 6},
    {"sign PSS", NULL, sign_pss, 6},
    {"sign PSS by raw", NULL, sign_pss_by_raw, 6},
    {"sign ECDSA", NULL, sign_ecdsa, 6},
    {"decrypt PKCS1", NULL, decrypt_pkcs1, 8},
    {"decrypt PKCS1-TLS", NULL, decrypt_tls, 6},
    {"decrypt OAEP", NULL, decrypt_oaep, 6},
    {"decrypt OAEP by raw", NULL, decrypt_oaep_by_raw, 6},
    {"derive", NULL, derive, 8},
    {"holds", NULL, look, 4},
    {"list", NULL, list, 8},
    {"certificate", NULL, certificate, 2},
    {"status", NULL, status, 1},
    {"generate", NULL, make_ec, 10},
    {"import", NULL, import, 10},
    {"delete", delete_one, delete_it, 4},
};

static void check_failure(const char *what, long n, int ok)
{
    if (!ok && capture.count == 0)
        fail_msg("%s, object %ld: failed without an error", what, n);
    if (ok && capture.count != 0)
        fail_msg("%s, object %ld: an error, and success: %s", what, n,
                 capture.text);
    if (macos_double_live() != 0)
        fail_msg("%s, object %ld: %ld are left", what, n, macos_double_live());
}

/* Whether it succeeds without the n-th object; *made is how many there were. */
static int run_without(size_t i, long n, long *made)
{
    long before;
    int ok;

    memset(&capture, 0, sizeof(capture));
    if (operations[i].before != NULL)
        assert_true(operations[i].before());
    before = macos_double_allocations();
    macos_double_fail_allocation(n);
    ok = operations[i].run();
    *made = macos_double_allocations() - before;
    macos_double_fail_allocation(0);
    check_failure(operations[i].what, n, ok);
    return ok;
}

static void sweep(size_t i)
{
    long made, n = 1;
    int failures = 0;

    do
        failures += !run_without(i, n, &made);
    while (made >= n++);
    print_message("%s: %ld objects, %d failures\n", operations[i].what, n - 2,
                  failures);
    assert_true(n - 2 >= operations[i].at_least);
    assert_true(failures >= operations[i].at_least - 2);
    assert_true(run_without(i, 0, &made));
}

static void memory_runs_out(void **state)
{
    (void)state;
    rsa = software_key("RSA", "2048");
    ec = software_key("EC", "P-256");
    peer = software_key("EC", "P-256");
    spare = software_key("EC", "P-384");
    expect_ok(ctx, import_key(rsa, &rsa_public));
    expect_ok(ctx, import_key(ec, &ec_public));
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        sweep(i);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa_public);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ec_public);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(spare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
