/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A version of a personal profile from outside, by its master profile.
 */
#include "store/enter.h"

#include "store/payload.h"
#include "store/resolve.h"
#include "tests/store/made.h"

static struct mesh_context *ctx;
static char home[OWN_HOME_MAX], folder[MAX_PATH];
static EVP_PKEY *master_key, *removed, *online, *device_key;
static char owner[MESH_UDF_TEXT_MAX], device_udf[MESH_UDF_TEXT_MAX];

/* The text of a version whose master profile lists key, which signs. */
static char *make_version(EVP_PKEY *key, const char *master_time,
                          const char *time, size_t *len)
{
    json_t *master_body, *body, *object;
    char *text;

    master_body = json_pack("{ss so s[o]}", "Identifier", owner,
                            "MasterSignatureKey", key_json(ctx, master_key),
                            "OnlineSignatureKeys", key_json(ctx, key));
    if (master_time != NULL)
        json_object_set_new(master_body, "Updated", json_string(master_time));
    body = personal_body(sign(ctx, "MasterProfile", master_body, master_key),
                         device(ctx, device_key), APP, device_udf);
    if (time != NULL)
        json_object_set_new(body, "Updated", json_string(time));
    object = sign(ctx, "PersonalProfile", body, key);
    text = mesh_profile_text(ctx, "SignedPersonalProfile", object, len);
    json_decref(object);
    return text;
}

/* Enters a version of the profile that name is. */
static int enter_text(const char *name, const char *text, size_t len,
                      enum mesh_entered *entered)
{
    char found[MESH_UDF_TEXT_MAX];
    struct mesh_change change;
    struct mesh_udf udf;
    int ok;

    expect_ok(ctx, mesh_udf_parse(ctx, name, &udf));
    mesh_change_begin(&change, ctx);
    ok = mesh_change_lock(&change)
         && mesh_enter(&change, text, len, "a portal", &udf, NULL, entered,
                       found);
    return mesh_change_end(&change, ok);
}

static int enter(EVP_PKEY *key, const char *master_time, const char *time,
                 enum mesh_entered *entered)
{
    size_t len;
    char *text = make_version(key, master_time, time, &len);
    int ok = enter_text(owner, text, len, entered);

    OPENSSL_free(text);
    return ok;
}

/* Enters {tag: object}; takes it over. */
static int enter_object(const char *name, const char *tag, json_t *object,
                        enum mesh_entered *entered)
{
    size_t len;
    char *text = mesh_profile_text(ctx, tag, object, &len);
    int ok = enter_text(name, text, len, entered);

    OPENSSL_free(text);
    json_decref(object);
    return ok;
}

/* A key that was taken out of the master profile signs nothing that is taken,
 * however new. */
static void test_removed_key(void **state)
{
    static const char *const old_times[] = {"2017-01-01T00:00:00Z",
                                            "2018-01-01T05:00:00+09:00", NULL};
    enum mesh_entered entered;

    (void)state;
    expect_ok(ctx,
              enter(removed, old_times[0], "2017-01-01T00:00:00Z", &entered));
    assert_int_equal(entered, MESH_ENTERED_NEW);
    expect_ok(ctx, enter(online, "2018-01-01T00:00:00Z", "2018-01-01T00:00:00Z",
                         &entered));
    assert_int_equal(entered, MESH_ENTERED_NEWER);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            enter(removed, old_times[i], "2019-01-01T00:00:00Z", &entered), 0);
        expect_error(ctx, MESH_R_PROFILE_OLDER, "a key that was removed");
    }
    expect_ok(ctx, enter(online, "2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z",
                         &entered));
    assert_int_equal(entered, MESH_ENTERED_NEWER);
    expect_ok(ctx, enter(online, "2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z",
                         &entered));
}

/* What a portal writes beside the signature is no new version, and cannot make
 * a file that nobody reads. */
static void test_unsigned_members(void **state)
{
    const char *time = "2019-01-01T00:00:00Z";
    enum mesh_entered entered;
    char *text, *path = mesh_layout_standard_file(ctx, owner);
    json_t *document, *list = json_array();
    unsigned char *before, *after;
    size_t len, after_len;

    (void)state;
    expect_ok(ctx, enter(online, "2018-01-01T00:00:00Z", time, &entered));
    expect_ok(ctx, mesh_layout_read_file(ctx, path, MESH_PROFILE_FILE_MAX,
                                         &before, &len));
    document = mesh_json_parse(ctx, (char *)before, len, "here");
    for (size_t i = 0; i < 1500000; i++)
        json_array_append_new(list, json_true());
    json_object_set(json_object_get(document, "SignedPersonalProfile"),
                    "Beside", list);
    text = mesh_json_print(document, JSON_COMPACT);
    expect_ok(ctx, enter_text(owner, text, strlen(text), &entered));
    assert_int_equal(entered, MESH_ENTERED_NOTHING);
    OPENSSL_free(text);
    json_decref(document);

    text = make_version(online, "2018-01-01T00:00:00Z", "2020-01-01T00:00:00Z",
                        &after_len);
    document = mesh_json_parse(ctx, text, after_len, "next");
    OPENSSL_free(text);
    json_object_set_new(json_object_get(document, "SignedPersonalProfile"),
                        "Beside", list);
    text = mesh_json_print(document, JSON_COMPACT);
    assert_true(strlen(text) < MESH_PROFILE_FILE_MAX);
    assert_int_equal(enter_text(owner, text, strlen(text), &entered), 0);
    expect_error(ctx, MESH_R_PROFILE_TOO_LARGE, "are read");
    expect_ok(ctx, mesh_layout_read_file(ctx, path, MESH_PROFILE_FILE_MAX,
                                         &after, &after_len));
    assert_int_equal(len, after_len);
    assert_memory_equal(before, after, len);
    OPENSSL_free(before);
    OPENSSL_free(after);
    OPENSSL_free(path);
    OPENSSL_free(text);
    json_decref(document);
}

/* A version without a date comes after none that has one. */
static void test_no_date(void **state)
{
    enum mesh_entered entered;

    (void)state;
    assert_int_equal(enter(online, "2018-01-01T00:00:00Z", NULL, &entered), 0);
    expect_error(ctx, MESH_R_PROFILE_OLDER, "was updated never; here is");
}

static json_t *web(EVP_PKEY *signer, const char *time)
{
    json_t *body = web_body(ctx, signer, device_udf);

    json_object_set_new(body, "Updated", json_string(time));
    return sign(ctx, "WebProfile", body, signer);
}

/* Another person, of whom a profile is here, lists an application of the user,
 * with a device of theirs beside the user's: what that signs is not taken. */
static void test_owner_of_application(void **state)
{
    static const char tag[] = "SignedApplicationProfile";
    EVP_PKEY *other = fake_generate(ctx, "P-256");
    EVP_PKEY *other_device = fake_generate(ctx, "P-256");
    char name[MESH_UDF_TEXT_MAX], admin[MESH_UDF_TEXT_MAX];
    enum mesh_entered entered;
    json_t *body, *application;

    (void)state;
    body = personal_body(master(ctx, other, other), device(ctx, other_device),
                         APP, udf_of(ctx, other_device, admin));
    json_array_append_new(json_object_get(body, "Devices"),
                          device(ctx, device_key));
    application = json_array_get(json_object_get(body, "Applications"), 0);
    json_array_append_new(json_object_get(application, "AdminDeviceUDF"),
                          json_string(device_udf));
    expect_ok(
        ctx, enter_object(udf_of(ctx, other, name), "SignedPersonalProfile",
                          sign(ctx, "PersonalProfile", body, other), &entered));
    expect_ok(ctx,
              enter_object(APP, tag, web(device_key, "2018-01-01T00:00:00Z"),
                           &entered));
    assert_int_equal(enter_object(APP, tag,
                                  web(other_device, "2019-01-01T00:00:00Z"),
                                  &entered),
                     0);
    expect_error(ctx, MESH_R_PROFILE_SIGNER, owner);
    expect_ok(ctx,
              enter_object(APP, tag, web(device_key, "2020-01-01T00:00:00Z"),
                           &entered));
    assert_int_equal(entered, MESH_ENTERED_NEWER);
}

static int setup(void **state)
{
    forget_errors(state);
    if (!own_home(home, folder))
        return 1;
    ctx = test_context();
    master_key = fake_generate(ctx, "P-256");
    online = fake_generate(ctx, "P-256");
    removed = fake_generate(ctx, "P-256");
    device_key = fake_generate(ctx, "P-256");
    udf_of(ctx, master_key, owner);
    udf_of(ctx, device_key, device_udf);
    return !mesh_context_configure(ctx, "home", home);
}

static int teardown(void **state)
{
    (void)state;
    fake_free();
    mesh_context_free(ctx);
    return !remove_own_home(home, folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_removed_key),
        STORE_TEST(test_unsigned_members),
        STORE_TEST(test_no_date),
        STORE_TEST(test_owner_of_application),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
