/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: the real files of 2016 and 2017 verify as EXPECTED.tsv says, and
 * with any octet changed they are refused.
 */
#include "store/profile.h"
#include "store/trust.h"

#include "tests/store/store_test.h"

static struct mesh_context *ctx;

/* The real files; the personal profile that an application belongs to. */
static const struct real {
    const char *name;
    const char *personal;
} files[] = {
    {"2016-password.json", NULL}, /* listed by no personal profile */
    {"2016-personal.json", NULL},
    {"2017-alice-confirm.mmma", "2017-alice.mmmp"},
    {"2017-alice-recrypt.mmma", "2017-alice.mmmp"},
    {"2017-alice.mmmd", NULL},
    {"2017-alice.mmmp", NULL},
    {"2017-myprofile.json", NULL},
    {"2017-ssh-personal.json", NULL},
    {"2017-ssh.mmma", "2017-ssh-personal.json"},
};
#define FILES (sizeof(files) / sizeof(files[0]))

static struct mesh_profile *read_fixture(const char *name)
{
    struct mesh_profile *profile;
    char *text = fixture(name);

    expect_ok(ctx, mesh_profile_parse(ctx, text, strlen(text), name, &profile));
    free(text);
    return profile;
}

/* All keys of all files, to find signers. */
static struct mesh_profile *profiles[FILES];
static const struct mesh_profile_key *all_keys[128];
static size_t all_keys_count;

static void add_keys(const struct mesh_profile *profile)
{
    size_t i;

    for (i = 0; i < profile->keys_count; i++)
        all_keys[all_keys_count++] = &profile->keys[i];
    for (i = 0; i < profile->devices_count; i++)
        add_keys(profile->devices[i]);
}

static void read_all(void)
{
    size_t i;

    if (all_keys_count != 0)
        return;
    for (i = 0; i < FILES; i++) {
        profiles[i] = read_fixture(files[i].name);
        add_keys(profiles[i]);
    }
}

static int free_all(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < FILES; i++)
        mesh_profile_free(profiles[i]);
    return 0;
}

static const struct mesh_profile_key *known_key(const char *name)
{
    struct mesh_udf udf;
    size_t i;
    int named;

    expect_ok(ctx, mesh_udf_parse(ctx, name, &udf));
    for (i = 0; i < all_keys_count; i++) {
        expect_ok(ctx,
                  mesh_udf_names_key(ctx, &udf, all_keys[i]->public, &named));
        if (named)
            return all_keys[i];
    }
    return NULL;
}

/* Calls visit for each object below value, in payloads too, that has a member
 * of that name. */
static void for_each(json_t *value, const char *member,
                     void (*visit)(json_t *object, void *arg), void *arg)
{
    struct mesh_signed *parsed;
    const char *name;
    json_t *item;
    size_t i;

    json_array_foreach (value, i, item)
        for_each(item, member, visit, arg);
    json_object_foreach (value, name, item) {
        if (strcmp(name, member) == 0)
            visit(value, arg);
        if (strcmp(name, "SignedData") != 0) {
            for_each(item, member, visit, arg);
            continue;
        }
        expect_ok(ctx, mesh_signed_parse(ctx, value, &parsed));
        item = mesh_json_parse(ctx, (char *)parsed->payload,
                               parsed->payload_len, "payload");
        assert_non_null(item);
        for_each(item, member, visit, arg);
        json_decref(item);
        mesh_signed_free(parsed);
    }
}

/* What EXPECTED.tsv counts, in its order. */
enum count {
    KEYS,
    BY_PKCS1,
    BY_SPKI,
    SIGNATURE_GOOD,
    SIGNATURE_BAD,
    SIGNER_ABSENT,
    CERTIFICATE_GOOD,
    CERTIFICATE_MALFORMED,
    COUNTS
};

static void count_key(json_t *object, void *arg)
{
    const json_t *rsa = json_object_get(
        json_object_get(object, "PublicParameters"), "PublicKeyRSA");
    const json_t *name = json_object_get(object, "UDF");
    const struct mesh_profile_key *key;
    char canonical[MESH_UDF_TEXT_MAX];
    unsigned *counts = arg;
    struct mesh_udf udf;

    if (name == NULL)
        name = json_object_get(rsa, "kid");
    key = known_key(json_string_value(name));
    if (key == NULL)
        return;
    expect_ok(ctx, mesh_udf_parse(ctx, json_string_value(name), &udf));
    mesh_udf_print(&udf, canonical);
    counts[KEYS]++;
    counts[strcmp(canonical, key->udf) == 0 ? BY_PKCS1 : BY_SPKI]++;
    if (key->certificates != NULL)
        counts[CERTIFICATE_GOOD]++;
    else if (json_object_get(object, "X509Certificate") != NULL)
        counts[CERTIFICATE_MALFORMED]++;
}

static void count_signatures(json_t *object, void *arg)
{
    const struct mesh_profile_key *signer;
    struct mesh_signed *parsed;
    unsigned *counts = arg;
    size_t i;

    expect_ok(ctx, mesh_signed_parse(ctx, object, &parsed));
    for (i = 0; i < parsed->signatures_count; i++) {
        signer = known_key(parsed->signatures[i].kid);
        if (signer == NULL)
            counts[SIGNER_ABSENT]++;
        else if (mesh_signature_verify(ctx, &parsed->signatures[i],
                                       signer->public))
            counts[SIGNATURE_GOOD]++;
        else
            counts[SIGNATURE_BAD]++;
    }
    mesh_signed_free(parsed);
}

static void test_expected(void **state)
{
    char *expected = fixture("EXPECTED.tsv"), *line, *rest;
    size_t i;

    (void)state;
    read_all();
    line = strtok_r(expected, "\n", &rest);
    for (i = 0; i < FILES; i++) {
        unsigned counts[COUNTS] = {0};
        char row[256];
        size_t len, c;

        for_each(profiles[i]->document, "PublicParameters", count_key, counts);
        for_each(profiles[i]->document, "SignedData", count_signatures, counts);
        len = (size_t)snprintf(row, sizeof(row), "%s", files[i].name);
        for (c = 0; c < COUNTS; c++)
            len += (size_t)snprintf(row + len, sizeof(row) - len, "\t%u",
                                    counts[c]);
        line = strtok_r(NULL, "\n", &rest);
        assert_non_null(line);
        assert_string_equal(row, line);
    }
    assert_null(strtok_r(NULL, "\n", &rest));
    free(expected);
}

/* Rule 4 for each application, and that no other personal profile will do. */
static void test_applications(void **state)
{
    size_t app, i;

    (void)state;
    read_all();
    for (app = 0; app < FILES; app++) {
        if (profiles[app]->kind != MESH_PROFILE_APPLICATION)
            continue;
        for (i = 0; i < FILES; i++) {
            if (profiles[i]->kind != MESH_PROFILE_PERSONAL)
                continue;
            if (files[app].personal != NULL
                && strcmp(files[app].personal, files[i].name) == 0) {
                expect_ok(ctx, mesh_trust_application(ctx, profiles[app],
                                                      profiles[i]));
                assert_non_null(profiles[app]->signer);
            } else {
                assert_false(
                    mesh_trust_application(ctx, profiles[app], profiles[i]));
                expect_error(ctx, MESH_R_PROFILE_SIGNER, "does not list");
            }
        }
    }
    for (i = 0; i < FILES; i++)
        if (strcmp(files[i].name, "2017-alice-confirm.mmma") == 0)
            assert_string_equal(profiles[i]->description, "alice@example.com");
}

/* All octets of headers and signatures are changed; of payloads and of
 * base64url texts a sample: all of them (456 000 changes) take three minutes.
 */
#define PAYLOAD_STRIDE 13
#define TEXT_STRIDE    7

/* A signed object as a file of its own, and how often it was refused with a
 * change. */
struct flip {
    const struct mesh_profile *personal; /* of an application, or NULL: */
    const struct mesh_profile_key *signer;
    const char *tag;
    json_t *object;
    unsigned long refused;
};

static int accepted(const struct flip *flip)
{
    struct mesh_profile *profile;
    size_t len;
    char *text = mesh_profile_text(ctx, flip->tag, flip->object, &len);
    int ok;

    assert_non_null(text);
    ok = mesh_profile_parse(ctx, text, len, "changed", &profile);
    if (ok && profile->kind == MESH_PROFILE_APPLICATION)
        ok = flip->personal != NULL
                 ? mesh_trust_application(ctx, profile, flip->personal)
                 : mesh_signature_verify(ctx, &profile->outer->signatures[0],
                                         flip->signer->public);
    mesh_profile_free(profile);
    assert_true(ok ? captured.count == 0 : captured.count > 0);
    memset(&captured, 0, sizeof(captured));
    OPENSSL_free(text);
    return ok;
}

static void must_refuse(struct flip *flip, json_t *holder, const char *member,
                        const char *text, size_t at)
{
    json_object_set_new(holder, member, json_string(text));
    if (accepted(flip))
        fail_msg("%s: accepted with a change in %s at %zu", flip->tag, member,
                 at);
    flip->refused++;
}

/* Each octet of a member, and each character of its base64url text. */
static void flip_member(struct flip *flip, json_t *holder, const char *member,
                        size_t stride)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                   "qrstuvwxyz0123456789-_";
    json_t *whole = json_incref(json_object_get(holder, member));
    /* Nobody signed the header of 2016: case and spaces may change in it. */
    int is_free = strcmp(member, "header") == 0;
    unsigned char *data;
    char *text;
    size_t len, i;

    expect_ok(ctx, mesh_base64url_member(ctx, holder, member, &data, &len));
    for (i = 0; i < len; i += stride) {
        unsigned char change = (unsigned char)(is_free ? 1 : 1 << i % 8);

        data[i] ^= change;
        text = mesh_base64url_encode(ctx, data, len);
        must_refuse(flip, holder, member, text, i);
        OPENSSL_free(text);
        data[i] ^= change;
    }
    text = mesh_base64url_encode(ctx, data, len);
    for (i = 0; i < strlen(text); i += stride * TEXT_STRIDE) {
        char kept = text[i];
        size_t value = (size_t)(strchr(alphabet, kept) - alphabet);

        if (!is_free) {
            text[i] = alphabet[value ^ 1 << i % 6];
            must_refuse(flip, holder, member, text, i);
        }
        text[i] = i % 2 == 0 ? '=' : '+';
        must_refuse(flip, holder, member, text, i);
        text[i] = kept;
    }
    OPENSSL_free(text);
    OPENSSL_free(data);
    json_object_set(holder, member, whole);
    json_decref(whole);
    assert_true(accepted(flip));
}

static void flip_object(json_t *object, void *arg)
{
    struct flip *flip = arg;
    json_t *data = json_object_get(object, "SignedData");
    json_t *signature = json_array_get(json_object_get(data, "signatures"), 0);
    struct mesh_signed *parsed;

    expect_ok(ctx, mesh_signed_parse(ctx, object, &parsed));
    flip->object = object;
    flip->signer = known_key(parsed->signatures[0].kid);
    flip->tag = strstr((char *)parsed->payload, "\"DeviceProfile\"")
                    ? "SignedDeviceProfile"
                : strstr((char *)parsed->payload, "\"PersonalProfile\"")
                    ? "SignedPersonalProfile"
                : strstr((char *)parsed->payload, "\"MasterProfile\"")
                    ? "SignedMasterProfile"
                    : "SignedApplicationProfile";
    assert_true(accepted(flip));
    flip_member(flip, data, "payload", PAYLOAD_STRIDE);
    flip_member(flip, signature == NULL ? data : signature, "signature", 1);
    if (signature == NULL)
        flip_member(flip, data, "header", 1);
    else
        flip_member(flip, signature, "protected", 1);
    mesh_signed_free(parsed);
}

static void test_changed(void **state)
{
    size_t i, k;

    (void)state;
    read_all();
    for (i = 0; i < FILES; i++) {
        struct flip flip = {0};

        for (k = 0; k < FILES; k++)
            if (files[i].personal != NULL
                && strcmp(files[i].personal, files[k].name) == 0)
                flip.personal = profiles[k];
        for_each(profiles[i]->document, "SignedData", flip_object, &flip);
        print_message("%s: %lu changes refused\n", files[i].name, flip.refused);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_expected),
        STORE_TEST(test_applications),
        STORE_TEST(test_changed),
    };
    int failed;

    ctx = test_context();
    failed = cmocka_run_group_tests(tests, NULL, free_all);
    mesh_context_free(ctx);
    return test_status(failed);
}
