/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A version of a personal profile from outside, by its master profile.
 */
#include "store/enter.h"

#include "store/payload.h"
#include "store/resolve.h"
#include "tests/store/made.h"

#include <unistd.h>

static struct mesh_context *ctx;
static char home[] = "/tmp/mesh-enter-XXXXXX";
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
    json_object_set_new(body, "Updated", json_string(time));
    object = sign(ctx, "PersonalProfile", body, key);
    text = mesh_profile_text(ctx, "SignedPersonalProfile", object, len);
    json_decref(object);
    return text;
}

static int enter(EVP_PKEY *key, const char *master_time, const char *time,
                 enum mesh_entered *entered)
{
    char name[MESH_UDF_TEXT_MAX], *text;
    struct mesh_change change;
    struct mesh_udf udf;
    size_t len;
    int ok;

    text = make_version(key, master_time, time, &len);
    expect_ok(ctx, mesh_udf_parse(ctx, owner, &udf));
    mesh_change_begin(&change, ctx);
    ok = mesh_change_lock(&change)
         && mesh_enter(&change, text, len, "a portal", &udf, NULL, entered,
                       name);
    ok = mesh_change_end(&change, ok);
    OPENSSL_free(text);
    return ok;
}

/* A key that was taken out of the master profile signs nothing that is taken,
 * however new. */
static void test_removed_key(void **state)
{
    static const char *const old_times[] = {"2017-01-01T00:00:00Z", NULL};
    enum mesh_entered entered;

    (void)state;
    expect_ok(ctx,
              enter(removed, old_times[0], "2017-01-01T00:00:00Z", &entered));
    assert_int_equal(entered, MESH_ENTERED_NEW);
    expect_ok(ctx, enter(online, "2018-01-01T00:00:00Z", "2018-01-01T00:00:00Z",
                         &entered));
    assert_int_equal(entered, MESH_ENTERED_NEWER);
    for (size_t i = 0; i < 2; i++) {
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

static int setup(void **state)
{
    forget_errors(state);
    if (mkdtemp(home) == NULL)
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
    char command[64];

    (void)state;
    fake_free();
    mesh_context_free(ctx);
    snprintf(command, sizeof(command), "rm -r '%s'", home);
    return system(command);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_removed_key),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
