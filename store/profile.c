/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: tags, payloads, keys and their roles.
 */
#include "store/profile.h"

#include "store/trust.h"

#include <openssl/crypto.h>
#include <string.h>

/* A payload is the owner's, but must not be able to take all memory. */
#define KEYS_MAX    1024
#define DEVICES_MAX 1024

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

/* Copies a string member, as it can be printed: who signed it must not be able
 * to move a terminal's cursor.  An absent one, or no string, is NULL. */
static int copy_text(struct mesh_context *ctx, const json_t *value, char **out)
{
    const char *text = json_string_value(value);

    *out = NULL;
    if (text == NULL)
        return 1;
    if ((*out = OPENSSL_strdup(text)) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    mesh_text_clean(*out);
    return 1;
}

static void clear_key(struct mesh_profile_key *key)
{
    OPENSSL_free(key->member);
    OPENSSL_free(key->device);
    EVP_PKEY_free(key->public);
    sk_X509_pop_free(key->certificates, X509_free);
    json_decref(key->object);
}

static void clear_keys(struct mesh_profile *p)
{
    while (p->keys_count > 0)
        clear_key(&p->keys[--p->keys_count]);
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

/* An object with PublicParameters. */
static int read_key(struct mesh_context *ctx, struct mesh_profile *p,
                    json_t *object, const char *member, const json_t *device)
{
    struct mesh_profile_key key = {0};

    key.member = OPENSSL_strdup(member);
    if (key.member == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    } else if (mesh_profile_key_note(ctx, object, &key)
               && copy_text(ctx, device, &key.device)) {
        if (key.object != NULL)
            return push_key(ctx, p, &key);
        mesh_trace(ctx,
                   "a %s of %s skipped: no fingerprint, or of a form that is "
                   "not known",
                   member, p->identifier);
        clear_key(&key);
        return 1;
    }
    clear_key(&key);
    return 0;
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

/* A device or a master profile. */
static int complete_identity(struct mesh_context *ctx, struct mesh_profile *p,
                             const json_t *body)
{
    (void)body;
    return mesh_trust_identity(ctx, p) && set_signer(ctx, p);
}

/* A role of the master profile is the master key's to give: what the rest of a
 * personal profile calls so is passed over. */
static void drop_master_roles(struct mesh_context *ctx, struct mesh_profile *p)
{
    static const char *const roles[] = {
        "MasterSignatureKey", "MasterEscrowKeys", "OnlineSignatureKeys"};
    size_t i, role, kept = 0;

    for (i = 0; i < p->keys_count; i++) {
        for (role = 0; role < sizeof(roles) / sizeof(roles[0]); role++)
            if (strcmp(p->keys[i].member, roles[role]) == 0)
                break;
        if (role == sizeof(roles) / sizeof(roles[0])) {
            p->keys[kept++] = p->keys[i];
            continue;
        }
        mesh_trace(ctx, "%s: %s %s skipped, the master key did not sign it",
                   p->identifier, roles[role], p->keys[i].udf);
        clear_key(&p->keys[i]);
    }
    p->keys_count = kept;
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
         && mesh_trust_personal(ctx, p, master) && set_signer(ctx, p);
    if (!p->by_owner)
        clear_keys(p);
    drop_master_roles(ctx, p);
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
    {"DeviceProfile", MESH_PROFILE_DEVICE, complete_identity},
    {"MasterProfile", MESH_PROFILE_PERSONAL, complete_identity},
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
    mesh_text_clean(p->type);
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

/* What is no time is none: nobody could say what is older. */
static int read_updated(struct mesh_context *ctx, struct mesh_profile *p,
                        const json_t *body)
{
    const json_t *updated = json_object_get(body, "Updated");
    const char *text = json_string_value(updated);

    if (mesh_time_parse(text, &p->updated_at))
        return copy_text(ctx, updated, &p->updated);
    if (updated != NULL)
        mesh_trace(
            ctx, "%s: Updated %.64s is no time of RFC 3339, so it has no date",
            p->identifier, text != NULL ? text : "that is no string");
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
    return read_identifier(ctx, p, body) && read_updated(ctx, p, body)
           && copy_text(ctx, description, &p->description)
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

int mesh_profile_open_key(struct mesh_context *ctx,
                          const struct mesh_profile *p,
                          const struct mesh_profile_key *key)
{
    struct place place = {ctx, p->where};
    struct mesh_context here = context_at(&place);

    return mesh_profile_key_open(p->where != NULL ? &here : ctx, key);
}

int mesh_profile_open_keys(struct mesh_context *ctx,
                           const struct mesh_profile *p)
{
    size_t i;

    for (i = 0; i < p->keys_count; i++)
        if (!mesh_profile_open_key(ctx, p, &p->keys[i]))
            return 0;
    for (i = 0; i < p->devices_count; i++)
        if (!mesh_profile_open_keys(ctx, p->devices[i]))
            return 0;
    return 1;
}

int mesh_profile_parse_json(struct mesh_context *ctx, json_t *document,
                            const char *where, struct mesh_profile **profile)
{
    struct place place = {ctx, where};
    struct mesh_context here = context_at(&place);
    json_t *object = NULL;
    size_t i;

    *profile = NULL;
    for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        object = json_object_get(document, tags[i].name);
        if (object != NULL)
            break;
    }
    if (object == NULL)
        return mesh_raise(&here, MESH_R_PROFILE_MALFORMED,
                          "no profile: it has none of the tags that are known");
    if (tags[i].member != NULL)
        object = json_object_get(object, tags[i].member);
    if (!parse_object(&here, object, tags[i].payload, profile))
        return 0;
    (*profile)->document = json_incref(document);
    (*profile)->where = OPENSSL_strdup(where);
    if ((*profile)->where != NULL)
        return 1;
    mesh_profile_free(*profile);
    *profile = NULL;
    return mesh_raise(ctx, MESH_R_MEMORY, "reading %s", where);
}

void mesh_profile_free(struct mesh_profile *p)
{
    size_t i, admin;

    if (p == NULL)
        return;
    clear_keys(p);
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
    OPENSSL_free(p->where);
    mesh_signed_free(p->outer);
    json_decref(p->payload);
    json_decref(p->document);
    OPENSSL_free(p);
}

int mesh_profile_is_older(const struct mesh_profile *profile,
                          const struct mesh_profile *than)
{
    return profile->updated != NULL && than->updated != NULL
           && profile->updated_at < than->updated_at;
}
