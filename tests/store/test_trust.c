/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The trust chain against profiles that are well signed, by the wrong key.
 */
#include "store/trust.h"

#include "tests/store/made.h"

#include <openssl/ec.h>
#include <unistd.h>

static struct mesh_context *ctx;
static EVP_PKEY *key, *other, *online, *master_key;
static char key_udf[MESH_UDF_TEXT_MAX], other_udf[MESH_UDF_TEXT_MAX];

static int make_keys(void **state)
{
    (void)state;
    key = fake_generate(ctx, "P-256");
    other = fake_generate(ctx, "ED25519");
    online = fake_generate(ctx, "P-256");
    master_key = fake_generate(ctx, "RSA-2048");
    udf_of(ctx, key, key_udf);
    udf_of(ctx, other, other_udf);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    fake_free();
    return 0;
}

static void refused(const char *tag, json_t *object, enum mesh_reason reason,
                    const char *says)
{
    assert_null(parse_made(ctx, tag, object));
    expect_error(ctx, reason, says);
}

static void test_device(void **state)
{
    struct mesh_profile *p =
        parse_made(ctx, "SignedDeviceProfile", device(ctx, key));
    struct mesh_udf udf;
    json_t *body;
    int named = -1;

    (void)state;
    expect_ok(ctx, p != NULL);
    assert_int_equal(p->keys_count, 2);
    assert_string_equal(p->signer, key_udf);
    assert_string_equal(p->description, "a device");
    expect_ok(ctx, mesh_udf_parse(ctx, key_udf, &udf)
                       && mesh_trust_name(ctx, p, &udf, &named));
    assert_true(named);
    mesh_profile_free(p);

    refused("SignedDeviceProfile",
            sign(ctx, "DeviceProfile", device_body(ctx, key), other),
            MESH_R_PROFILE_SIGNER, "made.mmm: the signature is by ");
    body = device_body(ctx, key);
    json_object_set_new(body, "Identifier", json_string(other_udf));
    refused("SignedDeviceProfile", sign(ctx, "DeviceProfile", body, key),
            MESH_R_PROFILE_NAME, "is not the fingerprint of a DeviceSignature");
    body = device_body(ctx, key);
    json_object_del(body, "DeviceSignatureKey");
    refused("SignedDeviceProfile", sign(ctx, "DeviceProfile", body, key),
            MESH_R_PROFILE_NAME, "is not the fingerprint of a DeviceSignature");
    body = device_body(ctx, key);
    json_object_set_new(json_object_get(body, "DeviceEncryptiontionKey"), "UDF",
                        json_string(other_udf));
    refused("SignedDeviceProfile", sign(ctx, "DeviceProfile", body, key),
            MESH_R_KEY_FINGERPRINT,
            "is not the fingerprint of the DeviceEncryptiontionKey");
}

static void test_texts_are_printable(void **state)
{
    json_t *body = device_body(ctx, key);
    struct mesh_profile *p;
    char udf[MESH_UDF_TEXT_MAX];

    (void)state;
    json_object_set_new(body, "Description", json_string("my\x1b[2J device"));
    p = parse_made(ctx, "SignedDeviceProfile",
                   sign(ctx, "DeviceProfile", body, key));
    assert_non_null(p);
    assert_string_equal(p->description, "my?[2J device");
    mesh_profile_free(p);
    p = parse_made(ctx, "SignedApplicationProfile",
                   sign(ctx, "X\x1b[2JProfile",
                        web_body(ctx, key, udf_of(ctx, key, udf)), key));
    assert_non_null(p);
    assert_string_equal(p->type, "X?[2JProfile");
    mesh_profile_free(p);
}

/* What is no time, as one that would move the cursor of who prints it, is no
 * date, and leaves a line in the trace. */
static void test_date_is_a_time(void **state)
{
    char path[] = "/tmp/mesh-trace-XXXXXX", line[256] = "";
    json_t *body = device_body(ctx, key);
    struct mesh_profile *profile;
    FILE *trace;

    (void)state;
    close(mkstemp(path));
    ctx->trace = path;
    json_object_set_new(body, "Updated", json_string("2019\x1b[2J"));
    profile = parse_made(ctx, "SignedDeviceProfile",
                         sign(ctx, "DeviceProfile", body, key));
    ctx->trace = NULL;
    assert_non_null(profile);
    assert_null(profile->updated);
    mesh_profile_free(profile);
    trace = fopen(path, "r");
    assert_non_null(fgets(line, sizeof(line), trace));
    assert_non_null(strstr(line, "Updated 2019?[2J is no time of RFC 3339"));
    fclose(trace);
    remove(path);
}

/* Somebody's DeviceSignatureKey in my profile does not make it theirs. */
static void test_name_of_another(void **state)
{
    json_t *body = device_body(ctx, key);
    struct mesh_profile *p;
    struct mesh_udf udf;
    int named = -1;

    (void)state;
    json_object_set_new(
        body, "More",
        json_pack("{so}", "DeviceSignatureKey", key_json(ctx, other)));
    p = parse_made(ctx, "SignedDeviceProfile",
                   sign(ctx, "DeviceProfile", body, key));
    expect_ok(ctx, p != NULL && mesh_udf_parse(ctx, other_udf, &udf)
                       && mesh_trust_name(ctx, p, &udf, &named));
    assert_false(named);
    mesh_profile_free(p);
}

static void test_tags(void **state)
{
    json_t *object = device(ctx, key);

    (void)state;
    json_object_set_new(object, "Identifier", json_string(other_udf));
    refused("SignedDeviceProfile", object, MESH_R_PROFILE_NAME,
            "the signed object is for ");
    refused("SignedPersonalProfile", device(ctx, key), MESH_R_PROFILE_KIND,
            "a DeviceProfile where PersonalProfile belongs");
    refused("SignedApplicationProfile", device(ctx, key), MESH_R_PROFILE_KIND,
            "a DeviceProfile where an application's belongs");
    refused("SignedThing", device(ctx, key), MESH_R_PROFILE_MALFORMED,
            "none of the tags");
    refused("SignedDeviceProfile", json_object(), MESH_R_PROFILE_MALFORMED,
            "no signed object");
    refused("SerializationDevice", json_pack("{}"), MESH_R_PROFILE_MALFORMED,
            "no signed object");
}

static json_t *personal(EVP_PKEY *signer)
{
    return sign(ctx, "PersonalProfile",
                personal_body(master(ctx, master_key, online), device(ctx, key),
                              APP, key_udf),
                signer);
}

static void test_personal(void **state)
{
    struct mesh_profile *p =
        parse_made(ctx, "SignedPersonalProfile", personal(online));
    char master_udf[MESH_UDF_TEXT_MAX];
    json_t *body;

    (void)state;
    expect_ok(ctx, p != NULL);
    assert_string_equal(p->identifier, udf_of(ctx, master_key, master_udf));
    assert_int_equal(p->keys_count, 2);
    assert_int_equal(p->devices_count, 1);
    assert_int_equal(p->applications_count, 1);
    mesh_profile_free(p);

    /* Neither the master key, nor a device in it. */
    refused("SignedPersonalProfile", personal(master_key),
            MESH_R_PROFILE_SIGNER, "which is none of its master profile's");
    refused("SignedPersonalProfile", personal(key), MESH_R_PROFILE_SIGNER,
            "which is none of its master profile's");
    body = personal_body(master(ctx, master_key, online), device(ctx, key), APP,
                         key_udf);
    json_object_set_new(body, "Identifier", json_string(other_udf));
    refused("SignedPersonalProfile", sign(ctx, "PersonalProfile", body, online),
            MESH_R_PROFILE_NAME, "is not that of its master profile");
    /* A bad device spoils it, and the error says where. */
    body = personal_body(
        master(ctx, master_key, online),
        sign(ctx, "DeviceProfile", device_body(ctx, key), other), APP, key_udf);
    refused("SignedPersonalProfile", sign(ctx, "PersonalProfile", body, online),
            MESH_R_PROFILE_SIGNER,
            "made.mmm: DeviceProfile 1 in it: the signature is by");
    body =
        personal_body(device(ctx, master_key), device(ctx, key), APP, key_udf);
    refused("SignedPersonalProfile", sign(ctx, "PersonalProfile", body, online),
            MESH_R_PROFILE_KIND,
            "MasterProfile 1 in it: a DeviceProfile where");
}

static void trust_app(EVP_PKEY *signer, struct mesh_profile *by,
                      enum mesh_reason reason, const char *says)
{
    struct mesh_profile *app = parse_made(
        ctx, "SignedApplicationProfile",
        sign(ctx, "WebProfile", web_body(ctx, other, key_udf), signer));

    expect_ok(ctx, app != NULL);
    assert_string_equal(app->keys[0].member, "PublicKey");
    assert_string_equal(app->keys[0].device, key_udf);
    if (reason == MESH_R_NONE) {
        expect_ok(ctx, mesh_trust_application(ctx, app, by));
        assert_string_equal(app->signer, key_udf);
    } else {
        assert_false(mesh_trust_application(ctx, app, by));
        expect_error(ctx, reason, says);
    }
    mesh_profile_free(app);
}

static struct mesh_profile *personal_with(const char *app, const char *admin)
{
    struct mesh_profile *p =
        parse_made(ctx, "SignedPersonalProfile",
                   sign(ctx, "PersonalProfile",
                        personal_body(master(ctx, master_key, online),
                                      device(ctx, key), app, admin),
                        online));

    expect_ok(ctx, p != NULL);
    return p;
}

/* A role of the master is not for an online key to give away. */
static void test_master_roles(void **state)
{
    static const char *const roles[] = {
        "OnlineSignatureKeys", "MasterEscrowKeys", "MasterSignatureKey"};
    json_t *body = personal_body(master(ctx, master_key, online),
                                 device(ctx, key), APP, key_udf);
    const struct mesh_profile_key *keys[4];
    struct mesh_profile *p;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        json_object_set_new(body, roles[i], key_json(ctx, other));
    json_object_set_new(body, "FurtherKey", key_json(ctx, other));
    p = parse_made(ctx, "SignedPersonalProfile",
                   sign(ctx, "PersonalProfile", body, online));
    expect_ok(ctx, p != NULL);
    assert_int_equal(p->keys_count, 3);
    assert_int_equal(mesh_profile_find_keys(ctx, p, "online", keys, 4), 1);
    assert_int_equal(EVP_PKEY_eq(keys[0]->public, online), 1);
    assert_int_equal(mesh_profile_find_keys(ctx, p, "master", keys, 4), 1);
    assert_int_equal(EVP_PKEY_eq(keys[0]->public, master_key), 1);
    assert_int_equal(mesh_profile_find_keys(ctx, p, "escrow", keys, 4), 0);
    assert_int_equal(mesh_profile_find_keys(ctx, p, "FurtherKey", keys, 4), 1);
    mesh_profile_free(p);
}

/* Nor does a member that is called like a key's fingerprint stand for it. */
static void test_member_named_as_key(void **state)
{
    json_t *body = device_body(ctx, key);
    const struct mesh_profile_key *keys[4];
    struct mesh_profile *p;

    (void)state;
    json_object_set_new(body, other_udf, key_json(ctx, online));
    p = parse_made(ctx, "SignedDeviceProfile",
                   sign(ctx, "DeviceProfile", body, key));
    expect_ok(ctx, p != NULL);
    assert_int_equal(mesh_profile_find_keys(ctx, p, other_udf, keys, 4), 0);
    assert_int_equal(mesh_profile_find_keys(ctx, p, key_udf, keys, 4), 1);
    mesh_profile_free(p);
}

static void test_application(void **state)
{
    struct mesh_profile *p = personal_with(APP, key_udf);

    (void)state;
    trust_app(key, p, MESH_R_NONE, NULL);
    trust_app(other, p, MESH_R_PROFILE_SIGNER, "is no device of personal");
    mesh_profile_free(p);
    p = personal_with(APP, other_udf);
    trust_app(key, p, MESH_R_PROFILE_SIGNER, "does not list as its admin");
    mesh_profile_free(p);
    p = personal_with("RDEAT-YPBQ2-34AFV-UHNYI-QHWUU-7F6AO", key_udf);
    trust_app(key, p, MESH_R_PROFILE_SIGNER, "does not list the WebProfile");
    mesh_profile_free(p);
    /* Listed as administrator, but in no personal profile. */
    p = personal_with(APP, other_udf);
    trust_app(other, p, MESH_R_PROFILE_SIGNER, "is no device of personal");
    mesh_profile_free(p);
}

/*
 * In 2016 a device signed the personal profile.  Anybody can do that with a
 * device of his own beside the public master profile; so such a profile gives
 * its master's keys, and no more.
 */
static void test_form_2016(void **state)
{
    json_t *body = personal_body(master(ctx, master_key, online),
                                 device(ctx, key), APP, key_udf);
    struct mesh_profile *p;

    (void)state;
    /* A key of his own under a member of the master's does not pass for it. */
    json_object_set_new(body, "OnlineSignatureKeys", key_json(ctx, key));
    p = parse_made(ctx, "SignedPersonalProfile",
                   sign_2016(ctx, "PersonalProfile", body, key));
    expect_ok(ctx, p != NULL);
    assert_int_equal(p->keys_count, 2);
    assert_int_equal(EVP_PKEY_eq(p->keys[0].public, master_key), 1);
    assert_int_equal(EVP_PKEY_eq(p->keys[1].public, online), 1);
    trust_app(key, p, MESH_R_PROFILE_SIGNER, "is signed by a device alone");
    mesh_profile_free(p);
}

/* How many keys of a signed object the trust chain rests on: so many, the first
 * ones. */
static void rests_on(const char *tag, json_t *object, size_t wanted)
{
    struct mesh_profile *p = parse_made(ctx, tag, object);
    size_t i;

    expect_ok(ctx, p != NULL);
    assert_true(p->keys_count >= wanted);
    for (i = 0; i < p->keys_count; i++)
        assert_int_equal(mesh_trust_rests_on(ctx, p, &p->keys[i]), i < wanted);
    mesh_profile_free(p);
}

/* What -CAstore trusts the certificates of. */
static void test_rests_on(void **state)
{
    json_t *body = device_body(ctx, key);

    (void)state;
    json_object_set_new(
        body, "Old",
        json_pack("{so}", "DeviceSignatureKey", key_json(ctx, other)));
    rests_on("SignedDeviceProfile", sign(ctx, "DeviceProfile", body, key), 1);
    rests_on("SignedApplicationProfile",
             sign(ctx, "WebProfile", web_body(ctx, other, key_udf), key), 0);
    body = web_body(ctx, other, key_udf);
    json_object_set_new(body, "DeviceSignatureKey", key_json(ctx, key));
    json_object_set_new(body, "MasterSignatureKey", key_json(ctx, key));
    rests_on("SignedApplicationProfile", sign(ctx, "WebProfile", body, key), 0);
    rests_on("SignedPersonalProfile", personal(online), 2);
}

static X509 *certificate(EVP_PKEY *of)
{
    X509 *x = X509_new_ex(ctx->libctx, NULL);

    assert_true(X509_set_version(x, X509_VERSION_3)
                && ASN1_INTEGER_set(X509_get_serialNumber(x), 1)
                && X509_gmtime_adj(X509_getm_notBefore(x), 0)
                && X509_gmtime_adj(X509_getm_notAfter(x), 60)
                && X509_set_pubkey(x, of)
                && X509_sign(x, master_key, EVP_sha256()));
    return x;
}

/* Certificates come back as they went in; another key's is passed over. */
static void test_certificates(void **state)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct mesh_profile *p;
    json_t *body;
    int swap;

    (void)state;
    sk_X509_push(chain, certificate(key));
    sk_X509_push(chain, certificate(master_key));
    for (swap = 0; swap < 2; swap++) {
        body = device_body(ctx, key);
        json_object_set_new(body, "DeviceSignatureKey",
                            mesh_profile_key_json(ctx, key, chain));
        p = parse_made(ctx, "SignedDeviceProfile",
                       sign(ctx, "DeviceProfile", body, key));
        expect_ok(ctx, p != NULL);
        assert_string_equal(p->keys[0].member, "DeviceSignatureKey");
        if (swap == 0)
            assert_int_equal(sk_X509_num(p->keys[0].certificates), 2);
        else
            assert_null(p->keys[0].certificates);
        mesh_profile_free(p);
        sk_X509_unshift(chain, sk_X509_pop(chain));
    }
    sk_X509_pop_free(chain, X509_free);
}

static void has_certificate(json_t *body, const X509 *wanted)
{
    struct mesh_profile *p = parse_made(ctx, "SignedDeviceProfile",
                                        sign(ctx, "DeviceProfile", body, key));

    expect_ok(ctx, p != NULL);
    assert_int_equal(sk_X509_num(p->keys[0].certificates),
                     wanted != NULL ? 1 : -1);
    if (wanted != NULL)
        assert_int_equal(
            X509_cmp(sk_X509_value(p->keys[0].certificates, 0), wanted), 0);
    mesh_profile_free(p);
}

/* A key without a certificate in its profile has the system's, if that is its
 * own; that the system cannot say is no error. */
static void test_system_certificate(void **state)
{
    X509 *own = certificate(key), *later = certificate(key);
    STACK_OF(X509) *chain = sk_X509_new_null();
    json_t *body = device_body(ctx, key);

    (void)state;
    has_certificate(device_body(ctx, key), NULL);
    fake.certificate = own;
    has_certificate(device_body(ctx, key), own);
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(later), 2)
                && X509_sign(later, master_key, EVP_sha256()));
    sk_X509_push(chain, later);
    json_object_set_new(body, "DeviceSignatureKey",
                        mesh_profile_key_json(ctx, key, chain));
    has_certificate(body, later);
    X509_free(own);
    fake.certificate = certificate(master_key);
    has_certificate(device_body(ctx, key), NULL);
    X509_free(fake.certificate);
    fake.certificate = NULL;
    fake.no_certificates = 1;
    has_certificate(device_body(ctx, key), NULL);
    fake.no_certificates = 0;
    sk_X509_pop_free(chain, X509_free);
}

/* The forms of a public key that are not known, not whole, not named. */
static void test_key_forms(void **state)
{
    EVP_PKEY *agree = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "X25519");
    unsigned char raw[32];
    size_t len = sizeof(raw);
    char udf[MESH_UDF_TEXT_MAX], *point;
    struct mesh_profile *p;
    json_t *body = device_body(ctx, key);

    (void)state;
    assert_true(EVP_PKEY_get_raw_public_key(agree, raw, &len));
    point = mesh_base64url_encode(ctx, raw, len);
    json_object_set_new(body, "DeviceEncryptiontionKey",
                        json_pack("{ss s{s{ss ss}}}", "UDF",
                                  udf_of(ctx, agree, udf), "PublicParameters",
                                  "PublicKeyECDH", "crv", "X25519", "Public",
                                  point));
    json_object_set_new(body, "Strange",
                        json_pack("{ss s{s{}}}", "UDF", "MAAAA",
                                  "PublicParameters", "PublicKeyDH"));
    json_object_set_new(
        body, "Nameless",
        json_pack("{s{s{}}}", "PublicParameters", "PublicKeyRSA"));
    p = parse_made(ctx, "SignedDeviceProfile",
                   sign(ctx, "DeviceProfile", body, key));
    expect_ok(ctx, p != NULL);
    assert_int_equal(p->keys_count, 2);
    mesh_profile_free(p);

    body = device_body(ctx, key);
    json_object_set_new(body, "Bad",
                        json_pack("{ss s{s{ss ss}}}", "UDF", udf,
                                  "PublicParameters", "PublicKeyECDH", "crv",
                                  "X25519", "Public", "AAAA"));
    refused("SignedDeviceProfile", sign(ctx, "DeviceProfile", body, key),
            MESH_R_KEY_MALFORMED, "the PublicKeyECDH of Bad ");
    OPENSSL_free(point);
    EVP_PKEY_free(agree);
}

static void test_roles(void **state)
{
    struct mesh_profile *p =
        parse_made(ctx, "SignedPersonalProfile", personal(online));
    const struct mesh_profile_key *found[4];
    char udf[MESH_UDF_TEXT_MAX];
    size_t i;
    const struct {
        const char *role;
        EVP_PKEY *key; /* NULL: none */
    } rows[] = {
        {"sign", online},
        {"SIGN", online},
        {"online", online},
        {"master", master_key},
        {"MasterSignatureKey", master_key},
        {udf_of(ctx, master_key, udf), master_key},
        {"mastersignaturekey", NULL},
        {"auth", NULL},
        {key_udf, NULL},
    };

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mesh_profile_find_keys(ctx, p, rows[i].role, found, 4),
                         rows[i].key != NULL);
        if (rows[i].key != NULL)
            assert_int_equal(EVP_PKEY_eq(found[0]->public, rows[i].key), 1);
    }
    assert_int_equal(mesh_profile_find_keys(ctx, p, "sign", found, 0), 0);
    assert_string_equal(mesh_profile_role(&p->keys[0]), "master");
    assert_string_equal(mesh_profile_role(&p->keys[1]), "sign");
    assert_int_equal(captured.count, 0);
    mesh_profile_free(p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_device),
        STORE_TEST(test_texts_are_printable),
        STORE_TEST(test_date_is_a_time),
        STORE_TEST(test_name_of_another),
        STORE_TEST(test_tags),
        STORE_TEST(test_personal),
        STORE_TEST(test_master_roles),
        STORE_TEST(test_member_named_as_key),
        STORE_TEST(test_application),
        STORE_TEST(test_form_2016),
        STORE_TEST(test_rests_on),
        STORE_TEST(test_certificates),
        STORE_TEST(test_system_certificate),
        STORE_TEST(test_key_forms),
        STORE_TEST(test_roles),
    };
    int failed;

    ctx = test_context();
    failed = cmocka_run_group_tests(tests, make_keys, free_keys);
    mesh_context_free(ctx);
    return test_status(failed);
}
