/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys in the Keychain: made, imported, found, listed, deleted.
 */
#include "tests/macos/keychain_test.h"

#include <dirent.h>
#include <unistd.h>

/* How many private halves have such a line before their PEM. */
static int count_lines(const char *line)
{
    DIR *folder = opendir(macos_double_folder());
    struct dirent *entry;
    char path[1024], text[256];
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        FILE *file;

        if (strstr(entry->d_name, ".private") == NULL)
            continue;
        snprintf(path, sizeof(path), "%s/%s", macos_double_folder(),
                 entry->d_name);
        file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(text, sizeof(text), file) != NULL)
            count += strncmp(text, line, strlen(line)) == 0;
        fclose(file);
    }
    closedir(folder);
    return count;
}

/* The one key that is there. */
static void check_alone(EVP_PKEY *public, const char *algorithm)
{
    struct mesh_key_name name = name_of(public);
    struct mesh_keystore_item *items;
    char label[MESH_UDF_TEXT_MAX + 16];
    size_t count;

    assert_int_equal(holds(public), 1);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 1);
    assert_string_equal(items->algorithm, algorithm);
    assert_string_equal(items->source, "keychain");
    assert_memory_equal(&items->name, &name, sizeof(name));
    OPENSSL_free(items);
    snprintf(label, sizeof(label), "label: mmm:%s\n", name.udf);
    assert_int_equal(count_lines(label), 1);
    assert_int_equal(count_lines("extractable: no"), 1);
    assert_int_equal(count_lines("extractable: yes"), 0);
    assert_int_equal(count_lines("sensitive: yes"), 1);
}

static void delete (EVP_PKEY *public)
{
    struct mesh_key_name name = name_of(public);
    struct mesh_keystore_item *items;
    size_t count;

    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    assert_int_equal(holds(public), 0);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 0);
    assert_null(items);
    assert_false(mesh_keystore_delete(ctx, &name));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
}

static void makes_and_deletes(void **state)
{
    static const char *const algorithms[] = {"RSA-2048", "RSA-3072", "P-256",
                                             "P-384", "P-521"};

    (void)state;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        EVP_PKEY *public = generate(algorithms[i]);

        check_alone(public, algorithms[i]);
        delete (public);
        EVP_PKEY_free(public);
    }
}

static void imports_and_deletes(void **state)
{
    static const char *const keys[][3] = {{"RSA", "2048", "RSA-2048"},
                                          {"EC", "P-256", "P-256"},
                                          {"EC", "P-384", "P-384"},
                                          {"EC", "P-521", "P-521"}};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        EVP_PKEY *key = software_key(keys[i][0], keys[i][1]), *public, *again;

        assert_int_equal(holds(key), 0);
        expect_ok(ctx, import_key(key, &public));
        assert_int_equal(EVP_PKEY_eq(key, public), 1);
        check_alone(public, keys[i][2]);
        assert_false(import_key(key, &again));
        expect_error(ctx, MESH_R_KEY_EXISTS, "is there already");
        assert_null(again);
        delete (public);
        EVP_PKEY_free(public);
        EVP_PKEY_free(key);
    }
}

/* As "security import" leaves it: without a public half, under another label.
 */
static void uses_a_key_that_came_alone(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};
    EVP_PKEY *key = software_key("EC", "P-256");
    unsigned char digest[32] = {1};
    struct mesh_keystore_item *items;
    struct mesh_key_name name = name_of(key);
    size_t count;

    (void)state;
    put_private("import.private", key);
    assert_int_equal(holds(key), 1);
    expect_ok(ctx, operate(key, &op, digest, sizeof(digest)));
    assert_true(verifies(key, 0, "SHA2-256", NULL, 0, digest, sizeof(digest)));
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 0);
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    assert_int_equal(holds(key), 0);
    EVP_PKEY_free(key);
}

/* One of ours whose public half is gone has no name to be listed by. */
static void lists_what_has_a_name(void **state)
{
    EVP_PKEY *public = generate("P-256");
    struct mesh_keystore_item *items;
    char command[1024];
    size_t count;

    (void)state;
    snprintf(command, sizeof(command), "rm %s/*.public", macos_double_folder());
    assert_int_equal(system(command), 0);
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 0);
    assert_int_equal(holds(public), 1);
    EVP_PKEY_free(public);
}

static void tells_its_status(void **state)
{
    struct mesh_keystore_status status;

    (void)state;
    expect_ok(ctx, mesh_keystore_status(ctx, &status));
    assert_string_equal(status.program, "Keychain of macOS (file-based)");
    assert_int_equal(status.pid, getpid());
    assert_int_equal(status.locked, 0);
    macos_double_lock(true);
    expect_ok(ctx, mesh_keystore_status(ctx, &status));
    assert_int_equal(status.locked, 1);
    expect_ok(ctx, mesh_keystore_lock(ctx));
}

/* A look asks nobody, whether the keychain is locked or not. */
static void finds_in_a_locked_keychain(void **state)
{
    EVP_PKEY *public = generate("P-256");

    (void)state;
    macos_double_lock(true);
    assert_int_equal(holds(public), 1);
    assert_int_equal(macos_double_prompts(), 0);
    EVP_PKEY_free(public);
}

static X509 *certificate_for(EVP_PKEY *key, long days)
{
    X509 *made = X509_new();

    assert_non_null(made);
    ASN1_INTEGER_set(X509_get_serialNumber(made), days);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), days * 86400);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

static void put_certificate(const char *name, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    assert_int_equal(BIO_write(bio, "", 1), 1);
    BIO_get_mem_data(bio, &text);
    put_file(name, text);
    BIO_free(bio);
}

static void finds_the_certificate_that_ends_last(void **state)
{
    EVP_PKEY *key = software_key("EC", "P-256");
    EVP_PKEY *other = software_key("EC", "P-256");
    struct mesh_key_name name = name_of(key);
    unsigned char *der, *expected = NULL;
    size_t len;
    long days[] = {3, 9, 5};

    (void)state;
    expect_ok(ctx, mesh_keystore_certificate(ctx, &name, &der, &len));
    assert_null(der);
    for (size_t i = 0; i < 3; i++) {
        X509 *made = certificate_for(key, days[i]);
        char file[32];

        snprintf(file, sizeof(file), "%zu.certificate", i);
        put_certificate(file, made);
        if (days[i] == 9)
            assert_true(i2d_X509(made, &expected) > 0);
        X509_free(made);
    }
    X509 *foreign = certificate_for(other, 20);
    put_certificate("other.certificate", foreign);
    X509_free(foreign);
    expect_ok(ctx, mesh_keystore_certificate(ctx, &name, &der, &len));
    assert_non_null(der);
    assert_memory_equal(der, expected, len);
    OPENSSL_free(der);
    OPENSSL_free(expected);
    /* one under the hash of another key is not taken */
    memset(name.spki_sha256, 0, sizeof(name.spki_sha256));
    expect_ok(ctx, mesh_keystore_certificate(ctx, &name, &der, &len));
    assert_null(der);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}

static void registers_no_files(void **state)
{
    EVP_PKEY *public;

    (void)state;
    assert_false(mesh_keystore_register_file(ctx, "/etc/key.pem", NULL, NULL, 0,
                                             &public));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED,
                 "import it into the "
                 "Keychain");
    assert_null(public);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_and_deletes),
        TEST(imports_and_deletes),
        TEST(uses_a_key_that_came_alone),
        TEST(lists_what_has_a_name),
        TEST(tells_its_status),
        TEST(finds_in_a_locked_keychain),
        TEST(finds_the_certificate_that_ends_last),
        TEST(registers_no_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
