/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The master profile inside a personal one is changed, or nothing is.
 */
#include "store/change.h"

#include "store/payload.h"
#include "store/resolve.h"
#include "tests/store/certificate.h"

static struct mesh_context *ctx;
static char home[OWN_HOME_MAX], folder[MAX_PATH];
static EVP_PKEY *master_key, *online, *device_key;
static char owner[MESH_UDF_TEXT_MAX], device_udf[MESH_UDF_TEXT_MAX];

/* A personal profile with things in its master profile that we do not know;
 * signed by the online key, or in the form of 2016 by the device. */
static void put_personal(int form_2016)
{
    json_t *signed_master, *body, *object;
    char *text, *path;
    size_t len;

    body = json_pack("{ss so s[o] s{ss}}", "Identifier", owner,
                     "MasterSignatureKey", key_json(ctx, master_key),
                     "OnlineSignatureKeys", key_json(ctx, online), "Unknown",
                     "a", "b");
    json_object_set_new(body, "Updated", json_string("2017-01-01T00:00:00Z"));
    signed_master = sign(ctx, "MasterProfile", body, master_key);
    json_object_set_new(signed_master, "Beside", json_string("kept"));
    body =
        personal_body(signed_master, device(ctx, device_key), APP, device_udf);
    object = form_2016 ? sign_2016(ctx, "PersonalProfile", body, device_key)
                       : sign(ctx, "PersonalProfile", body, online);
    text = mesh_profile_text(ctx, "SignedPersonalProfile", object, &len);
    path = mesh_layout_standard_file(ctx, owner);
    expect_ok(ctx,
              mesh_layout_write_file(ctx, path, text, len)
                  && mesh_layout_add(ctx, MESH_PROFILE_PERSONAL, owner, NULL));
    OPENSSL_free(path);
    OPENSSL_free(text);
    json_decref(object);
}

static struct mesh_profile *read_personal(void)
{
    const struct mesh_profile_key *key;
    struct mesh_profile *profile;

    expect_ok(ctx, mesh_resolve_profile(ctx, owner, &profile, &key));
    return profile;
}

/* Gives the online key a certificate. */
static int certify(void)
{
    X509 *own = certificate(ctx, online, "online", master_key, "owner", 1);
    json_t *made = key_with(ctx, online, own, NULL), *master_payload, *object;
    struct mesh_profile *profile = read_personal();
    struct mesh_change change;
    int ok;

    mesh_change_begin(&change, ctx);
    master_payload = mesh_change_open_master(&change, profile);
    assert_non_null(master_payload);
    object = mesh_payload_find_key(ctx, master_payload, online);
    assert_non_null(object);
    json_object_set(object, "X509Certificate",
                    json_object_get(made, "X509Certificate"));
    ok = mesh_change_lock(&change)
         && mesh_change_sign_master(&change, profile, master_payload)
         && mesh_change_resign(&change, &profile);
    ok = mesh_change_end(&change, ok);
    mesh_profile_free(profile);
    json_decref(master_payload);
    json_decref(made);
    return ok;
}

static int has_certificate(void)
{
    struct mesh_profile *profile = read_personal();
    const struct mesh_profile_key *key =
        mesh_profile_one_key(ctx, profile, "online");
    int has = sk_X509_num(key->certificates) == 1;

    mesh_profile_free(profile);
    return has;
}

static void test_master(void **state)
{
    json_t *before, *after, *payload;
    struct mesh_profile *profile;
    struct mesh_change change;

    (void)state;
    put_personal(0);
    assert_false(has_certificate());
    expect_ok(ctx, certify());
    assert_true(has_certificate());

    profile = read_personal();
    before = json_object_get(mesh_payload_inner(profile->payload),
                             "SignedMasterProfile");
    assert_string_equal(json_string_value(json_object_get(before, "Beside")),
                        "kept");
    mesh_change_begin(&change, ctx);
    payload = mesh_change_open_master(&change, profile);
    after = mesh_payload_inner(payload);
    assert_non_null(json_object_get(after, "Unknown"));
    assert_string_not_equal(
        json_string_value(json_object_get(after, "Updated")),
        "2017-01-01T00:00:00Z");
    json_decref(payload);
    mesh_profile_free(profile);
}

/* Without either key nothing is changed. */
static void test_not_held(void **state)
{
    EVP_PKEY **const kept[] = {&master_key, &online};
    static const char *const says[] = {"the master key of personal profile",
                                       "none of the 1 online keys"};
    size_t i, k;

    (void)state;
    put_personal(0);
    for (i = 0; i < 2; i++) {
        EVP_PKEY *other = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");

        for (k = 0; fake.keys[k] != *kept[i];)
            k++;
        fake.keys[k] = other;
        assert_int_equal(certify(), 0);
        expect_error(ctx, MESH_R_KEY_NOT_HELD, says[i]);
        fake.keys[k] = *kept[i];
        EVP_PKEY_free(other);
        assert_false(has_certificate());
    }
}

/* What a device alone signed is not made the owner's word. */
static void test_2016(void **state)
{
    (void)state;
    put_personal(1);
    assert_int_equal(certify(), 0);
    expect_error(ctx, MESH_R_PROFILE_SIGNER, "signed by a device alone");
    assert_false(has_certificate());
}

/* The file that one change wrote twice, and its archive, are as before. */
static void undone(const char *udf, const char *before, size_t lines)
{
    char *path = mesh_layout_standard_file(ctx, udf);
    char *archive = mesh_layout_standard_archive(ctx, udf);
    struct mesh_change change;
    unsigned char *data = NULL;
    size_t len;

    mesh_change_begin(&change, ctx);
    expect_ok(
        ctx, mesh_change_lock(&change)
                 && mesh_change_write(&change, path, archive, "{\"b\": 2}", 8)
                 && mesh_change_write(&change, path, archive, "{\"c\": 3}", 8));
    assert_int_equal(mesh_change_end(&change, 0), 0);
    assert_true(change.undone);
    if (before == NULL) {
        assert_false(mesh_file_exists(ctx, path));
        assert_false(mesh_file_exists(ctx, archive));
    } else {
        expect_ok(ctx, mesh_layout_read_file(ctx, path, 100, &data, &len));
        assert_string_equal((char *)data, before);
        OPENSSL_free(data);
        expect_ok(ctx, mesh_layout_read_file(ctx, archive, 100, &data, &len));
        for (const char *at = (char *)data; (at = strchr(at, '\n')); at++)
            lines--;
        assert_int_equal(lines, 0);
    }
    OPENSSL_free(data);
    OPENSSL_free(path);
    OPENSSL_free(archive);
}

static void test_written_twice(void **state)
{
    char udf[MESH_UDF_TEXT_MAX], *path, *archive;
    struct mesh_change change;

    (void)state;
    udf_of(ctx, fake_generate(ctx, "P-256"), udf);
    undone(udf, NULL, 0);
    path = mesh_layout_standard_file(ctx, udf);
    archive = mesh_layout_standard_archive(ctx, udf);
    mesh_change_begin(&change, ctx);
    expect_ok(
        ctx, mesh_change_lock(&change)
                 && mesh_change_write(&change, path, archive, "{\"a\": 1}", 8));
    expect_ok(ctx, mesh_change_end(&change, 1));
    OPENSSL_free(path);
    OPENSSL_free(archive);
    undone(udf, "{\"a\": 1}", 1);
}

static int setup(void **state)
{
    forget_errors(state);
    if (!own_home(home, folder))
        return 1;
    ctx = test_context();
    master_key = fake_generate(ctx, "P-256");
    online = fake_generate(ctx, "P-256");
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
        STORE_TEST(test_master),
        STORE_TEST(test_not_held),
        STORE_TEST(test_2016),
        STORE_TEST(test_written_twice),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
