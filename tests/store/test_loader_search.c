/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * OSSL_STORE_find() and X509_STORE over profiles with certificates: the
 * provider built into the program, over a key store in the process.
 */
#include "store/resolve.h"

#include "tests/store/certificate.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>

OSSL_provider_init_fn OSSL_provider_init;

enum { SIGN, AUTH, MASTER, ONLINE, IMPORTED, FOREIGN, KEYS };

#define NUMBER 4711 /* of the first certificate */

#define SUBJECT     OSSL_STORE_PARAM_SUBJECT
#define ISSUER      OSSL_STORE_PARAM_ISSUER
#define SERIAL      OSSL_STORE_PARAM_SERIAL
#define DIGEST      OSSL_STORE_PARAM_DIGEST
#define FINGERPRINT OSSL_STORE_PARAM_FINGERPRINT
#define ALIAS       OSSL_STORE_PARAM_ALIAS

static struct mesh_context *ctx;
static OSSL_LIB_CTX *application;
static OSSL_PROVIDER *providers[2];
static EVP_PKEY *keys[KEYS];
static X509 *root;
static char udfs[KEYS][MESH_UDF_TEXT_MAX];
static char home[OWN_HOME_MAX], folder[MAX_PATH];

int mesh_keystore_open(struct mesh_context *context)
{
    (void)context;
    return 1;
}

void mesh_keystore_close(struct mesh_context *context)
{
    (void)context;
}

static void put(enum mesh_profile_kind kind, const char *tag, const char *udf,
                json_t *object)
{
    size_t len;
    char *text = mesh_profile_text(ctx, tag, object, &len);
    char *path = mesh_layout_standard_file(ctx, udf);

    expect_ok(ctx, text != NULL && path != NULL
                       && mesh_layout_write_file(ctx, path, text, len)
                       && mesh_layout_add(ctx, kind, udf, NULL)
                       && mesh_layout_set_default(ctx, kind, NULL, udf));
    OPENSSL_free(text);
    OPENSSL_free(path);
    json_decref(object);
}

static X509 *issued(int key, const char *subject, int issuer_key,
                    const char *issuer)
{
    return certificate(ctx, keys[key], subject, keys[issuer_key], issuer,
                       NUMBER + key);
}

/* The same one wherever it stands. */
static X509 *foreign_root(void)
{
    if (root == NULL)
        root = issued(FOREIGN, "foreign", FOREIGN, "foreign");
    X509_up_ref(root);
    return root;
}

/* A device whose keys have certificates of their own and of a foreign CA, and
 * a personal profile with certificates in all places where there may be some.
 */
static void make_profiles(void)
{
    json_t *device, *body;

    device = json_pack(
        "{ss ss so so so}", "Identifier", udfs[SIGN], "Description", "a laptop",
        "DeviceSignatureKey",
        key_with(ctx, keys[SIGN], issued(SIGN, "device", SIGN, "device"),
                 foreign_root()),
        "DeviceAuthenticationKey",
        key_with(ctx, keys[AUTH], issued(AUTH, "auth", FOREIGN, "foreign"),
                 foreign_root()),
        "FurtherKey", key_json(ctx, keys[IMPORTED]));
    device = sign(ctx, "DeviceProfile", device, keys[SIGN]);
    body = json_pack(
        "{ss so s[o]}", "Identifier", udfs[MASTER], "MasterSignatureKey",
        key_with(ctx, keys[MASTER], issued(MASTER, "owner", MASTER, "owner"),
                 NULL),
        "OnlineSignatureKeys",
        key_with(ctx, keys[ONLINE], issued(ONLINE, "online", MASTER, "owner"),
                 foreign_root()));
    body = personal_body(sign(ctx, "MasterProfile", body, keys[MASTER]),
                         json_incref(device), APP, udfs[SIGN]);
    json_object_set_new(body, "Description", json_string("an owner\33[2J"));
    json_object_set_new(
        body, "ImportedKeys",
        key_with(ctx, keys[IMPORTED],
                 issued(IMPORTED, "imported", IMPORTED, "imported"),
                 foreign_root()));
    put(MESH_PROFILE_PERSONAL, "SignedPersonalProfile", udfs[MASTER],
        sign(ctx, "PersonalProfile", body, keys[ONLINE]));
    put(MESH_PROFILE_DEVICE, "SignedDeviceProfile", udfs[SIGN], device);
}

/* Adds what an object is to lines: "cert CN", "private", "name URI" … */
static void add_line(char lines[512], const OSSL_STORE_INFO *info)
{
    char name[128] = "";

    switch (OSSL_STORE_INFO_get_type(info)) {
    case OSSL_STORE_INFO_NAME:
        strcat(strcat(lines, "name "), OSSL_STORE_INFO_get0_NAME(info));
        break;
    case OSSL_STORE_INFO_CERT:
        X509_NAME_get_text_by_NID(
            X509_get_subject_name(OSSL_STORE_INFO_get0_CERT(info)),
            NID_commonName, name, sizeof(name));
        strcat(strcat(lines, "cert "), name);
        break;
    case OSSL_STORE_INFO_PKEY:
        strcat(lines, "private");
        break;
    default:
        assert_int_equal(OSSL_STORE_INFO_get_type(info),
                         OSSL_STORE_INFO_PUBKEY);
        strcat(lines, "public");
    }
    strcat(lines, ", ");
}

/* All objects of an open store, which is closed. */
static const char *load_all(OSSL_STORE_CTX *store)
{
    static char lines[512];
    OSSL_STORE_INFO *info;

    lines[0] = '\0';
    while (!OSSL_STORE_eof(store))
        if ((info = OSSL_STORE_load(store)) != NULL) {
            add_line(lines, info);
            OSSL_STORE_INFO_free(info);
        }
    assert_null(OSSL_STORE_load(store));
    OSSL_STORE_close(store);
    return lines;
}

static OSSL_STORE_CTX *open_store(const char *uri, int expect)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, application, NULL, NULL,
                                               NULL, NULL, NULL, NULL);

    assert_non_null(store);
    if (expect != 0)
        assert_int_equal(OSSL_STORE_expect(store, expect), 1);
    return store;
}

/* Nothing is in the queue but what OSSL_PARAM_get_…() of 3.5 leaves there. */
static void expect_no_error(void)
{
    unsigned long e;

    while ((e = ERR_get_error()) != 0)
        assert_int_equal(ERR_GET_LIB(e), ERR_LIB_CRYPTO);
}

/* What a search in a URI gives; takes search over. */
static void finds(const char *uri, int expect, OSSL_STORE_SEARCH *search,
                  const char *wanted)
{
    OSSL_STORE_CTX *store = open_store(uri, expect);

    assert_int_equal(
        OSSL_STORE_supports_search(store, OSSL_STORE_SEARCH_get_type(search)),
        1);
    assert_int_equal(OSSL_STORE_find(store, search), 1);
    OSSL_STORE_SEARCH_free(search);
    assert_string_equal(load_all(store), wanted);
    expect_no_error();
}

/* Our error is in the queue, with this in its text. */
static void expect_queued(enum mesh_reason reason, const char *part)
{
    unsigned long e;
    const char *text;
    int found = 0;

    while ((e = ERR_get_error_all(NULL, NULL, NULL, &text, NULL)) != 0)
        if (ERR_GET_REASON(e) == (int)reason && strstr(text, part) != NULL)
            found = 1;
    assert_true(found);
}

static X509_NAME *name_of(const char *cn)
{
    static X509_NAME *name;

    X509_NAME_free(name);
    name = NULL;
    if (cn == NULL)
        return NULL;
    name = X509_NAME_new();
    set_name(name, cn);
    return name;
}

static OSSL_STORE_SEARCH *by_subject(const char *cn)
{
    return OSSL_STORE_SEARCH_by_name(name_of(cn));
}

static void test_subject(void **state)
{
    static const struct {
        const char *uri;
        int expect;
        const char *cn, *wanted;
    } rows[] = {
        /* One key: its own and its chain. */
        {"mesh://device/auth", 0, "auth", "cert auth, "},
        {"mesh://device/auth", 0, "foreign", "cert foreign, "},
        {"mesh://device/auth", OSSL_STORE_INFO_CERT, "AUTH", "cert auth, "},
        {"mesh://device/auth?type=cert", 0, "auth", "cert auth, "},
        {"mesh://device/auth", 0, "aut", ""},
        {"mesh://device/auth", OSSL_STORE_INFO_PKEY, "auth", ""},
        /* A profile: what its trust chain rests on, no chains. */
        {"mesh://device", 0, "device", "cert device, "},
        {"mesh://device", 0, "auth", ""},
        {"mesh://device", 0, "foreign", ""},
        {"mesh://personal", 0, "owner", "cert owner, "},
        {"mesh://personal", 0, "online", "cert online, "},
        {"mesh://personal", 0, "imported", ""},
        {"mesh://personal", 0, "foreign", ""},
        {"mesh:", 0, "owner", "cert owner, "},
        {"mesh:", 0, "device", "cert device, "},
        {"mesh:", 0, "auth", ""},
        {"mesh:", 0, "foreign", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        finds(rows[i].uri, rows[i].expect, by_subject(rows[i].cn),
              rows[i].wanted);
}

/* Not by libcrypto's grace alone, which drops what was not expected. */
static void test_expect(void **state)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name_of("device"), &der);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SUBJECT, der, (size_t)len),
        OSSL_PARAM_construct_end()};
    struct mesh_criterion *criterion;
    struct mesh_objects objects;

    (void)state;
    expect_ok(ctx, mesh_criterion_read(ctx, params, &criterion));
    expect_ok(ctx, mesh_resolve(ctx, "mesh://device", MESH_OBJECT_PRIVATE,
                                criterion, &objects));
    assert_int_equal(objects.count, 0);
    expect_ok(ctx, mesh_resolve(ctx, "mesh://device", MESH_OBJECT_CERTIFICATE,
                                criterion, &objects));
    assert_int_equal(objects.count, 1);
    mesh_objects_free(&objects);
    mesh_criterion_free(criterion);
    OPENSSL_free(der);
}

static void finds_serial(const char *uri, const char *issuer, long serial,
                         const char *wanted)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();

    assert_true(ASN1_INTEGER_set(number, serial));
    finds(uri, 0, OSSL_STORE_SEARCH_by_issuer_serial(name_of(issuer), number),
          wanted);
    ASN1_INTEGER_free(number);
}

static void test_issuer_serial(void **state)
{
    (void)state;
    finds_serial("mesh:", "foreign", NUMBER + AUTH, "cert auth, ");
    finds_serial("mesh://device", "foreign", NUMBER + AUTH, "cert auth, ");
    /* It stands in four chains and is found once. */
    finds_serial("mesh:", "foreign", NUMBER + FOREIGN, "cert foreign, ");
    finds_serial("mesh:", "foreign", NUMBER + SIGN, "");
    finds_serial("mesh:", "device", NUMBER + AUTH, "");
    finds_serial("mesh:", "foreign", 0, "");
    finds_serial("mesh://device/sign", "foreign", NUMBER + AUTH, "");
}

static unsigned char digest[EVP_MAX_MD_SIZE];

/* A search by the digest of the SubjectPublicKeyInfo. */
static OSSL_STORE_SEARCH *by_digest(EVP_MD *md, int key)
{
    unsigned char *der = NULL;
    unsigned len;
    int der_len = i2d_PUBKEY(keys[key], &der);

    assert_true(EVP_Digest(der, (size_t)der_len, digest, &len, md, NULL));
    OPENSSL_free(der);
    return OSSL_STORE_SEARCH_by_key_fingerprint(md, digest, len);
}

static void test_fingerprint(void **state)
{
    static const char *const digests[] = {"SHA256", "SHA1", "SHA3-512",
                                          "SHA512"};
    OSSL_STORE_SEARCH *search;
    EVP_MD *md;
    size_t i, len;

    (void)state;
    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        md = EVP_MD_fetch(application, digests[i], NULL);
        finds("mesh:", 0, by_digest(md, AUTH),
              "cert auth, cert foreign, private, public, ");
        finds("mesh://device", OSSL_STORE_INFO_PKEY, by_digest(md, AUTH),
              "private, ");
        finds("mesh://device", OSSL_STORE_INFO_CERT, by_digest(md, AUTH),
              "cert auth, cert foreign, ");
        finds("mesh://device/auth", OSSL_STORE_INFO_PUBKEY, by_digest(md, AUTH),
              "public, ");
        finds("mesh://device/sign", 0, by_digest(md, AUTH), "");
        finds("mesh:", 0, by_digest(md, FOREIGN), "");
        search = by_digest(md, AUTH);
        OSSL_STORE_SEARCH_get0_bytes(search, &len);
        digest[len - 1] ^= 1;
        finds("mesh:", 0, search, "");
        /* A key in two profiles is one key. */
        finds("mesh:", OSSL_STORE_INFO_PKEY, by_digest(md, IMPORTED),
              "private, ");
        /* A device in a personal profile is found there, too. */
        finds("mesh://personal", OSSL_STORE_INFO_PUBKEY, by_digest(md, SIGN),
              "public, ");
        EVP_MD_free(md);
    }
}

/* The digest D that the fingerprint itself is made of. */
static void test_udf(void **state)
{
    EVP_MD *md = EVP_MD_fetch(application, "SHA2-512", NULL);
    unsigned char *der = NULL;
    struct mesh_udf udf;
    int len;

    (void)state;
    len = i2d_PUBKEY(keys[AUTH], &der);
    expect_ok(ctx, mesh_udf_compute(ctx, 96, "application/pkix-keyinfo", der,
                                    (size_t)len, 520, &udf));
    OPENSSL_free(der);
    finds("mesh:", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_key_fingerprint(md, udf.bytes + 1, 64),
          "public, ");
    udf.bytes[64] ^= 1;
    finds("mesh:", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_key_fingerprint(md, udf.bytes + 1, 64), "");
    EVP_MD_free(md);
}

static void test_not_held(void **state)
{
    EVP_MD *md = EVP_MD_fetch(application, "SHA256", NULL);
    EVP_PKEY *key = fake.keys[AUTH];
    OSSL_STORE_SEARCH *search = by_digest(md, AUTH);
    OSSL_STORE_CTX *store = open_store("mesh:", OSSL_STORE_INFO_PKEY);

    (void)state;
    fake.keys[AUTH] = fake.keys[KEYS];
    fake.keys[KEYS] = NULL; /* the table ends there */
    assert_int_equal(OSSL_STORE_find(store, search), 1);
    OSSL_STORE_SEARCH_free(search);
    assert_string_equal(load_all(store), "");
    expect_queued(MESH_R_KEY_NOT_HELD, "DeviceAuthenticationKey");
    fake.keys[KEYS] = fake.keys[AUTH];
    fake.keys[AUTH] = key;
    EVP_MD_free(md);
}

static void test_alias(void **state)
{
    char wanted[512];
    OSSL_STORE_CTX *store;
    OSSL_STORE_SEARCH *search;

    (void)state;
    finds("mesh://device", OSSL_STORE_INFO_PKEY,
          OSSL_STORE_SEARCH_by_alias("auth"), "private, ");
    finds("mesh:", OSSL_STORE_INFO_PKEY, OSSL_STORE_SEARCH_by_alias("auth"),
          "private, ");
    finds("mesh:", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_alias("DeviceAuthenticationKey"), "public, ");
    finds("mesh:", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_alias("DeviceAuthenticationKey, P-256"),
          "public, ");
    finds("mesh:", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_alias(udfs[IMPORTED]), "public, ");
    finds("mesh:", 0, OSSL_STORE_SEARCH_by_alias("a laptop"),
          "cert device, cert foreign, private, public, ");
    finds("mesh://device/sign", OSSL_STORE_INFO_PUBKEY,
          OSSL_STORE_SEARCH_by_alias("sign"), "public, ");
    finds("mesh://device/auth", 0, OSSL_STORE_SEARCH_by_alias("sign"), "");
    finds("mesh:", 0, OSSL_STORE_SEARCH_by_alias("a laptop "), "");

    /* Two keys to sign with: names, and never one of them by chance. */
    snprintf(wanted, sizeof(wanted),
             "name mesh://%s/sign, name mesh://%s/sign, ", udfs[MASTER],
             udfs[SIGN]);
    finds("mesh:", 0, OSSL_STORE_SEARCH_by_alias("sign"), wanted);
    store = open_store("mesh:", OSSL_STORE_INFO_PKEY);
    search = OSSL_STORE_SEARCH_by_alias("sign");
    assert_int_equal(OSSL_STORE_find(store, search), 1);
    OSSL_STORE_SEARCH_free(search);
    assert_string_equal(load_all(store), "");
    expect_queued(MESH_R_AMBIGUOUS, "2 keys fit the search, mesh://");
}

/* Searches that libcrypto would not send. */
static void refuses(OSSL_PARAM one, OSSL_PARAM other, const char *says)
{
    OSSL_PARAM params[] = {one, other, OSSL_PARAM_construct_end()};
    struct mesh_criterion *criterion;

    assert_int_equal(mesh_criterion_read(ctx, params, &criterion), 0);
    assert_null(criterion);
    expect_error(ctx, MESH_R_USAGE, says);
    expect_no_error();
}

static OSSL_PARAM octets(const char *name, const char *text, size_t len)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)text, len);
}

static OSSL_PARAM text(const char *name, const char *text)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)text, 0);
}

static void test_refused(void **state)
{
    static const char sha1[] = "01234567890123456789";
    static const char der[] =
        "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
        "a";
    const OSSL_PARAM end = OSSL_PARAM_construct_end();

    (void)state;
    refuses(octets(SUBJECT, der, sizeof(der) - 2), end, "no DER");
    refuses(octets(SUBJECT, der, sizeof(der)), end, "no DER");
    refuses(octets(SUBJECT, der, 0), end, "no DER");
    refuses(octets(SUBJECT, "CN=auth", 7), end, "no DER");
    refuses(text(SUBJECT, "CN=auth"), end, "no DER");
    refuses(octets(ISSUER, der, sizeof(der) - 1), end,
            "issuer and serial: one of the two is missing");
    refuses(octets(SERIAL, der, 4), end, "one of the two is missing");
    refuses(octets(ISSUER, der, sizeof(der) - 1), octets(SERIAL, der, 4),
            "serial number is none");
    refuses(octets(FINGERPRINT, sha1, 20), end, "one of the two is missing");
    refuses(text(DIGEST, "SHA1"), end, "one of the two is missing");
    refuses(text(DIGEST, "SHA1"), octets(FINGERPRINT, sha1, 19),
            "a SHA1 fingerprint has 20 octets, not 19");
    refuses(text(DIGEST, "SHA1"), octets(FINGERPRINT, sha1, 21),
            "a SHA1 fingerprint has 20 octets, not 21");
    refuses(text(DIGEST, "SHA1"), octets(FINGERPRINT, sha1, sizeof(sha1)),
            "not 21");
    refuses(text(DIGEST, "SHA-17"), octets(FINGERPRINT, sha1, 20),
            "digest \"SHA-17\" is unknown");
    refuses(text(DIGEST, "a-name-that-is-longer-than-a-digest-has"),
            octets(FINGERPRINT, sha1, 20), "no name of at most 31");
    refuses(text(ALIAS, ""), end, "alias is empty");
    refuses(text(ALIAS, "auth"), octets(SUBJECT, der, sizeof(der) - 1),
            "alias and something else at once");
}

/* X509_STORE loads though its search was refused: then there is nothing, not
 * everything. */
static void test_refused_load(void **state)
{
    static const unsigned char zeros[16];
    OSSL_STORE_CTX *store = open_store("mesh://device", 0);
    OSSL_STORE_SEARCH *search =
        OSSL_STORE_SEARCH_by_key_fingerprint(EVP_md4(), zeros, sizeof(zeros));

    (void)state;
    assert_int_equal(OSSL_STORE_find(store, search), 0);
    expect_queued(MESH_R_USAGE, "digest \"MD4\" is unknown");
    assert_int_equal(OSSL_STORE_expect(store, 0), 1);
    assert_string_equal(load_all(store), "");

    /* A search that can be done makes it good. */
    store = open_store("mesh://device", 0);
    assert_int_equal(OSSL_STORE_find(store, search), 0);
    ERR_clear_error();
    OSSL_STORE_SEARCH_free(search);
    search = by_subject("device");
    assert_int_equal(OSSL_STORE_find(store, search), 1);
    OSSL_STORE_SEARCH_free(search);
    assert_string_equal(load_all(store), "cert device, ");
}

/* What programs rely on that load without a search: certificates first, then
 * one private and one public key. */
static void test_unfiltered(void **state)
{
    char wanted[512];

    (void)state;
    assert_string_equal(load_all(open_store("mesh://device/auth", 0)),
                        "cert auth, cert foreign, private, public, ");
    assert_string_equal(
        load_all(open_store("mesh://device/auth", OSSL_STORE_INFO_PKEY)),
        "private, ");
    assert_string_equal(
        load_all(open_store("mesh://device/auth", OSSL_STORE_INFO_CRL)), "");
    snprintf(wanted, sizeof(wanted),
             "cert device, cert foreign, private, public, name mesh://%s/auth, "
             "name mesh://%s/FurtherKey, ",
             udfs[SIGN], udfs[SIGN]);
    assert_string_equal(load_all(open_store("mesh://device", 0)), wanted);
    /* A personal profile asked for certificates: its own, without chains. */
    assert_string_equal(
        load_all(open_store("mesh://personal", OSSL_STORE_INFO_CERT)),
        "cert online, cert owner, ");
    assert_string_equal(
        load_all(open_store("mesh://personal/online", OSSL_STORE_INFO_CERT)),
        "cert online, cert foreign, ");
}

/* storeutl prints descriptions: nothing in them may command a terminal. */
static void test_descriptions(void **state)
{
    OSSL_STORE_CTX *store = open_store("mesh:", 0);
    OSSL_STORE_INFO *info;
    const char *text;
    int owners = 0;

    (void)state;
    while ((info = OSSL_STORE_load(store)) != NULL) {
        text = OSSL_STORE_INFO_get0_NAME_description(info);
        owners += strstr(text, "an owner?[2J") != NULL;
        assert_null(strchr(text, '\33'));
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    assert_int_equal(owners, 1);
}

/* Whether a certificate of key verifies with a URI as the CA store. */
static int verifies(const char *uri, int key, int issuer_key,
                    const char *issuer)
{
    X509 *leaf = issued(key, "leaf", issuer_key, issuer);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *verify = X509_STORE_CTX_new_ex(application, NULL);
    int ok;

    assert_int_equal(X509_STORE_load_store_ex(store, uri, application, NULL),
                     1);
    assert_int_equal(X509_STORE_CTX_init(verify, store, leaf, NULL), 1);
    ok = X509_verify_cert(verify) == 1;
    if (!ok)
        assert_int_equal(X509_STORE_CTX_get_error(verify),
                         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    X509_STORE_CTX_free(verify);
    X509_STORE_free(store);
    X509_free(leaf);
    ERR_clear_error();
    return ok;
}

static void test_anchors(void **state)
{
    char uri[256];

    (void)state;
    snprintf(uri, sizeof(uri), "mesh://%s", udfs[MASTER]);
    assert_true(verifies("mesh://personal", AUTH, MASTER, "owner"));
    assert_true(verifies(uri, AUTH, MASTER, "owner"));
    assert_true(verifies("mesh://personal", AUTH, ONLINE, "online"));
    assert_true(verifies("mesh:", AUTH, ONLINE, "online"));
    assert_true(verifies("mesh://device", AUTH, SIGN, "device"));
    assert_true(verifies("mesh://device/auth", AUTH, FOREIGN, "foreign"));

    assert_false(verifies("mesh://personal", AUTH, FOREIGN, "foreign"));
    assert_false(verifies("mesh://personal", AUTH, IMPORTED, "imported"));
    assert_false(verifies("mesh://personal", AUTH, SIGN, "device"));
    assert_false(verifies("mesh://device", AUTH, FOREIGN, "foreign"));
    assert_false(verifies("mesh://device", AUTH, MASTER, "owner"));
    assert_false(verifies("mesh:", AUTH, FOREIGN, "foreign"));
    assert_false(verifies("mesh:", AUTH, IMPORTED, "imported"));
}

static int setup(void **state)
{
    int i;

    (void)state;
    if (!own_home(home, folder))
        return 1;
    set_variable("CRYPTOMESH_HOME", home);
    ctx = test_context();
    for (i = 0; i <= KEYS; i++) { /* one more, for test_not_held */
        EVP_PKEY *key = fake_generate(ctx, "P-256");

        if (i < KEYS)
            udf_of(ctx, keys[i] = key, udfs[i]);
    }
    make_profiles();
    application = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_add_builtin(application, "mesh", OSSL_provider_init);
    providers[0] = OSSL_PROVIDER_load(application, "default");
    providers[1] = OSSL_PROVIDER_load(application, "mesh");
    return providers[0] == NULL || providers[1] == NULL;
}

static int teardown(void **state)
{
    (void)state;
    name_of(NULL);
    OSSL_PROVIDER_unload(providers[1]);
    OSSL_PROVIDER_unload(providers[0]);
    OSSL_LIB_CTX_free(application);
    X509_free(root);
    fake_free();
    mesh_context_free(ctx);
    return !remove_own_home(home, folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(test_subject),       STORE_TEST(test_expect),
        STORE_TEST(test_issuer_serial), STORE_TEST(test_fingerprint),
        STORE_TEST(test_udf),           STORE_TEST(test_not_held),
        STORE_TEST(test_alias),         STORE_TEST(test_refused),
        STORE_TEST(test_refused_load),  STORE_TEST(test_unfiltered),
        STORE_TEST(test_descriptions),  STORE_TEST(test_anchors),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
