/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys that lie in files: every encoding, whose they are, where their
 * passphrases are.
 */
#include "platform/linux/keyd/key_file.h"
#include "platform/linux/keyd/keys.h"
#include "platform/key_files.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/home.h"

#include <openssl/crypto.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#define PASSPHRASE "correct horse"

static struct {
    char path[512], passphrase[64];
    int gets, sets, removes;
    enum mesh_reason fails; /* of removing */
} kept;

static int get_kept(void *arg, struct mesh_context *c, const char *path,
                    const struct mesh_patience *patience, char **passphrase,
                    size_t *len)
{
    (void)arg, (void)c, (void)patience;
    kept.gets++;
    *passphrase = NULL;
    *len = 0;
    if (strcmp(path, kept.path) == 0) {
        *passphrase = OPENSSL_strdup(kept.passphrase);
        *len = strlen(kept.passphrase);
    }
    return 1;
}

static int set_kept(void *arg, struct mesh_context *c, const char *path,
                    const struct mesh_patience *patience,
                    const char *passphrase, size_t len)
{
    (void)arg, (void)c, (void)patience;
    kept.sets++;
    snprintf(kept.path, sizeof(kept.path), "%s", path);
    snprintf(kept.passphrase, sizeof(kept.passphrase), "%.*s", (int)len,
             passphrase);
    return 1;
}

static int remove_kept(void *arg, struct mesh_context *c, const char *path,
                       const struct mesh_patience *patience)
{
    (void)arg, (void)patience;
    kept.removes++;
    if (kept.fails != MESH_R_NONE)
        return mesh_raise(c, kept.fails, "on order");
    if (strcmp(path, kept.path) == 0)
        kept.path[0] = '\0';
    return 1;
}

static const struct mesh_passphrase_store passphrases = {get_kept, set_kept,
                                                         remove_kept, NULL};
static const struct mesh_patience patience = {1, INT64_MAX};
static struct mesh_key_source *files;

static int set_up(void **state)
{
    memset(&kept, 0, sizeof(kept));
    return make_home(state)
           || (files = mesh_key_file_source_new(&passphrases)) == NULL;
}

static int tear_down(void **state)
{
    files->free(files);
    test_key(NULL, NULL);
    return remove_home(state);
}

/* Writes a key the way OSSL_ENCODER knows it. */
static const char *key_file(const char *name, EVP_PKEY *key, const char *output,
                            const char *structure, const char *passphrase)
{
    const char *path = in_home(name);
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
        key, EVP_PKEY_KEYPAIR, output, structure, NULL);
    unsigned char *data = NULL;
    size_t len;

    if (passphrase != NULL) {
        assert_true(OSSL_ENCODER_CTX_set_cipher(encoder, "AES-256-CBC", NULL));
        assert_true(OSSL_ENCODER_CTX_set_passphrase(
            encoder, (const unsigned char *)passphrase, strlen(passphrase)));
    }
    assert_true(OSSL_ENCODER_to_data(encoder, &data, &len));
    put(path, data, len, 0600);
    OPENSSL_clear_free(data, len);
    OSSL_ENCODER_CTX_free(encoder);
    return path;
}

static int add(const char *path, const char *place, const char *passphrase,
               EVP_PKEY **key)
{
    return mesh_key_file_register(files, ctx, path, place, passphrase,
                                  passphrase != NULL ? strlen(passphrase) : 0,
                                  &patience, key);
}

static struct mesh_key_name name_of(EVP_PKEY *key)
{
    struct mesh_key_name name;

    assert_true(mesh_key_name_of(ctx, key, &name));
    return name;
}

static int find(EVP_PKEY *named, EVP_PKEY **found)
{
    struct mesh_key_name name = name_of(named);

    return files->find(files, ctx, &name, &patience, found);
}

static void expect_found(EVP_PKEY *named)
{
    EVP_PKEY *found;

    expect_ok(ctx, find(named, &found));
    assert_non_null(found);
    assert_int_equal(EVP_PKEY_eq(found, named), 1);
    EVP_PKEY_free(found);
}

static int registered(void)
{
    struct mesh_layout *layout;
    int n = 0;

    assert_true(mesh_layout_open(ctx, &layout));
    while (mesh_key_file_entry(layout, (size_t)n) != NULL)
        n++;
    mesh_layout_free(layout);
    return n;
}

static void reads_every_encoding(void **state)
{
    static const struct {
        const char *algorithm, *output, *structure;
    } cases[] = {
        {"RSA-2048", "PEM", "PrivateKeyInfo"},
        {"RSA-2048", "DER", "PrivateKeyInfo"},
        {"RSA-2048", "PEM", "type-specific"},
        {"RSA-2048", "DER", "type-specific"},
        {"P-256", "PEM", "PrivateKeyInfo"},
        {"P-256", "PEM", "type-specific"},
        {"P-256", "DER", "type-specific"},
        {"ED25519", "PEM", "PrivateKeyInfo"},
        {"ED25519", "DER", "PrivateKeyInfo"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EVP_PKEY *key = test_key(ctx, cases[i].algorithm), *read;
        const char *path =
            key_file("key", key, cases[i].output, cases[i].structure, NULL);

        expect_ok(ctx, add(path, NULL, NULL, &read));
        assert_int_equal(EVP_PKEY_eq(read, key), 1);
        EVP_PKEY_free(read);
        expect_found(key);
    }
    assert_int_equal(registered(), 3);
}

/* Servers put certificate and key into one file, in any order. */
static void passes_over_certificates(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    const char *path = in_home("both.pem");
    FILE *file = fopen(path, "w");
    X509 *cert = X509_new();

    (void)state;
    X509_set_pubkey(cert, key);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 1000);
    X509_sign(cert, key, EVP_sha256());
    fputs("some text\n", file);
    PEM_write_X509(file, cert);
    PEM_write_X509(file, cert);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    PEM_write_X509(file, cert);
    fclose(file);
    X509_free(cert);
    chmod(path, 0600);
    expect_ok(ctx, add(path, NULL, NULL, &read));
    assert_int_equal(EVP_PKEY_eq(read, key), 1);
    EVP_PKEY_free(read);
}

static void uses_kept_passphrases(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    const char *path =
        key_file("sealed", key, "PEM", "PrivateKeyInfo", PASSPHRASE);

    (void)state;
    assert_false(add(path, NULL, NULL, &read));
    expect_error(ctx, MESH_R_PASSPHRASE, "is encrypted");
    assert_false(add(path, "secret-service", NULL, &read));
    expect_error(ctx, MESH_R_PASSPHRASE, "has no passphrase for it");
    assert_false(add(path, "secret-service", "wrong", &read));
    expect_error(ctx, MESH_R_PASSPHRASE, "does not open it");
    assert_false(add(path, NULL, PASSPHRASE, &read));
    expect_error(ctx, MESH_R_USAGE, "only the Secret Service");
    assert_false(add(path, "under the mat", NULL, &read));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "\"under the mat\"");
    assert_int_equal(kept.sets, 0);
    assert_int_equal(registered(), 0);
    assert_null(read);

    expect_ok(ctx, add(path, "secret-service", PASSPHRASE, &read));
    EVP_PKEY_free(read);
    assert_int_equal(kept.sets, 1);
    expect_found(key);
    /* it is there already */
    expect_ok(ctx, add(path, "secret-service", NULL, &read));
    EVP_PKEY_free(read);
    strcpy(kept.passphrase, "changed");
    assert_false(find(key, &read));
    expect_error(ctx, MESH_R_PASSPHRASE, "does not open it");

    path = key_file("plain", key, "PEM", "PrivateKeyInfo", NULL);
    assert_false(add(path, "secret-service", PASSPHRASE, &read));
    expect_error(ctx, MESH_R_USAGE, "is not encrypted");
}

static void uses_credentials(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    const char *path =
        key_file("sealed", key, "DER", "PrivateKeyInfo", PASSPHRASE);

    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_false(add(path, "credential:web", NULL, &read));
    expect_error(ctx, MESH_R_PASSPHRASE, "no credential \"web\"");
    setenv("CREDENTIALS_DIRECTORY", home, 1);
    assert_false(add(path, "credential:web", NULL, &read));
    expect_error(ctx, MESH_R_FILE_IO, "/web");
    assert_false(add(path, "credential:../web", NULL, &read));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "\"credential:../web\"");
    put(in_home("web"), PASSPHRASE "\n", sizeof(PASSPHRASE), 0400);
    expect_ok(ctx, add(path, "credential:web", NULL, &read));
    EVP_PKEY_free(read);
    expect_found(key);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void refuses_what_others_can_read(void **state)
{
    static const mode_t open_modes[] = {0604, 0602, 0660, 0620, 0644, 0601};
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    const char *path = key_file("key", key, "PEM", "PrivateKeyInfo", NULL);
    struct mesh_key_name name = name_of(key);
    char mode[8];
    int held;

    (void)state;
    expect_ok(ctx, add(path, NULL, NULL, &read));
    EVP_PKEY_free(read);
    for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
        chmod(path, open_modes[i]);
        snprintf(mode, sizeof(mode), "%04o", (unsigned)open_modes[i]);
        assert_false(find(key, &read));
        expect_error(ctx, MESH_R_UNSAFE_FILE, mode);
        assert_false(files->holds(files, ctx, &name, &held));
        expect_error(ctx, MESH_R_UNSAFE_FILE, path);
        assert_false(add(path, NULL, NULL, &read));
        expect_error(ctx, MESH_R_UNSAFE_FILE, path);
    }
    chmod(path, 0640); /* as in /etc/ssl/private, if root owns it */
    if (geteuid() == 0) {
        expect_found(key);
        assert_int_equal(chown(path, 12345, 0), 0);
        chmod(path, 0600);
    }
    assert_false(find(key, &read));
    expect_error(ctx, MESH_R_UNSAFE_FILE, path);
}

static void refuses_bad_paths(void **state)
{
    EVP_PKEY *read;
    char path[600];

    (void)state;
    assert_false(add("key.pem", NULL, NULL, &read));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "absolute path");
    snprintf(path, sizeof(path), "%s/../home/key", home);
    assert_false(add(path, NULL, NULL, &read));
    expect_error(ctx, MESH_R_UNSAFE_PATH, "\"..\"");
    assert_false(add(in_home("missing"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_FILE_IO, "missing");
    assert_false(add(home, NULL, NULL, &read));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "regular");
    assert_int_equal(mkfifo(in_home("fifo"), 0600), 0);
    assert_false(add(in_home("fifo"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "regular");
    assert_int_equal(registered(), 0);
}

static void refuses_what_is_no_key(void **state)
{
    static const char rubbish[] = "-----BEGIN PRIVATE KEY-----\nMIGH\n"
                                  "-----END PRIVATE KEY-----\n";
    EVP_PKEY *read;
    unsigned char *large = OPENSSL_zalloc(2 << 20);
    FILE *file;

    (void)state;
    put(in_home("empty"), "", 0, 0600);
    put(in_home("rubbish"), rubbish, sizeof(rubbish) - 1, 0600);
    put(in_home("large"), large, 2 << 20, 0600);
    OPENSSL_free(large);
    file = fopen(in_home("public"), "w");
    PEM_write_PUBKEY(file, test_key(ctx, "P-256"));
    fclose(file);
    chmod(in_home("public"), 0600);
    assert_false(add(in_home("empty"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "no private key");
    assert_false(add(in_home("rubbish"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "no private key");
    assert_false(add(in_home("public"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "public");
    assert_false(add(in_home("large"), NULL, NULL, &read));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "larger than a key");
    assert_int_equal(registered(), 0);
}

static void proves_what_the_file_holds(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    struct mesh_key_name name = name_of(key);
    struct mesh_keys *keys = mesh_keys_new(100, 100);
    struct mesh_key_source *own = mesh_key_file_source_new(NULL);

    (void)state;
    mesh_keys_add_source(keys, own);
    expect_ok(ctx, add(key_file("key", key, "PEM", "PrivateKeyInfo", NULL),
                       NULL, NULL, &read));
    EVP_PKEY_free(read);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &read));
    EVP_PKEY_free(read);
    mesh_keys_forget(keys);
    /* somebody puts another key there */
    key_file("key", test_key(ctx, "P-384"), "PEM", "PrivateKeyInfo", NULL);
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &read));
    expect_error(ctx, MESH_R_KEY_MISMATCH, "key-file");
    mesh_keys_free(keys);
}

static int collect(void *arg, const struct mesh_keystore_item *item)
{
    *(struct mesh_keystore_item *)arg = *item;
    return 1;
}

static void lists_and_removes(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    struct mesh_key_name name = name_of(key);
    struct mesh_keystore_item item = {.algorithm = ""};
    struct mesh_keystore_status status = {.pid = 0};
    const char *path = key_file("key", key, "PEM", "PrivateKeyInfo", NULL);
    struct stat st;
    int removed, held;

    (void)state;
    expect_ok(ctx, files->remove(files, ctx, &name, &patience, &removed));
    assert_int_equal(removed, 0);
    expect_ok(ctx, add(path, NULL, NULL, &read));
    EVP_PKEY_free(read);
    expect_ok(ctx, files->list(files, ctx, &patience, collect, &item));
    assert_string_equal(item.source, "key-file");
    assert_string_equal(item.name.udf, name.udf);
    expect_ok(ctx, files->holds(files, ctx, &name, &held));
    assert_int_equal(held, 1);
    expect_ok(ctx, files->remove(files, ctx, &name, &patience, &removed));
    assert_int_equal(removed, 1);
    assert_int_equal(registered(), 0);
    assert_int_equal(stat(path, &st), 0); /* it is the owner's */
    expect_ok(ctx, find(key, &read));
    assert_null(read);
    files->status(files, ctx, &status);
    assert_string_equal(status.home, home);
}

/* The passphrase goes with the registration, and not before another key's that
 * lies in the same place. */
static void removes_passphrases(void **state)
{
    static const char *const algorithms[] = {"P-256", "P-384"};
    struct mesh_key_name names[2];
    EVP_PKEY *read;
    int removed;

    (void)state;
    for (int i = 0; i < 2; i++) {
        EVP_PKEY *key = test_key(ctx, algorithms[i]);

        names[i] = name_of(key);
        expect_ok(ctx, add(key_file("sealed", key, "PEM", "PrivateKeyInfo",
                                    PASSPHRASE),
                           "secret-service", PASSPHRASE, &read));
        EVP_PKEY_free(read);
    }
    expect_ok(ctx, files->remove(files, ctx, &names[0], &patience, &removed));
    assert_int_equal(removed, 1);
    assert_int_equal(kept.removes, 0);
    expect_found(test_key(ctx, "P-384"));

    kept.fails = MESH_R_LOCKED;
    assert_false(files->remove(files, ctx, &names[1], &patience, &removed));
    expect_error(ctx, MESH_R_LOCKED, "on order");
    assert_int_equal(removed, 0);
    assert_int_equal(registered(), 1);
    kept.fails = MESH_R_NONE;
    expect_ok(ctx, files->remove(files, ctx, &names[1], &patience, &removed));
    assert_int_equal(removed, 1);
    assert_string_equal(kept.path, "");
    assert_int_equal(registered(), 0);

    /* where there is none any more, its registration can go all the same */
    expect_ok(ctx, add(in_home("sealed"), "secret-service", PASSPHRASE, &read));
    EVP_PKEY_free(read);
    kept.fails = MESH_R_NO_SECRET_SERVICE;
    expect_ok(ctx, files->remove(files, ctx, &names[1], &patience, &removed));
    assert_int_equal(registered(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_encoding, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(passes_over_certificates, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uses_kept_passphrases, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(uses_credentials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_others_can_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(proves_what_the_file_holds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lists_and_removes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removes_passphrases, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
