/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key is made and entered in a profile, or nothing of it has happened.
 */
#include "store/make_key.h"

#include "store/change.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/uri.h"
#include "tests/store/made.h"

static struct mesh_context *ctx;
static char home[OWN_HOME_MAX], folder[MAX_PATH];
static char device_udf[MESH_UDF_TEXT_MAX], *device_file;

/* A home with one device, whose only key is in the key store. */
static int make_home(void **state)
{
    EVP_PKEY *key;
    json_t *object;
    char *text;
    size_t len;

    forget_errors(state);
    fake.unreachable = 0;
    ctx = test_context();
    assert_true(own_home(home, folder));
    expect_ok(ctx, mesh_context_configure(ctx, "home", home));
    key = fake_generate(ctx, "P-256");
    udf_of(ctx, key, device_udf);
    object = device(ctx, key);
    text = mesh_profile_text(ctx, "SignedDeviceProfile", object, &len);
    device_file = mesh_layout_standard_file(ctx, device_udf);
    expect_ok(ctx,
              mesh_layout_write_file(ctx, device_file, text, len)
                  && mesh_layout_add(ctx, MESH_PROFILE_DEVICE, device_udf, NULL)
                  && mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL,
                                             device_udf));
    OPENSSL_free(text);
    json_decref(object);
    return 0;
}

static int remove_home(void **state)
{
    (void)state;
    OPENSSL_free(device_file);
    mesh_context_free(ctx);
    fake_free();
    return !remove_own_home(home, folder);
}

static size_t held(void)
{
    size_t count = 0;

    while (fake.keys[count] != NULL)
        count++;
    return count;
}

/* How many keys of the device a role names. */
static size_t count_of(const char *role)
{
    const struct mesh_profile_key *key;
    struct mesh_profile *profile;
    size_t count;

    expect_ok(ctx, mesh_resolve_profile(ctx, "device", &profile, &key));
    count = mesh_profile_find_keys(ctx, profile, role, &key, 1);
    mesh_profile_free(profile);
    return count;
}

/* Whether a role names one key, which could be deleted. */
static int one_key(const char *role)
{
    const struct mesh_profile_key *key;
    struct mesh_profile *profile;

    expect_ok(ctx, mesh_resolve_profile(ctx, "device", &profile, &key));
    key = mesh_profile_one_key(ctx, profile, role);
    mesh_profile_free(profile);
    return key != NULL;
}

/* The URI gives the private key, which is this one. */
static void names(const char *uri, EVP_PKEY *public)
{
    struct mesh_objects objects;

    expect_ok(ctx, mesh_resolve(ctx, uri, MESH_OBJECT_PRIVATE, NULL, &objects));
    assert_int_equal(objects.count, 1);
    assert_int_equal(EVP_PKEY_eq(mesh_key_public(objects.items[0].key), public),
                     1);
    mesh_objects_free(&objects);
}

static void test_make_and_unmake(void **state)
{
    char *uri[3], own[sizeof("mesh://device/") + MESH_UDF_TEXT_MAX];
    EVP_PKEY *first, *second, *third;

    (void)state;
    expect_ok(ctx,
              mesh_make_key(ctx, "P-256", "device", "vpn", &first, &uri[0]));
    names("mesh://device/vpn", first);
    expect_ok(ctx, mesh_make_key(ctx, "ED25519", NULL, NULL, &second, &uri[1]));
    names("mesh://device/" MESH_ROLE_DEFAULT, second);
    expect_ok(ctx,
              mesh_make_key(ctx, "ED25519", device_udf, NULL, &third, &uri[2]));
    assert_false(one_key(MESH_ROLE_DEFAULT));
    expect_error(ctx, MESH_R_AMBIGUOUS, "several keys '" MESH_ROLE_DEFAULT "'");
    assert_true(one_key(strrchr(uri[0], '/') + 1));
    assert_true(one_key(device_udf)); /* for signatures and for encryption */
    BIO_snprintf(own, sizeof(own), "mesh://device/%s", device_udf);
    names(own, fake.keys[0]);
    names(uri[1], second);
    names(uri[2], third);
    assert_int_equal(held(), 4);

    expect_ok(ctx, mesh_unmake_key(ctx, first, uri[0]));
    assert_int_equal(count_of("vpn"), 0);
    expect_ok(ctx, mesh_unmake_key(ctx, second, uri[1]));
    names("mesh://device/" MESH_ROLE_DEFAULT, third);
    assert_int_equal(held(), 2);

    assert_false(mesh_unmake_key(ctx, first, uri[0]));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, "");
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    EVP_PKEY_free(third);
    for (size_t i = 0; i < 3; i++)
        OPENSSL_free(uri[i]);
}

/* A role in use keeps its URI, and is free again when its key is gone. */
static void test_renewed(void **state)
{
    EVP_PKEY *first, *second;
    struct mesh_key_name name;
    char *uri[2];

    (void)state;
    expect_ok(ctx, mesh_make_key(ctx, "P-256", NULL, "vpn", &first, &uri[0]));
    assert_false(mesh_make_key(ctx, "P-256", NULL, "vpn", &second, &uri[1]));
    expect_error(ctx, MESH_R_KEY_EXISTS, "or take another role");
    names("mesh://device/vpn", first);
    assert_int_equal(held(), 2);
    /* Of a dead key, too. */
    expect_ok(ctx, mesh_key_name_of(ctx, first, &name)
                       && mesh_keystore_delete(ctx, &name));
    assert_false(mesh_make_key(ctx, "P-256", NULL, "vpn", &second, &uri[1]));
    expect_error(ctx, MESH_R_KEY_EXISTS, device_udf);
    expect_ok(ctx, mesh_forget_key(ctx, first, "device"));
    expect_ok(ctx, mesh_make_key(ctx, "P-256", NULL, "vpn", &second, &uri[1]));
    names("mesh://device/vpn", second);
    assert_int_equal(held(), 2);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    OPENSSL_free(uri[0]);
    OPENSSL_free(uri[1]);
}

/* The file's text; the caller frees. */
static char *text_of_device(void)
{
    unsigned char *text;
    size_t len;

    expect_ok(ctx, mesh_layout_read_file(ctx, device_file,
                                         MESH_PROFILE_FILE_MAX, &text, &len));
    return (char *)text;
}

static void test_refused(void **state)
{
    static const struct {
        const char *profile, *role;
        enum mesh_reason reason;
    } rows[] = {
        {"personal", "vpn", MESH_R_NO_DEFAULT},
        {"mesh://device/sign", "vpn", MESH_R_USAGE},
        {"device", "sign", MESH_R_USAGE},
        {"device", "DeviceSignatureKey", MESH_R_USAGE},
        {"device", "Identifier", MESH_R_USAGE},
        {"device", "escrow", MESH_R_USAGE}, /* means MasterEscrowKeys */
        {"device", "Master", MESH_R_USAGE},
        {"device", "Updated", MESH_R_USAGE},
        {"device", "", MESH_R_USAGE},
        {"device", "v\303\266n", MESH_R_USAGE},
        {"device", "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", MESH_R_USAGE},
    };
    char *before = text_of_device(), *after, *uri;
    EVP_PKEY *public;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(mesh_make_key(ctx, "ED25519", rows[i].profile,
                                   rows[i].role, &public, &uri));
        expect_error(ctx, rows[i].reason, "");
        assert_null(public);
        assert_null(uri);
    }
    fake.unreachable = 1;
    assert_false(mesh_make_key(ctx, "ED25519", NULL, NULL, &public, &uri));
    expect_error(ctx, MESH_R_KEYD_START, "");
    fake.unreachable = 0;
    after = text_of_device();
    assert_string_equal(after, before);
    assert_int_equal(held(), 1);
    OPENSSL_free(before);
    OPENSSL_free(after);
}

static int steps;      /* that are allowed */
static int cut_at_end; /* and then the key store is gone, too */

static int count_down(struct mesh_context *c)
{
    if (steps-- > 0)
        return 1;
    fake.unreachable = cut_at_end;
    return mesh_raise(c, MESH_R_INTERRUPTED, "as the test wants");
}

/* A change that is stopped before one of its steps; whether it was. */
static int stopped(int allowed, struct mesh_change *change)
{
    const struct mesh_profile_key *ignored;
    struct mesh_profile *profile = NULL;
    EVP_PKEY *public = NULL;
    int ok;

    steps = allowed;
    mesh_change_begin(change, ctx);
    change->go_on = count_down;
    ok = mesh_change_generate(change, "ED25519", &public)
         && mesh_change_lock(change)
         && mesh_resolve_profile(ctx, "device", &profile, &ignored)
         && mesh_change_enter_key(change, &profile, "vpn", public, NULL);
    ok = mesh_change_end(change, ok);
    mesh_profile_free(profile);
    EVP_PKEY_free(public);
    return !ok;
}

static void test_stopped(void **state)
{
    char *before = text_of_device(), *after;
    struct mesh_change change;
    int allowed;

    (void)state;
    cut_at_end = 0;
    for (allowed = 0; stopped(allowed, &change); allowed++) {
        expect_error(ctx, MESH_R_INTERRUPTED, "");
        after = text_of_device();
        assert_string_equal(after, before);
        assert_int_equal(held(), 1);
        assert_int_equal(change.undone, allowed > 0);
        OPENSSL_free(after);
    }
    expect_ok(ctx, allowed == 4); /* generate, lock, write, end */
    assert_int_equal(count_of("vpn"), 1);
    assert_false(change.undone);
    OPENSSL_free(before);
}

/* What could not be undone is said, and how to do it. */
static void test_not_undone(void **state)
{
    struct mesh_change change;

    (void)state;
    cut_at_end = 1;
    assert_true(stopped(3, &change));
    fake.unreachable = 0;
    assert_int_equal(captured.reason, MESH_R_OPERATION_FAILED);
    assert_non_null(strstr(captured.text, "meshctl delete mesh://M"));
    assert_false(change.undone);
    forget_errors(NULL);
    assert_int_equal(held(), 2);
    assert_int_equal(count_of("vpn"), 0);
}

/* Memory that free() would not take. */
static void *odd_malloc(size_t size)
{
    char *block = malloc(size + 16);

    return block != NULL ? block + 16 : NULL;
}

static void odd_free(void *block)
{
    if (block != NULL)
        free((char *)block - 16);
}

/* The application may have given jansson an allocator of its own. */
static void test_odd_allocator(void **state)
{
    EVP_PKEY *public;
    char *uri;

    (void)state;
    json_set_alloc_funcs(odd_malloc, odd_free);
    expect_ok(ctx, mesh_make_key(ctx, "P-256", NULL, "vpn", &public, &uri));
    EVP_PKEY_free(public);
    OPENSSL_free(uri);
    assert_int_equal(count_of("vpn"), 1);
    json_set_alloc_funcs(malloc, free);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_make_and_unmake), TEST(test_renewed),
        TEST(test_refused),         TEST(test_stopped),
        TEST(test_not_undone),      TEST(test_odd_allocator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
