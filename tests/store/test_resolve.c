/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a URI to objects, in a home made of the real files.
 */
#include "store/resolve.h"

#include "tests/store/made.h"

#include <openssl/err.h>

#define DEVICE   "MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPI"
#define AUTH     "MCNJX-YKUGT-ZJO75-VSPEY-F32GC-7FORU"
#define ENCRYPT  "MDCYV-H3HH4-GA2BQ-6N2AQ-R54EQ-GMILN"
#define PERSONAL "MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH"
#define ONLINE   "MCKGY-KMHRZ-62BN6-IGYDS-NLTSX-O6RN3"
#define CONFIRM  "RDEAT-YPBQ2-34AFV-UHNYI-QHWUU-7F6AO"
#define RECRYPT  "RD2KV-F7E4T-BZFPS-LOY2H-O7KLO-IVSEK"
#define SSH      "RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ"
#define SSH_1    "MD4J6-Z35I6-H3KP4-JMO6N-DDPBY-XMOYC"
#define SSH_2    "MCW6I-HHTPD-NJZ3N-GXUWX-EZFVU-3YGHT"
#define OWNER    "MC2T7-JNCI5-YMAW4-3XHYM-SBGJN-UMF4C"
#define DEVICE_1 "MAU63-YBEHT-D2XRV-R2CDT-F32HX-LEWDT"
#define DEVICE_2 "MDVIK-G4PQB-STGMV-2YP4F-RSG44-RURCQ"
#define OLD      "MDL54-N2LX5-25QIS-TBUVR-B5VN7-D2AXY"

static struct mesh_context *ctx;
static char home[OWN_HOME_MAX], folder[MAX_PATH];

/* Puts a text into the layout under a name. */
static void put(enum mesh_profile_kind kind, const char *udf, const char *text,
                const char *const *portals)
{
    char *path = mesh_layout_standard_file(ctx, udf);

    expect_ok(ctx, path != NULL
                       && mesh_layout_write_file(ctx, path, text, strlen(text))
                       && mesh_layout_add(ctx, kind, udf, portals));
    OPENSSL_free(path);
}

static void put_file(enum mesh_profile_kind kind, const char *udf,
                     const char *name)
{
    static const char *const portals[] = {"user@example.net", NULL};
    char *text = fixture(name);

    put(kind, udf, text, kind == MESH_PROFILE_PERSONAL ? portals : NULL);
    free(text);
}

static void lengthen(const char *path, long size)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, size - 1, SEEK_SET), 0);
    assert_int_equal(fputc('\n', file), '\n');
    assert_int_equal(fclose(file), 0);
}

static void set_default(enum mesh_profile_kind kind, const char *type,
                        const char *udf)
{
    expect_ok(ctx, mesh_layout_set_default(ctx, kind, type, udf));
}

/* The files of one owner: device, personal profile, applications (in the order
 * that a layout has which sorts them). */
static void put_real_files(void)
{
    put_file(MESH_PROFILE_DEVICE, DEVICE, "2017-alice.mmmd");
    put_file(MESH_PROFILE_PERSONAL, PERSONAL, "2017-alice.mmmp");
    put_file(MESH_PROFILE_APPLICATION, RECRYPT, "2017-alice-recrypt.mmma");
    put_file(MESH_PROFILE_APPLICATION, CONFIRM, "2017-alice-confirm.mmma");
    set_default(MESH_PROFILE_DEVICE, NULL, DEVICE);
    set_default(MESH_PROFILE_PERSONAL, NULL, PERSONAL);
}

/* What a URI gives, as a text: a line for each object. */
static const char *resolve(const char *uri, enum mesh_object_type expect)
{
    static const char *const types[] = {"any", "name", "private", "public",
                                        "cert"};
    static char lines[4096];
    struct mesh_objects objects;
    size_t i, n = 0;

    if (!mesh_resolve(ctx, uri, expect, NULL, &objects)) {
        assert_int_equal(objects.count, 0);
        return NULL;
    }
    lines[0] = '\0';
    for (i = 0; i < objects.count; i++) {
        struct mesh_object *o = &objects.items[i];

        n += (size_t)snprintf(lines + n, sizeof(lines) - n, "%s %s\n",
                              types[o->type], o->name);
        assert_true((o->type == MESH_OBJECT_CERTIFICATE)
                    == (o->certificate != NULL));
        assert_true(
            (o->type == MESH_OBJECT_PRIVATE || o->type == MESH_OBJECT_PUBLIC)
            == (o->key != NULL));
        if (o->key != NULL) {
            assert_string_equal(mesh_key_uri(o->key), o->name);
            assert_int_equal(mesh_key_kind(o->key) == MESH_KEY_HELD,
                             o->type == MESH_OBJECT_PRIVATE);
        }
    }
    mesh_objects_free(&objects);
    assert_int_equal(ERR_peek_error(), 0);
    return lines;
}

/* The URI gives these lines. */
static void gives(const char *uri, enum mesh_object_type expect,
                  const char *wanted)
{
    const char *lines = resolve(uri, expect);

    expect_ok(ctx, lines != NULL);
    assert_string_equal(lines, wanted);
}

static void fails(const char *uri, enum mesh_object_type expect,
                  enum mesh_reason reason, const char *says)
{
    assert_null(resolve(uri, expect));
    expect_error(ctx, reason, says);
}

static void test_words(void **state)
{
    static const char device_objects[] = "public mesh://" DEVICE "/sign\n"
                                         "name mesh://" DEVICE "/auth\n"
                                         "name mesh://" DEVICE "/encrypt\n";

    (void)state;
    put_real_files();
    gives("mesh:device", MESH_OBJECT_ANY, device_objects);
    gives("mesh://DEVICE", MESH_OBJECT_ANY, device_objects);
    gives("mesh://" DEVICE, MESH_OBJECT_ANY, device_objects);
    gives("mesh://personal", MESH_OBJECT_ANY,
          "public mesh://" PERSONAL "/sign\n"
          "name mesh://" PERSONAL "/master\n"
          "name mesh://" PERSONAL "/escrow\n");
    gives("mesh://User@example.net/online", MESH_OBJECT_ANY,
          "public mesh://" PERSONAL "/sign\n");
    fails("mesh://bob@example.net", MESH_OBJECT_ANY, MESH_R_ACCOUNT,
          "registered as \"bob@example.net\"");
    fails("mesh://ssh", MESH_OBJECT_ANY, MESH_R_NO_DEFAULT, "\"ssh\"");
    set_default(MESH_PROFILE_APPLICATION, "Web", CONFIRM);
    gives("mesh://web/sign", MESH_OBJECT_ANY,
          "public mesh://" CONFIRM "/sign\n");
}

static void test_roles(void **state)
{
    static const char *const same[] = {
        "mesh://device/encrypt",
        "mesh://device/Encrypt",
        "mesh://device/DeviceEncryptiontionKey",
        "mesh://device/" ENCRYPT,
        "mesh://" ENCRYPT,
        "mesh:mdcyv-h3hh4-ga2bq-6n2aq",
    };
    size_t i;

    (void)state;
    put_real_files();
    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        gives(same[i], MESH_OBJECT_ANY, "public mesh://" DEVICE "/encrypt\n");
    fails("mesh://device/master", MESH_OBJECT_ANY, MESH_R_NO_ROLE,
          "has no key \"master\"; its keys: sign, auth, encrypt");
    fails("mesh://" ENCRYPT "/sign", MESH_OBJECT_ANY, MESH_R_NO_ROLE,
          "is one key");
    /* Two keys, and neither is one to sign with. */
    gives("mesh://" RECRYPT, MESH_OBJECT_ANY,
          "name mesh://" RECRYPT "/encrypt\n"
          "name mesh://" RECRYPT "/auth\n");
    fails("mesh://" RECRYPT, MESH_OBJECT_PUBLIC, MESH_R_NO_ROLE,
          "its keys: encrypt, auth");
}

static void test_fingerprints(void **state)
{
    (void)state;
    put_real_files();
    gives("mesh://MAJBMWHBCUIVXPIVI7YZ", MESH_OBJECT_PUBLIC,
          "public mesh://" DEVICE "/sign\n");
    /* Characters 29 and 30 as the draft has them, then one wrong. */
    fails("mesh://MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPJ", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_UNKNOWN, "names no profile and no key");
    fails("mesh://MAJBM-WHBCU-IVXPI-VI7YZ-7WX2F-OBDPI", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_UNKNOWN, "names no profile and no key");
    fails("mesh://RDEAT-YPBQ2-34AFV-UHNYI-QHWUU-7F6AP", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_UNKNOWN, "names no profile and no key");
    fails("mesh://MAJBM-WHBCU-IVXPI-VI7Y", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_TOO_SHORT, "19 characters");
    fails("mesh://devise", MESH_OBJECT_ANY, MESH_R_FINGERPRINT_TOO_SHORT,
          "words for a profile are personal, device, web, ssh, mail, network");
    fails("mesh://0000", MESH_OBJECT_ANY, MESH_R_FINGERPRINT_SYNTAX, "0000");
    put(MESH_PROFILE_APPLICATION, "RDEAT-YPBQ2-34AFV-UHNYI-QHWUU-7F6AA", "{}",
        NULL);
    fails("mesh://RDEAT-YPBQ2-34AFV-UHNYI", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_AMBIGUOUS, CONFIRM);
    gives("mesh://" CONFIRM "/sign", MESH_OBJECT_ANY,
          "public mesh://" CONFIRM "/sign\n");
}

/* A device that only a personal profile holds, by its name and by a key. */
static void test_embedded(void **state)
{
    (void)state;
    put_file(MESH_PROFILE_PERSONAL, OWNER, "2017-ssh-personal.json");
    gives("mesh://" DEVICE_2 "/encrypt", MESH_OBJECT_ANY,
          "public mesh://" DEVICE_2 "/encrypt\n");
    gives("mesh://MDEXZ-SKZVC-ED2TD-3OF3M-GXPTO-67WMX", MESH_OBJECT_ANY,
          "public mesh://" DEVICE_1 "/auth\n");
}

static void test_application(void **state)
{
    struct mesh_profile *owner;
    json_t *payload;
    size_t len;
    char *text;

    (void)state;
    put_file(MESH_PROFILE_APPLICATION, SSH, "2017-ssh.mmma");
    fails("mesh://" SSH, MESH_OBJECT_ANY, MESH_R_PROFILE_MISSING,
          "no personal profile that could list");
    put_file(MESH_PROFILE_PERSONAL, PERSONAL, "2017-alice.mmmp");
    fails("mesh://" SSH, MESH_OBJECT_ANY, MESH_R_PROFILE_SIGNER,
          "does not list the SSHProfile");
    /* Its owner's personal profile in the place of another's says nothing. */
    put_file(MESH_PROFILE_PERSONAL, PERSONAL, "2017-ssh-personal.json");
    fails("mesh://" SSH, MESH_OBJECT_ANY, MESH_R_PROFILE_NAME,
          "the profile is MC2T7-");
    put_file(MESH_PROFILE_PERSONAL, OWNER, "2017-ssh-personal.json");
    /* Two devices' keys, neither device is this one. */
    gives("mesh://" SSH, MESH_OBJECT_ANY,
          "name mesh://" SSH "/" SSH_1 "\nname mesh://" SSH "/" SSH_2 "\n");
    fails("mesh://" SSH "/sign", MESH_OBJECT_ANY, MESH_R_AMBIGUOUS,
          "none of them known as this device's");
    fails("mesh://" SSH, MESH_OBJECT_PRIVATE, MESH_R_AMBIGUOUS,
          "is here, but has several keys 'sign', none of them known as this");
    gives("mesh://" SSH "/" SSH_2, MESH_OBJECT_ANY,
          "public mesh://" SSH "/" SSH_2 "\n");

    text = fixture("2017-ssh-personal.json");
    expect_ok(ctx, mesh_profile_parse(ctx, text, strlen(text), "text", &owner));
    free(text);
    payload = json_object_get(owner->payload, "PersonalProfile");
    text = mesh_profile_text(
        ctx, "SignedDeviceProfile",
        json_array_get(json_object_get(payload, "Devices"), 1), &len);
    put(MESH_PROFILE_DEVICE, DEVICE_2, text, NULL);
    OPENSSL_free(text);
    mesh_profile_free(owner);
    set_default(MESH_PROFILE_APPLICATION, "SSH", SSH);
    gives("mesh://ssh", MESH_OBJECT_ANY,
          "public mesh://" SSH "/sign\nname mesh://" SSH "/" SSH_1 "\n");
    gives("mesh://" SSH_2, MESH_OBJECT_ANY, "public mesh://" SSH "/sign\n");
    fails("mesh://ssh", MESH_OBJECT_PRIVATE, MESH_R_KEY_NOT_HELD,
          "no private key for its PublicKey, " SSH_2
          ", which is of device " DEVICE_2);
}

/* An application may call itself what it likes: it does not answer to the name
 * of somebody's key. */
static void test_impostor(void **state)
{
    EVP_PKEY *victim = fake_generate(ctx, "P-256");
    EVP_PKEY *own = fake_generate(ctx, "P-256");
    EVP_PKEY *stranger = fake_generate(ctx, "P-256");
    char victim_udf[MESH_UDF_TEXT_MAX], own_udf[MESH_UDF_TEXT_MAX];
    char udf[MESH_UDF_TEXT_MAX], uri[256], wanted[512], *text;
    json_t *body, *object;
    size_t len;

    (void)state;
    udf_of(ctx, victim, victim_udf);
    udf_of(ctx, own, own_udf);
    udf_of(ctx, stranger, udf);
    body = device_body(ctx, own);
    json_object_set_new(body, "FurtherKey", key_json(ctx, victim));
    object = sign(ctx, "DeviceProfile", body, own);
    text = mesh_profile_text(ctx, "SignedDeviceProfile", object, &len);
    put(MESH_PROFILE_DEVICE, own_udf, text, NULL);
    OPENSSL_free(text);
    json_decref(object);

    object = sign(ctx, "PersonalProfile",
                  personal_body(master(ctx, stranger, stranger),
                                device(ctx, stranger), victim_udf, udf),
                  stranger);
    text = mesh_profile_text(ctx, "SignedPersonalProfile", object, &len);
    put(MESH_PROFILE_PERSONAL, udf, text, NULL);
    OPENSSL_free(text);
    json_decref(object);
    body = web_body(ctx, stranger, udf);
    json_object_set_new(body, "Identifier", json_string(victim_udf));
    object = sign(ctx, "WebProfile", body, stranger);
    text = mesh_profile_text(ctx, "SignedApplicationProfile", object, &len);
    put(MESH_PROFILE_APPLICATION, victim_udf, text, NULL);
    OPENSSL_free(text);
    json_decref(object);

    snprintf(uri, sizeof(uri), "mesh://%s", victim_udf);
    snprintf(wanted, sizeof(wanted), "public mesh://%s/FurtherKey\n", own_udf);
    gives(uri, MESH_OBJECT_PUBLIC, wanted);
}

static void test_2016(void **state)
{
    (void)state;
    put_file(MESH_PROFILE_PERSONAL, OLD, "2016-personal.json");
    gives("mesh://" OLD, MESH_OBJECT_ANY,
          "cert mesh://" OLD "/sign\npublic mesh://" OLD "/sign\n"
          "name mesh://" OLD "/master\nname mesh://" OLD "/escrow\n");
    gives("mesh://" OLD "/master?type=cert", MESH_OBJECT_ANY,
          "cert mesh://" OLD "/master\n");
    gives("mesh://" OLD "/master", MESH_OBJECT_CERTIFICATE,
          "cert mesh://" OLD "/master\n");
    put_file(MESH_PROFILE_APPLICATION, "MBSHO-5D2GR-T7TNK-XHJV6-BHX5I-KA6TX-A",
             "2016-password.json");
    /* Its name is no random fingerprint: it could be a key's. */
    fails("mesh://MBSHO-5D2GR-T7TNK-XHJV6-BHX5I-KA6TX-A", MESH_OBJECT_ANY,
          MESH_R_FINGERPRINT_UNKNOWN, "");
    set_default(MESH_PROFILE_APPLICATION, "Web",
                "MBSHO-5D2GR-T7TNK-XHJV6-BHX5I-KA6TX-A");
    fails("mesh://web", MESH_OBJECT_ANY, MESH_R_PROFILE_SIGNER,
          "does not list");
}

/* Files that are not what the layout says; the others are no worse for it. */
static void test_bad_files(void **state)
{
    static const struct {
        const char *text;
        enum mesh_reason reason;
        const char *says;
    } rows[] = {
        {"", MESH_R_PROFILE_MALFORMED, "truncated"},
        {"{\"SerializationDevice\": {\n", MESH_R_PROFILE_MALFORMED,
         "line 2, column 1: the text is truncated"},
        {"#!/bin/sh\n", MESH_R_PROFILE_MALFORMED, "line 1, column"},
        {"{}", MESH_R_PROFILE_MALFORMED, "no profile"},
    };
    char *path, *text, deep[10001];
    size_t i;

    (void)state;
    put_real_files();
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(MESH_PROFILE_DEVICE, DEVICE, rows[i].text, NULL);
        fails("mesh://device", MESH_OBJECT_ANY, rows[i].reason, rows[i].says);
        gives("mesh://personal/sign", MESH_OBJECT_ANY,
              "public mesh://" PERSONAL "/sign\n");
    }
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    put(MESH_PROFILE_DEVICE, DEVICE, deep, NULL);
    fails("mesh://device", MESH_OBJECT_ANY, MESH_R_PROFILE_MALFORMED,
          "nested too deeply");

    put_file(MESH_PROFILE_DEVICE, DEVICE, "2017-alice.mmmp");
    fails("mesh://device", MESH_OBJECT_ANY, MESH_R_PROFILE_KIND,
          "a PersonalProfile where the layout has device profiles");
    put_file(MESH_PROFILE_PERSONAL, PERSONAL, "2017-myprofile.json");
    fails("mesh://personal", MESH_OBJECT_ANY, MESH_R_PROFILE_NAME,
          "the profile is MAWOP-");
    put_file(MESH_PROFILE_APPLICATION, RECRYPT, "2017-alice-confirm.mmma");
    fails("mesh://" RECRYPT, MESH_OBJECT_ANY, MESH_R_PROFILE_NAME,
          "the profile is RDEAT-");
    /* The key is looked for everywhere, and what could not be read is said. */
    fails("mesh://" AUTH, MESH_OBJECT_ANY, MESH_R_FINGERPRINT_UNKNOWN,
          "unread: ");

    path = mesh_layout_standard_file(ctx, DEVICE);
    lengthen(path, MESH_PROFILE_FILE_MAX + 1);
    fails("mesh://device", MESH_OBJECT_ANY, MESH_R_PROFILE_TOO_LARGE, path);
    text = fixture("2017-alice.mmmd");
    put(MESH_PROFILE_DEVICE, DEVICE, text, NULL);
    free(text);
    share(path, 1);
    fails("mesh://device", MESH_OBJECT_ANY, MESH_R_UNSAFE_FILE, path);
    assert_int_equal(remove(path), 0);
    fails("mesh://device", MESH_OBJECT_ANY, MESH_R_PROFILE_MISSING, path);
    OPENSSL_free(path);
}

static void test_list(void **state)
{
    struct mesh_objects objects;
    size_t i;
    static const char *const wanted[][2] = {
        {"mesh://" PERSONAL,
         "personal, PersonalProfile, default for mesh://personal"},
        {"mesh://" DEVICE,
         "device, DeviceProfile, Unknown, default for mesh://device"},
        {"mesh://" RECRYPT, "application, unusable: "},
        {"mesh://" CONFIRM, "application, ConfirmProfile, alice@example.com"},
    };

    (void)state;
    gives("mesh:", MESH_OBJECT_ANY, "");
    put_real_files();
    put(MESH_PROFILE_APPLICATION, RECRYPT, "{", NULL);
    expect_ok(
        ctx, mesh_resolve(ctx, "mesh://", MESH_OBJECT_PRIVATE, NULL, &objects));
    assert_int_equal(objects.count, 4);
    for (i = 0; i < objects.count; i++) {
        assert_int_equal(objects.items[i].type, MESH_OBJECT_NAME);
        assert_string_equal(objects.items[i].name, wanted[i][0]);
        if (strncmp(objects.items[i].description, wanted[i][1],
                    strlen(wanted[i][1]))
            != 0)
            assert_string_equal(objects.items[i].description, wanted[i][1]);
    }
    mesh_objects_free(&objects);
}

/* A device of the fake key store: what expect and type= leave of its key. */
static void test_private(void **state)
{
    EVP_PKEY *key = fake_generate(ctx, "ED25519");
    char udf[MESH_UDF_TEXT_MAX], uri[256], both[512], line[256], *text;
    json_t *object = device(ctx, key);
    size_t len;

    (void)state;
    udf_of(ctx, key, udf);
    text = mesh_profile_text(ctx, "SignedDeviceProfile", object, &len);
    put(MESH_PROFILE_DEVICE, udf, text, NULL);
    OPENSSL_free(text);
    json_decref(object);
    set_default(MESH_PROFILE_DEVICE, NULL, udf);

    snprintf(both, sizeof(both),
             "private mesh://%s/sign\npublic mesh://%s/sign\n", udf, udf);
    gives("mesh://device/sign", MESH_OBJECT_ANY, both);
    snprintf(line, sizeof(line), "private mesh://%s/sign\n", udf);
    gives("mesh://device/sign", MESH_OBJECT_PRIVATE, line);
    gives("mesh://device/sign?type=private", MESH_OBJECT_ANY, line);
    snprintf(line, sizeof(line), "public mesh://%s/sign\n", udf);
    fake.asked = 0;
    gives("mesh://device/sign", MESH_OBJECT_PUBLIC, line);
    gives("mesh://device/sign?type=public", MESH_OBJECT_ANY, line);
    gives("mesh://device/sign?type=private", MESH_OBJECT_PUBLIC, line);
    gives("mesh://device/sign", MESH_OBJECT_CERTIFICATE, "");
    assert_int_equal(fake.asked, 0);
    fails("mesh://device/sign?type=public", MESH_OBJECT_PRIVATE, MESH_R_USAGE,
          "not what the program asks for");

    fake.unreachable = 1;
    gives("mesh://device/sign", MESH_OBJECT_ANY, line);
    fails("mesh://device/sign", MESH_OBJECT_PRIVATE, MESH_R_KEYD_START,
          "unreachable");
    fake.unreachable = 0;
    fake_free();
    gives("mesh://device/sign", MESH_OBJECT_ANY, line);
    snprintf(uri, sizeof(uri), "%.60s is here, but this device holds no", udf);
    fails("mesh://device/sign", MESH_OBJECT_PRIVATE, MESH_R_KEY_NOT_HELD, uri);
}

/* Of two online keys the one that is here, else the first. */
static void test_online(void **state)
{
    EVP_PKEY *keys[2], *root = fake_generate(ctx, "P-256");
    char udf[MESH_UDF_TEXT_MAX], uri[256], wanted[1024], *text;
    char online[2][MESH_UDF_TEXT_MAX];
    json_t *body, *object;
    size_t len;

    (void)state;
    keys[0] = fake_generate(ctx, "P-256");
    keys[1] = fake_generate(ctx, "ED25519");
    body = json_pack("{ss so s[oo]}", "Identifier", udf_of(ctx, root, udf),
                     "MasterSignatureKey", key_json(ctx, root),
                     "OnlineSignatureKeys", key_json(ctx, keys[0]),
                     key_json(ctx, keys[1]));
    body = personal_body(sign(ctx, "MasterProfile", body, root),
                         device(ctx, keys[0]), SSH, DEVICE);
    object = sign(ctx, "PersonalProfile", body, keys[0]);
    text = mesh_profile_text(ctx, "SignedPersonalProfile", object, &len);
    put(MESH_PROFILE_PERSONAL, udf, text, NULL);
    OPENSSL_free(text);
    json_decref(object);
    udf_of(ctx, keys[0], online[0]);
    udf_of(ctx, keys[1], online[1]);

    snprintf(uri, sizeof(uri), "mesh://%s/sign", udf);
    EVP_PKEY_free(keys[0]); /* of the fake's three keys the last stays */
    EVP_PKEY_free(root);
    fake.keys[0] = keys[1];
    fake.keys[1] = fake.keys[2] = NULL;
    snprintf(wanted, sizeof(wanted),
             "private mesh://%s/%s\npublic mesh://%s/%s\n", udf, online[1], udf,
             online[1]);
    gives(uri, MESH_OBJECT_ANY, wanted);
    fake_free();
    snprintf(wanted, sizeof(wanted), "public mesh://%s/%s\n", udf, online[0]);
    gives(uri, MESH_OBJECT_ANY, wanted);
}

/* A key answers to its name under another rule, too: SHA-3. */
static void test_other_rule(void **state)
{
    EVP_PKEY *key = fake_generate(ctx, "P-256");
    EVP_PKEY *encrypt = fake_generate(ctx, "P-256");
    char udf[MESH_UDF_TEXT_MAX], name[MESH_UDF_TEXT_MAX], uri[512], line[512];
    json_t *body = device_body(ctx, key), *object;
    unsigned char *spki = NULL;
    struct mesh_udf other;
    char *text;
    size_t len;
    int spki_len = i2d_PUBKEY(encrypt, &spki);

    (void)state;
    json_object_set_new(body, "DeviceEncryptiontionKey",
                        key_json(ctx, encrypt));
    object = sign(ctx, "DeviceProfile", body, key);
    text = mesh_profile_text(ctx, "SignedDeviceProfile", object, &len);
    put(MESH_PROFILE_DEVICE, udf_of(ctx, key, udf), text, NULL);
    OPENSSL_free(text);
    json_decref(object);

    expect_ok(ctx, mesh_udf_compute(ctx, 144, "application/pkix-keyinfo", spki,
                                    (size_t)spki_len, 150, &other));
    OPENSSL_free(spki);
    mesh_udf_print(&other, name);
    snprintf(line, sizeof(line), "public mesh://%s/encrypt\n", udf);
    snprintf(uri, sizeof(uri), "mesh://%s", name);
    gives(uri, MESH_OBJECT_PUBLIC, line);
    snprintf(uri, sizeof(uri), "mesh://%s/%s", udf, name);
    gives(uri, MESH_OBJECT_PUBLIC, line);
}

/* A device whose signed profile has something wrong with the key for
 * encryption: that one is not used, in no way, and the profile for nothing but
 * its keys. */
static void put_with_bad_key(EVP_PKEY *key, const char *member, json_t *value)
{
    json_t *body = device_body(ctx, key), *bad, *object;
    char udf[MESH_UDF_TEXT_MAX], *text;
    size_t len;

    bad = json_object_get(body, "DeviceEncryptiontionKey");
    json_object_set_new(bad, member, value);
    object = sign(ctx, "DeviceProfile", body, key);
    text = mesh_profile_text(ctx, "SignedDeviceProfile", object, &len);
    put(MESH_PROFILE_DEVICE, udf_of(ctx, key, udf), text, NULL);
    set_default(MESH_PROFILE_DEVICE, NULL, udf);
    OPENSSL_free(text);
    json_decref(object);
}

static void test_bad_key(void **state)
{
    EVP_PKEY *key = fake_generate(ctx, "ED25519");
    EVP_PKEY *other = fake_generate(ctx, "ED25519");
    char udf[MESH_UDF_TEXT_MAX], name[MESH_UDF_TEXT_MAX], uri[256], line[512];
    const struct mesh_profile_key *none;
    struct mesh_profile *profile;
    char *path;

    (void)state;
    udf_of(ctx, key, udf);
    udf_of(ctx, other, name);
    path = mesh_layout_standard_file(ctx, udf);
    snprintf(line, sizeof(line), "public mesh://%s/sign\n", udf);
    snprintf(uri, sizeof(uri), "mesh://%s", name);

    put_with_bad_key(key, "UDF", json_string(name));
    gives("mesh://device/sign", MESH_OBJECT_PUBLIC, line);
    snprintf(line, sizeof(line), "%s: %s is not the fingerprint of the Dev",
             path, name);
    fails("mesh://device/encrypt", MESH_OBJECT_ANY, MESH_R_KEY_FINGERPRINT,
          line);
    fails(uri, MESH_OBJECT_ANY, MESH_R_FINGERPRINT_UNKNOWN, "unread: ");
    assert_false(mesh_resolve_profile(ctx, "device", &profile, &none));
    expect_error(ctx, MESH_R_KEY_FINGERPRINT, line);
    assert_false(mesh_profile_read(ctx, path, &profile));
    expect_error(ctx, MESH_R_KEY_FINGERPRINT, line);
    snprintf(line, sizeof(line),
             "private mesh://%s/sign\npublic mesh://%s/sign\n", udf, udf);
    gives("mesh://device", MESH_OBJECT_ANY, line);

    put_with_bad_key(key, "PublicParameters",
                     json_pack("{s{ss}}", "PublicKeyPKIX", "spki", "AAAA"));
    gives("mesh://device", MESH_OBJECT_ANY, line);
    fails("mesh://device/encrypt", MESH_OBJECT_ANY, MESH_R_KEY_MALFORMED, path);

    expect_ok(ctx, mesh_profile_read_chain(ctx, path, &profile));
    assert_int_equal(profile->keys_count, 2);
    assert_non_null(profile->keys[0].public);
    assert_null(profile->keys[1].public);
    assert_false(mesh_profile_open_keys(ctx, profile));
    expect_error(ctx, MESH_R_KEY_MALFORMED, path);
    assert_null(profile->keys[1].public);
    mesh_profile_free(profile);
    OPENSSL_free(path);
}

/* A fresh home for each test. */
static int make_home(void **state)
{
    forget_errors(state);
    return !own_home(home, folder)
           || !mesh_context_configure(ctx, "home", home);
}

static int remove_home(void **state)
{
    (void)state;
    fake_free();
    return !remove_own_home(home, folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, remove_home)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_words),      TEST(test_roles),       TEST(test_fingerprints),
        TEST(test_embedded),   TEST(test_application), TEST(test_2016),
        TEST(test_impostor),   TEST(test_bad_files),   TEST(test_list),
        TEST(test_private),    TEST(test_online),      TEST(test_bad_key),
        TEST(test_other_rule),
    };
    int failed;

    ctx = test_context();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mesh_context_free(ctx);
    return test_status(failed);
}
