/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: tags, payloads, keys and their roles.
 */
#include "store/profile.h"

#include "store/trust.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

/* A payload is the owner's, but must not be able to take all memory. */
#define KEYS_MAX    1024
#define DEVICES_MAX 1024

#define RSA_OCTETS_MAX 2048 /* libcrypto verifies up to 16384 bits */

/* The tags of a file, where its signed object is, and what that must hold. */
static const struct tag {
    const char *name;
    const char *member;  /* NULL: the object itself */
    const char *payload; /* NULL: an application's, any but the others */
} tags[] = {
    {"SignedDeviceProfile", NULL, "DeviceProfile"},
    {"SignedMasterProfile", NULL, "MasterProfile"},
    {"SignedPersonalProfile", NULL, "PersonalProfile"},
    {"SignedApplicationProfile", NULL, NULL},
    {"SerializationDevice", "Profile", "DeviceProfile"},
    {"SerializationPersonal", "Profile", "PersonalProfile"},
};

/* Aliases of roles: the first member that the profile has counts. */
static const struct alias {
    const char *name;
    const char *members[8];
} aliases[] = {
    {"sign",
     {"DeviceSignatureKey", "OnlineSignatureKeys", "SignatureKeys",
      "PublicKey"}},
    {"auth",
     {"DeviceAuthenticationKey", "AuthenticationKeys", "AuthKeys",
      "PublicKey"}},
    {"encrypt",
     {"DeviceEncryptiontionKey", "DeviceEncryptionKey", "EncryptionSMIME",
      "EncryptionPGP", "EncryptKeys", "PublicKey"}},
    {"master", {"MasterSignatureKey"}},
    {"escrow", {"MasterEscrowKeys"}},
    {"online", {"OnlineSignatureKeys"}},
};
#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* A context whose errors say where they happened. */
struct place {
    struct mesh_context *ctx;
    const char *where;
};

static void raise_at_place(struct mesh_context *ctx, enum mesh_reason reason,
                           const char *file, int line, const char *func,
                           const char *text)
{
    const struct place *place = ctx->raise_arg;

    mesh_raise_at(place->ctx, reason, file, line, func, "%s: %s", place->where,
                  text);
}

static struct mesh_context context_at(struct place *place)
{
    struct mesh_context ctx = *place->ctx;

    ctx.raise = raise_at_place;
    ctx.raise_arg = place;
    return ctx;
}

/* Copies a string member; an absent one, or no string, is NULL. */
static int copy_text(struct mesh_context *ctx, const json_t *value, char **out)
{
    const char *text = json_string_value(value);

    *out = NULL;
    if (text != NULL && (*out = OPENSSL_strdup(text)) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    return 1;
}

static EVP_PKEY *rsa_key(struct mesh_context *ctx, const json_t *params)
{
    unsigned char *n = NULL, *e = NULL;
    size_t n_len, e_len;
    BIGNUM *modulus = NULL, *exponent = NULL;
    OSSL_PARAM_BLD *build = NULL;
    OSSL_PARAM *values = NULL;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_PKEY *key = NULL;

    if (!mesh_base64url_member(ctx, params, "n", &n, &n_len)
        || !mesh_base64url_member(ctx, params, "e", &e, &e_len)
        || n_len > RSA_OCTETS_MAX || e_len > RSA_OCTETS_MAX)
        goto end;
    modulus = BN_bin2bn(n, (int)n_len, NULL);
    exponent = BN_bin2bn(e, (int)e_len, NULL);
    build = OSSL_PARAM_BLD_new();
    if (modulus == NULL || exponent == NULL || build == NULL
        || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus)
        || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        goto end;
    values = OSSL_PARAM_BLD_to_param(build);
    pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, "RSA", NULL);
    if (values != NULL && pctx != NULL && EVP_PKEY_fromdata_init(pctx) > 0)
        EVP_PKEY_fromdata(pctx, &key, EVP_PKEY_PUBLIC_KEY, values);

end:
    OPENSSL_free(n);
    OPENSSL_free(e);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(build);
    OSSL_PARAM_free(values);
    EVP_PKEY_CTX_free(pctx);
    return key;
}

/* Of the later reference: the curve's name and the point. */
static EVP_PKEY *raw_key(struct mesh_context *ctx, const json_t *params)
{
    static const char *const curves[] = {"Ed25519", "Ed448", "X25519", "X448"};
    const char *curve = json_string_value(json_object_get(params, "crv"));
    unsigned char *point = NULL;
    EVP_PKEY *key = NULL;
    size_t len, i;

    if (!mesh_base64url_member(ctx, params, "Public", &point, &len))
        return NULL;
    for (i = 0; curve != NULL && i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(curve, curves[i]) == 0)
            key = EVP_PKEY_new_raw_public_key_ex(ctx->libctx, curve, NULL,
                                                 point, len);
    OPENSSL_free(point);
    return key;
}

static EVP_PKEY *spki_key(struct mesh_context *ctx, const json_t *params)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *key = NULL;
    size_t len;

    if (!mesh_base64url_member(ctx, params, "spki", &der, &len))
        return NULL;
    p = der;
    key = d2i_PUBKEY_ex(NULL, &p, (long)len, ctx->libctx, NULL);
    if (key != NULL && p != der + len) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OPENSSL_free(der);
    return key;
}

static const struct key_form {
    const char *name;
    EVP_PKEY *(*read)(struct mesh_context *ctx, const json_t *params);
} key_forms[] = {
    {"PublicKeyRSA", rsa_key},
    {"PublicKeyECDH", raw_key},
    {"PublicKeyPKIX", spki_key},
};

/* NULL, without an error, if it is none.  Files of 2017 hold only such. */
static X509 *read_certificate(struct mesh_context *ctx, const json_t *value)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    X509 *certificate = X509_new_ex(ctx->libctx, NULL);
    unsigned char *der = NULL;
    const unsigned char *p;
    size_t len;
    int ok;

    ok = certificate != NULL && json_is_string(value)
         && mesh_base64url_decode(&quiet, json_string_value(value),
                                  json_string_length(value), &der, &len);
    p = der;
    ERR_set_mark();
    /* On failure d2i frees the certificate and writes NULL. */
    if (ok && d2i_X509(&certificate, &p, (long)len) != NULL)
        ok = p == der + len;
    if (!ok) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_pop_to_mark();
    OPENSSL_free(der);
    return certificate;
}

static int push_certificate(struct mesh_context *ctx,
                            STACK_OF(X509) * *certificates, X509 *certificate)
{
    if (*certificates == NULL)
        *certificates = sk_X509_new_null();
    if (*certificates != NULL && sk_X509_push(*certificates, certificate))
        return 1;
    X509_free(certificate);
    return mesh_raise(ctx, MESH_R_MEMORY, "reading certificates");
}

/* A chain is only looked at beside a certificate of this key. */
static int read_certificates(struct mesh_context *ctx, const json_t *object,
                             struct mesh_profile_key *key)
{
    const json_t *own = json_object_get(object, "X509Certificate");
    const json_t *chain = json_object_get(object, "X509Chain");
    X509 *certificate;
    size_t i;
    int same;

    if (own == NULL)
        return 1;
    certificate = read_certificate(ctx, own);
    ERR_set_mark();
    same = certificate != NULL
           && EVP_PKEY_eq(X509_get0_pubkey(certificate), key->public) == 1;
    ERR_pop_to_mark();
    if (!same) {
        mesh_trace(ctx, "%s: certificate skipped, it is %s", key->udf,
                   certificate == NULL ? "malformed" : "another key's");
        X509_free(certificate);
        return 1;
    }
    if (!push_certificate(ctx, &key->certificates, certificate))
        return 0;
    for (i = 0; i < json_array_size(chain); i++) {
        certificate = read_certificate(ctx, json_array_get(chain, i));
        if (certificate == NULL)
            mesh_trace(ctx, "%s: X509Chain[%zu] skipped, it is malformed",
                       key->udf, i);
        else if (!push_certificate(ctx, &key->certificates, certificate))
            return 0;
    }
    return 1;
}

static void clear_key(struct mesh_profile_key *key)
{
    OPENSSL_free(key->member);
    OPENSSL_free(key->device);
    EVP_PKEY_free(key->public);
    sk_X509_pop_free(key->certificates, X509_free);
}

/* Makes room for one more element of an array that grows one by one. */
static int grow(struct mesh_context *ctx, void **array, size_t count,
                size_t size, size_t max)
{
    void *bigger;

    if (count >= max)
        return mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                          "more than %zu keys or devices", max);
    bigger = OPENSSL_realloc(*array, (count + 1) * size);
    if (bigger == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    *array = bigger;
    memset((char *)bigger + count * size, 0, size);
    return 1;
}

/* Takes key over, on failure too. */
static int push_key(struct mesh_context *ctx, struct mesh_profile *p,
                    struct mesh_profile_key *key)
{
    void *keys = p->keys;
    int ok = grow(ctx, &keys, p->keys_count, sizeof(*key), KEYS_MAX);

    p->keys = keys;
    if (ok)
        p->keys[p->keys_count++] = *key;
    else
        clear_key(key);
    return ok;
}

int mesh_profile_key_named(struct mesh_context *ctx,
                           const struct mesh_profile_key *key,
                           const struct mesh_udf *udf, int *named)
{
    char text[MESH_UDF_TEXT_MAX];

    mesh_udf_print(udf, text);
    *named = strcmp(text, key->udf) == 0;
    return *named || mesh_udf_names_key(ctx, udf, key->public, named);
}

/* Fills in a key whose public half is read: its name must be its own. */
static int name_key(struct mesh_context *ctx, struct mesh_profile_key *key,
                    const char *name, const char *member, const json_t *device)
{
    struct mesh_udf udf;
    int named;

    if (!mesh_udf_of_key(ctx, key->public, &udf))
        return 0;
    mesh_udf_print(&udf, key->udf);
    if (!mesh_udf_parse(ctx, name, &udf)
        || !mesh_profile_key_named(ctx, key, &udf, &named))
        return 0;
    if (!named)
        return mesh_raise(ctx, MESH_R_KEY_FINGERPRINT,
                          "%.64s is not the fingerprint of the %s under it",
                          name, member);
    if (!copy_text(ctx, device, &key->device))
        return 0;
    key->member = OPENSSL_strdup(member);
    return key->member != NULL
           || mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
}

/* An object with PublicParameters.  The applications of 2017 give the
 * fingerprint only as their kid. */
static int read_key(struct mesh_context *ctx, struct mesh_profile *p,
                    const json_t *object, const char *member,
                    const json_t *device)
{
    const json_t *forms = json_object_get(object, "PublicParameters"), *params;
    const char *name = json_string_value(json_object_get(object, "UDF"));
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile_key key = {0};
    size_t i;

    for (i = 0; i < sizeof(key_forms) / sizeof(key_forms[0]); i++) {
        params = json_object_get(forms, key_forms[i].name);
        if (params == NULL)
            continue;
        if (name == NULL)
            name = json_string_value(json_object_get(params, "kid"));
        if (name == NULL)
            break;
        ERR_set_mark();
        key.public = key_forms[i].read(&quiet, params);
        ERR_pop_to_mark();
        if (key.public == NULL)
            return mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                              "the %s of %s %.64s is none", key_forms[i].name,
                              member, name);
        if (!name_key(ctx, &key, name, member, device)
            || !read_certificates(ctx, object, &key)) {
            clear_key(&key);
            return 0;
        }
        return push_key(ctx, p, &key);
    }
    mesh_trace(ctx,
               "a %s of %s skipped: no fingerprint, or of a form that is "
               "not known",
               member, p->identifier);
    return 1;
}

/* Every key below value, in its order.  The depth is mesh_json_parse()'s. */
static int collect_keys(struct mesh_context *ctx, struct mesh_profile *p,
                        json_t *value, const char *member, const json_t *device)
{
    const char *name;
    json_t *item;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach (value, i, item)
            if (!collect_keys(ctx, p, item, member, device))
                return 0;
        return 1;
    }
    if (json_object_get(value, "PublicParameters") != NULL)
        return read_key(ctx, p, value, member, device);
    if (json_object_get(value, "DeviceUDF") != NULL)
        device = json_object_get(value, "DeviceUDF");
    json_object_foreach (value, name, item)
        if (!collect_keys(ctx, p, item, name, device))
            return 0;
    return 1;
}

/* AdminDeviceUDF and, of early 2017, SignID: one NULL-terminated list. */
static int read_admins(struct mesh_context *ctx, const json_t *entry,
                       char ***admins)
{
    const json_t *lists[2] = {json_object_get(entry, "AdminDeviceUDF"),
                              json_object_get(entry, "SignID")};
    size_t list, i, n = 0;

    *admins = OPENSSL_zalloc(
        (json_array_size(lists[0]) + json_array_size(lists[1]) + 1)
        * sizeof(**admins));
    if (*admins == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    for (list = 0; list < 2; list++)
        for (i = 0; i < json_array_size(lists[list]); i++) {
            if (!copy_text(ctx, json_array_get(lists[list], i), &(*admins)[n]))
                return 0;
            if ((*admins)[n] != NULL)
                n++;
        }
    return 1;
}

static int read_applications(struct mesh_context *ctx, struct mesh_profile *p,
                             const json_t *list)
{
    size_t i, count = json_array_size(list);

    if (count == 0)
        return 1;
    p->applications = OPENSSL_zalloc(count * sizeof(*p->applications));
    if (p->applications == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    p->applications_count = count;
    for (i = 0; i < count; i++) {
        struct mesh_profile_application *app = &p->applications[i];
        const json_t *entry = json_array_get(list, i);

        if (!copy_text(ctx, json_object_get(entry, "Identifier"),
                       &app->identifier)
            || !copy_text(ctx, json_object_get(entry, "Type"), &app->type)
            || !copy_text(ctx, json_object_get(entry, "Friendly"),
                          &app->friendly)
            || !read_admins(ctx, entry, &app->admins))
            return 0;
        if (app->identifier == NULL || app->type == NULL)
            return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                              "Applications[%zu] lacks Identifier or Type", i);
    }
    return 1;
}

static int parse_object(struct mesh_context *ctx, const json_t *object,
                        const char *type, struct mesh_profile **profile);

/* An object inside another, with errors that say which. */
static int parse_inner(struct mesh_context *ctx, const json_t *object,
                       const char *type, size_t i,
                       struct mesh_profile **profile)
{
    char where[64];
    struct place place = {ctx, where};
    struct mesh_context inner = context_at(&place);

    BIO_snprintf(where, sizeof(where), "%s %zu in it", type, i + 1);
    return parse_object(&inner, object, type, profile);
}

static int read_devices(struct mesh_context *ctx, struct mesh_profile *p,
                        const json_t *list)
{
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        void *devices = p->devices;
        int ok = grow(ctx, &devices, p->devices_count, sizeof(*p->devices),
                      DEVICES_MAX);

        p->devices = devices;
        if (!ok
            || !parse_inner(ctx, json_array_get(list, i), "DeviceProfile", i,
                            &p->devices[i]))
            return 0;
        p->devices_count++;
    }
    return 1;
}

static int set_signer(struct mesh_context *ctx, struct mesh_profile *p)
{
    p->signer = OPENSSL_strdup(p->outer->signatures[0].kid);
    return p->signer != NULL
           || mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
}

static int complete_device(struct mesh_context *ctx, struct mesh_profile *p,
                           const json_t *body)
{
    (void)body;
    return mesh_trust_device(ctx, p, p->outer) && set_signer(ctx, p);
}

static int complete_master(struct mesh_context *ctx, struct mesh_profile *p,
                           const json_t *body)
{
    (void)body;
    return mesh_trust_master(ctx, p, p->outer) && set_signer(ctx, p);
}

static int complete_personal(struct mesh_context *ctx, struct mesh_profile *p,
                             const json_t *body)
{
    struct mesh_profile *master = NULL;
    size_t i;
    int ok;

    ok = parse_inner(ctx, json_object_get(body, "SignedMasterProfile"),
                     "MasterProfile", 0, &master)
         && read_devices(ctx, p, json_object_get(body, "Devices"))
         && read_applications(ctx, p, json_object_get(body, "Applications"))
         && mesh_trust_personal(ctx, p, master, p->outer) && set_signer(ctx, p);
    /* Its own keys come first. */
    for (i = 0; ok && i < master->keys_count; i++) {
        ok = push_key(ctx, p, &master->keys[i]);
        memset(&master->keys[i], 0, sizeof(master->keys[i]));
    }
    mesh_profile_free(master);
    return ok;
}

static int complete_application(struct mesh_context *ctx,
                                struct mesh_profile *p, const json_t *body)
{
    (void)ctx;
    (void)p;
    (void)body;
    return 1; /* mesh_trust_application() needs a personal profile */
}

static const struct payload {
    const char *type; /* NULL: any other */
    enum mesh_profile_kind kind;
    int (*complete)(struct mesh_context *ctx, struct mesh_profile *p,
                    const json_t *body);
} payloads[] = {
    {"DeviceProfile", MESH_PROFILE_DEVICE, complete_device},
    {"MasterProfile", MESH_PROFILE_PERSONAL, complete_master},
    {"PersonalProfile", MESH_PROFILE_PERSONAL, complete_personal},
    {NULL, MESH_PROFILE_APPLICATION, complete_application},
};

/* The body below the payload's one tag, which becomes the type; or NULL. */
static json_t *open_payload(struct mesh_context *ctx, struct mesh_profile *p)
{
    json_t *body;
    void *only;

    p->payload = mesh_json_parse(ctx, (char *)p->outer->payload,
                                 p->outer->payload_len, "payload");
    if (p->payload == NULL)
        return NULL;
    only = json_object_iter(p->payload);
    body = json_object_iter_value(only);
    if (json_object_size(p->payload) != 1 || !json_is_object(body)) {
        mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                   "the payload is no object below one tag");
        return NULL;
    }
    p->type = OPENSSL_strdup(json_object_iter_key(only));
    if (p->type == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
        return NULL;
    }
    return body;
}

/* Identifier of the payload, and of the object around it if it has one. */
static int read_identifier(struct mesh_context *ctx, struct mesh_profile *p,
                           const json_t *body)
{
    struct mesh_udf outer;

    if (!copy_text(ctx, json_object_get(body, "Identifier"), &p->identifier))
        return 0;
    if (p->identifier == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "the %s has no Identifier", p->type);
    if (!mesh_udf_parse(ctx, p->identifier, &p->udf))
        return 0;
    if (p->outer->identifier == NULL)
        return 1;
    if (!mesh_udf_parse(ctx, p->outer->identifier, &outer))
        return 0;
    if (outer.bits != p->udf.bits
        || memcmp(outer.bytes, p->udf.bytes, sizeof(outer.bytes)) != 0)
        return mesh_raise(ctx, MESH_R_PROFILE_NAME,
                          "the signed object is for %.64s, its payload %.64s",
                          p->outer->identifier, p->identifier);
    return 1;
}

static int fill(struct mesh_context *ctx, const json_t *object,
                const char *type, struct mesh_profile *p)
{
    const struct payload *row = payloads;
    const json_t *description;
    json_t *body;

    if (!mesh_signed_parse(ctx, object, &p->outer)
        || (body = open_payload(ctx, p)) == NULL)
        return 0;
    while (row->type != NULL && strcmp(row->type, p->type) != 0)
        row++;
    if (type == NULL ? row->type != NULL : strcmp(type, p->type) != 0)
        return mesh_raise(ctx, MESH_R_PROFILE_KIND, "a %.64s where %s belongs",
                          p->type, type == NULL ? "an application's" : type);
    p->kind = row->kind;
    description = json_object_get(body, "Description");
    if (description == NULL)
        description = json_array_get(json_object_get(body, "Names"), 0);
    return read_identifier(ctx, p, body)
           && copy_text(ctx, description, &p->description)
           && copy_text(ctx, json_object_get(body, "Updated"), &p->updated)
           && collect_keys(ctx, p, body, p->type, NULL)
           && row->complete(ctx, p, body);
}

/* One signed object without its tag; type is what its payload must be, NULL:
 * an application's. */
static int parse_object(struct mesh_context *ctx, const json_t *object,
                        const char *type, struct mesh_profile **profile)
{
    struct mesh_profile *p = OPENSSL_zalloc(sizeof(*p));

    *profile = NULL;
    if (p == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    if (!fill(ctx, object, type, p)) {
        mesh_profile_free(p);
        return 0;
    }
    *profile = p;
    return 1;
}

int mesh_profile_parse(struct mesh_context *ctx, const char *text, size_t len,
                       const char *where, struct mesh_profile **profile)
{
    struct place place = {ctx, where};
    struct mesh_context here = context_at(&place);
    json_t *document, *object = NULL;
    size_t i;
    int ok = 0;

    *profile = NULL;
    document = mesh_json_parse(ctx, text, len, where);
    if (document == NULL)
        return 0;
    for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        object = json_object_get(document, tags[i].name);
        if (object != NULL)
            break;
    }
    if (object == NULL)
        mesh_raise(&here, MESH_R_PROFILE_MALFORMED,
                   "no profile: it has none of the tags that are known");
    else if (tags[i].member != NULL)
        object = json_object_get(object, tags[i].member);
    if (i < sizeof(tags) / sizeof(tags[0]))
        ok = parse_object(&here, object, tags[i].payload, profile);
    if (ok)
        (*profile)->document = json_incref(document);
    json_decref(document);
    return ok;
}

int mesh_profile_read(struct mesh_context *ctx, const char *path,
                      struct mesh_profile **profile)
{
    unsigned char *text;
    size_t len;
    int ok;

    *profile = NULL;
    if (!mesh_layout_read_file(ctx, path, MESH_PROFILE_FILE_MAX, &text, &len))
        return 0;
    ok = mesh_profile_parse(ctx, (char *)text, len, path, profile);
    OPENSSL_free(text);
    return ok;
}

void mesh_profile_free(struct mesh_profile *p)
{
    size_t i, admin;

    if (p == NULL)
        return;
    for (i = 0; i < p->keys_count; i++)
        clear_key(&p->keys[i]);
    for (i = 0; i < p->devices_count; i++)
        mesh_profile_free(p->devices[i]);
    for (i = 0; i < p->applications_count; i++) {
        struct mesh_profile_application *app = &p->applications[i];

        for (admin = 0; app->admins != NULL && app->admins[admin] != NULL;
             admin++)
            OPENSSL_free(app->admins[admin]);
        OPENSSL_free(app->admins);
        OPENSSL_free(app->identifier);
        OPENSSL_free(app->type);
        OPENSSL_free(app->friendly);
    }
    OPENSSL_free(p->keys);
    OPENSSL_free(p->devices);
    OPENSSL_free(p->applications);
    OPENSSL_free(p->type);
    OPENSSL_free(p->identifier);
    OPENSSL_free(p->description);
    OPENSSL_free(p->updated);
    OPENSSL_free(p->signer);
    mesh_signed_free(p->outer);
    json_decref(p->payload);
    json_decref(p->document);
    OPENSSL_free(p);
}

size_t mesh_profile_find_keys(struct mesh_context *ctx,
                              const struct mesh_profile *profile,
                              const char *role,
                              const struct mesh_profile_key **keys, size_t max)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const char *const plain[] = {role, NULL};
    const char *const *members = plain;
    struct mesh_udf udf;
    int is_udf, named;
    size_t i, n = 0;

    for (i = 0; i < ALIASES; i++)
        if (OPENSSL_strcasecmp(role, aliases[i].name) == 0)
            members = aliases[i].members;
    is_udf = mesh_udf_looks_like(role) && mesh_udf_decode(role, &udf);
    for (; *members != NULL && n == 0; members++)
        for (i = 0; i < profile->keys_count && n < max; i++) {
            const struct mesh_profile_key *key = &profile->keys[i];

            named = strcmp(key->member, *members) == 0;
            if (!named && is_udf
                && !mesh_profile_key_named(&quiet, key, &udf, &named))
                named = 0;
            if (named)
                keys[n++] = key;
        }
    return n;
}

const char *mesh_profile_role(const struct mesh_profile_key *key)
{
    const char *const *member;
    size_t i;

    for (i = 0; i < ALIASES; i++)
        for (member = aliases[i].members; *member != NULL; member++)
            if (strcmp(key->member, *member) == 0)
                return aliases[i].name;
    return key->member;
}

/* Adds a member; takes value over. */
static int set_data(struct mesh_context *ctx, json_t *object, const char *name,
                    const void *data, int len)
{
    char *text = len < 0 ? NULL : mesh_base64url_encode(ctx, data, (size_t)len);
    int ok = text != NULL
             && json_object_set_new(object, name, json_string(text)) == 0;

    OPENSSL_free(text);
    return ok;
}

/* n and e as the reference has them. */
static int set_rsa(struct mesh_context *ctx, json_t *params, EVP_PKEY *public)
{
    static const char *const names[][2] = {{"n", OSSL_PKEY_PARAM_RSA_N},
                                           {"e", OSSL_PKEY_PARAM_RSA_E}};
    unsigned char octets[RSA_OCTETS_MAX];
    size_t i;
    int ok = 1;

    for (i = 0; ok && i < 2; i++) {
        BIGNUM *value = NULL;

        ok = EVP_PKEY_get_bn_param(public, names[i][1], &value)
             && BN_num_bytes(value) <= RSA_OCTETS_MAX
             && set_data(ctx, params, names[i][0], octets,
                         BN_bn2bin(value, octets));
        BN_free(value);
    }
    return ok;
}

static int set_spki(struct mesh_context *ctx, json_t *params, EVP_PKEY *public)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(public, &der);
    int ok = set_data(ctx, params, "spki", der, len);

    OPENSSL_free(der);
    return ok;
}

static int set_certificates(struct mesh_context *ctx, json_t *object,
                            const STACK_OF(X509) * certificates)
{
    json_t *chain = json_array();
    int i, ok = 1;

    for (i = 0; ok && i < sk_X509_num(certificates); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(certificates, i), &der);
        char *text =
            len < 0 ? NULL : mesh_base64url_encode(ctx, der, (size_t)len);

        ok = text != NULL
             && (i == 0 ? json_object_set_new(object, "X509Certificate",
                                              json_string(text))
                        : json_array_append_new(chain, json_string(text)))
                    == 0;
        OPENSSL_free(text);
        OPENSSL_free(der);
    }
    if (ok && json_array_size(chain) > 0)
        ok = json_object_set(object, "X509Chain", chain) == 0;
    json_decref(chain);
    return ok;
}

json_t *mesh_profile_key_json(struct mesh_context *ctx, EVP_PKEY *public,
                              STACK_OF(X509) * certificates)
{
    int is_rsa = EVP_PKEY_is_a(public, "RSA");
    char text[MESH_UDF_TEXT_MAX];
    json_t *object, *params;
    struct mesh_udf udf;

    if (!mesh_udf_of_key(ctx, public, &udf))
        return NULL;
    mesh_udf_print(&udf, text);
    params = json_pack("{ss}", "kid", text);
    object = json_pack("{ss s{sO}}", "UDF", text, "PublicParameters",
                       is_rsa ? "PublicKeyRSA" : "PublicKeyPKIX", params);
    if (params == NULL || object == NULL
        || !(is_rsa ? set_rsa : set_spki)(ctx, params, public)
        || !set_certificates(ctx, object, certificates)) {
        mesh_raise(ctx, MESH_R_INTERNAL, "key %s cannot be written as JSON",
                   text);
        json_decref(object);
        object = NULL;
    }
    json_decref(params);
    return object;
}

char *mesh_profile_text(struct mesh_context *ctx, const char *tag,
                        const json_t *signed_object, size_t *len)
{
    json_t *document = json_object();
    char *text = NULL;

    /* Only its reference count changes. */
    if (document != NULL
        && json_object_set(document, tag, (json_t *)signed_object) == 0)
        text = json_dumps(document, JSON_INDENT(2));
    if (text == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "writing a profile");
    else
        *len = strlen(text);
    json_decref(document);
    return text;
}
