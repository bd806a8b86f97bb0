/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a mesh: URI to objects: which profile, which of its keys, what of them.
 */
#include "store/resolve.h"

#include "platform/algorithm.h"
#include "store/trust.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#define KEYS_MAX  1024 /* that one role may name */
#define BITS_FULL 140  /* of a fingerprint that is no abbreviation */

static const char *const kinds[] = {
    [MESH_PROFILE_PERSONAL] = "personal",
    [MESH_PROFILE_DEVICE] = "device",
    [MESH_PROFILE_APPLICATION] = "application",
};

/* Words that stand for a default. */
static const struct word {
    const char *name;
    enum mesh_profile_kind kind;
    const char *application;
} words[] = {
    {"personal", MESH_PROFILE_PERSONAL, NULL},
    {"device", MESH_PROFILE_DEVICE, NULL},
    {"web", MESH_PROFILE_APPLICATION, "Web"},
    {"ssh", MESH_PROFILE_APPLICATION, "SSH"},
    {"mail", MESH_PROFILE_APPLICATION, "Mail"},
    {"network", MESH_PROFILE_APPLICATION, "Network"},
};

/* One resolution: the layout is read once. */
struct search {
    struct mesh_context *ctx;
    struct mesh_layout *layout;
    struct mesh_profile *profile; /* what was found */
    const struct mesh_profile_key *key;
};

/*
 * Work that may fail without being the end: the error that says most is kept.
 * That a personal profile does not list an application says least.
 */
struct attempt {
    struct mesh_context ctx; /* to pass on */
    enum mesh_reason reason; /* MESH_R_NONE if nothing failed */
    char text[400];
};

static void raise_in_attempt(struct mesh_context *ctx, enum mesh_reason reason,
                             const char *file, int line, const char *func,
                             const char *text)
{
    struct attempt *attempt = ctx->raise_arg;

    (void)func;
    mesh_trace(ctx, "%s: %s (%s:%d)", mesh_reason_text(reason), text, file,
               line);
    if (attempt->reason != MESH_R_NONE
        && attempt->reason != MESH_R_PROFILE_SIGNER)
        return;
    attempt->reason = reason;
    OPENSSL_strlcpy(attempt->text, text, sizeof(attempt->text));
}

static void start_attempt(struct attempt *attempt,
                          const struct mesh_context *ctx)
{
    memset(attempt, 0, sizeof(*attempt));
    attempt->ctx = *ctx;
    attempt->ctx.raise = raise_in_attempt;
    attempt->ctx.raise_arg = attempt;
}

static int read_entry(struct mesh_context *ctx,
                      const struct mesh_layout *layout,
                      const struct mesh_layout_entry *entry,
                      struct mesh_profile **profile);

/* Rule 4: the personal profiles are asked in turn. */
static int trust_application(struct mesh_context *ctx,
                             const struct mesh_layout *layout,
                             struct mesh_profile *app)
{
    struct mesh_profile *personal;
    struct attempt attempt;
    size_t i;
    int ok = 0;

    if (app->kind != MESH_PROFILE_APPLICATION)
        return 1;
    start_attempt(&attempt, ctx);
    for (i = 0; !ok && i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind != MESH_PROFILE_PERSONAL)
            continue;
        ok = read_entry(&attempt.ctx, layout, entry, &personal)
             && mesh_trust_application(&attempt.ctx, app, personal);
        mesh_profile_free(personal);
    }
    if (ok)
        return 1;
    if (attempt.reason != MESH_R_NONE)
        return mesh_raise(ctx, attempt.reason, "%s", attempt.text);
    return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                      "this device has no personal profile that could list "
                      "application profile %.64s",
                      app->identifier);
}

/* Reads the profile of an entry: its kind, its name, its trust chain. */
static int read_entry(struct mesh_context *ctx,
                      const struct mesh_layout *layout,
                      const struct mesh_layout_entry *entry,
                      struct mesh_profile **profile)
{
    struct mesh_profile *p;
    int named = 0;

    *profile = NULL;
    if (!mesh_profile_read(ctx, entry->file, &p))
        return 0;
    if (p->kind != entry->kind || strcmp(p->type, "MasterProfile") == 0)
        mesh_raise(ctx, MESH_R_PROFILE_KIND,
                   "%s: a %.64s where the layout has %s profiles", entry->file,
                   p->type, kinds[entry->kind]);
    else if (!mesh_trust_name(ctx, p, &entry->udf, &named))
        named = 0;
    else if (!named)
        mesh_raise(ctx, MESH_R_PROFILE_NAME,
                   "%s: the profile is %.64s, the layout says %.64s",
                   entry->file, p->identifier, entry->name);
    if (!named || !trust_application(ctx, layout, p)) {
        mesh_profile_free(p);
        return 0;
    }
    *profile = p;
    return 1;
}

static const struct word *find_word(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (OPENSSL_strcasecmp(name, words[i].name) == 0)
            return &words[i];
    return NULL;
}

static int find_default(struct search *s, const struct word *word)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_default(s->layout, word->kind, word->application);

    if (entry == NULL)
        return mesh_raise(s->ctx, MESH_R_NO_DEFAULT,
                          "no default for \"%s\" on this device; meshctl "
                          "default sets it, meshctl create makes one",
                          word->name);
    return read_entry(s->ctx, s->layout, entry, &s->profile);
}

static int find_account(struct search *s, const char *account)
{
    size_t i;

    for (i = 0; i < mesh_layout_count(s->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(s->layout, i);
        const char *const *portal = entry->portals;

        for (; portal != NULL && *portal != NULL; portal++)
            if (OPENSSL_strcasecmp(account, *portal) == 0)
                return read_entry(s->ctx, s->layout, entry, &s->profile);
    }
    return mesh_raise(s->ctx, MESH_R_NO_DEFAULT,
                      "no personal profile on this device is registered as "
                      "\"%.100s\"",
                      account);
}

/* A profile of the layout by its fingerprint: only such files are read. */
static int find_profile(struct search *s, const char *name,
                        const struct mesh_udf *udf)
{
    const struct mesh_layout_entry *found = NULL;
    struct mesh_profile *profile;
    int ok, named;
    size_t i;

    for (i = 0; i < mesh_layout_count(s->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(s->layout, i);

        if (!mesh_udf_may_equal(udf, &entry->udf))
            continue;
        if (found != NULL)
            return mesh_raise(s->ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                              "%.64s may be %.64s or %.64s", name, found->name,
                              entry->name);
        found = entry;
    }
    if (found == NULL)
        return 1;
    if (!read_entry(s->ctx, s->layout, found, &profile))
        return 0;
    ok = mesh_trust_name(s->ctx, profile, udf, &named);
    if (ok && named)
        s->profile = profile;
    else
        mesh_profile_free(profile);
    return ok;
}

/* Keeps a profile if the fingerprint names a key in it; else *taken is 0. */
static int take_if_named(struct search *s, struct mesh_profile *profile,
                         const char *name, const struct mesh_udf *udf,
                         int *taken)
{
    const struct mesh_profile_key *key = NULL;
    size_t i;
    int named;

    *taken = 0;
    for (i = 0; i < profile->keys_count && key == NULL; i++) {
        if (!mesh_profile_key_named(s->ctx, &profile->keys[i], udf, &named))
            return 0;
        if (named)
            key = &profile->keys[i];
    }
    if (key == NULL)
        return 1;
    if (s->key == NULL) {
        s->profile = profile;
        s->key = key;
        *taken = 1;
    } else if (strcmp(s->key->udf, key->udf) != 0) {
        return mesh_raise(s->ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                          "%.64s may be key %.64s or %.64s", name, s->key->udf,
                          key->udf);
    }
    return 1;
}

/* The same for the devices in a personal profile; one is taken out of it. */
static int take_device_if_named(struct search *s, struct mesh_profile *personal,
                                const char *name, const struct mesh_udf *udf)
{
    size_t i;
    int taken;

    for (i = 0; i < personal->devices_count; i++) {
        if (!take_if_named(s, personal->devices[i], name, udf, &taken))
            return 0;
        if (taken)
            personal->devices[i] = personal->devices[--personal->devices_count];
    }
    return 1;
}

/*
 * A key of any profile of the layout, then of the devices in the personal ones.
 * What is broken is passed over, and only named if nothing else is found.
 */
static int find_key(struct search *s, const char *name,
                    const struct mesh_udf *udf)
{
    struct mesh_profile *profile;
    struct attempt attempt;
    size_t i, count = mesh_layout_count(s->layout);
    int ok = 1, taken, named;

    start_attempt(&attempt, s->ctx);
    for (i = 0; ok && i < 2 * count; i++) {
        const struct mesh_layout_entry *entry =
            mesh_layout_entry(s->layout, i % count);
        int in_devices = i >= count;

        if (s->key != NULL && udf->bits >= BITS_FULL)
            break;
        if ((in_devices && entry->kind != MESH_PROFILE_PERSONAL)
            || !read_entry(&attempt.ctx, s->layout, entry, &profile))
            continue;
        taken = 0;
        ok = in_devices ? take_device_if_named(s, profile, name, udf)
                        : take_if_named(s, profile, name, udf, &taken);
        if (!taken)
            mesh_profile_free(profile);
    }
    if (!ok)
        return 0;
    if (s->key == NULL)
        return mesh_raise(
            s->ctx, MESH_R_FINGERPRINT_UNKNOWN,
            "%.64s names no profile and no key on this device%s"
            "%s",
            name,
            attempt.reason == MESH_R_NONE ? "" : "; unread: ", attempt.text);
    /* A device only in a personal profile, or another rule's name for the key
     * that is a profile's identity. */
    if (!mesh_trust_name(s->ctx, s->profile, udf, &named))
        return 0;
    if (named)
        s->key = NULL;
    return 1;
}

static int find_named(struct search *s, const char *name)
{
    const struct word *word = find_word(name);
    struct mesh_udf udf;

    if (word != NULL)
        return find_default(s, word);
    if (strchr(name, '@') != NULL)
        return find_account(s, name);
    return mesh_udf_parse(s->ctx, name, &udf) && find_profile(s, name, &udf)
           && (s->profile != NULL || find_key(s, name, &udf));
}

int mesh_resolve_profile(struct mesh_context *ctx, const char *name,
                         struct mesh_profile **profile,
                         const struct mesh_profile_key **key)
{
    struct search s = {.ctx = ctx};
    int ok = mesh_layout_open(ctx, &s.layout) && find_named(&s, name);

    if (!ok) {
        mesh_profile_free(s.profile);
        s.profile = NULL;
        s.key = NULL;
    }
    mesh_layout_free(s.layout);
    *profile = s.profile;
    *key = s.key;
    return ok;
}

int mesh_resolve_trust(struct mesh_context *ctx, struct mesh_profile *profile)
{
    struct mesh_layout *layout;
    int ok;

    if (profile->kind != MESH_PROFILE_APPLICATION)
        return 1;
    ok = mesh_layout_open(ctx, &layout)
         && trust_application(ctx, layout, profile);
    mesh_layout_free(layout);
    return ok;
}

/* Of an application's keys for several devices, this device's: *keys. */
static size_t keep_this_device(const struct mesh_layout *layout,
                               const struct mesh_profile_key **keys, size_t n)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL);
    size_t i, k, count = mesh_layout_count(layout);
    struct mesh_udf device;

    for (i = 0; n > 1 && i <= count; i++) {
        for (k = 0; entry != NULL && k < n; k++)
            if (keys[k]->device != NULL
                && mesh_udf_decode(keys[k]->device, &device)
                && mesh_udf_may_equal(&device, &entry->udf)) {
                keys[0] = keys[k];
                return 1;
            }
        entry = i < count ? mesh_layout_entry(layout, i) : NULL;
        if (entry != NULL && entry->kind != MESH_PROFILE_DEVICE)
            entry = NULL;
    }
    return n;
}

static int holds(struct mesh_context *ctx, EVP_PKEY *public, int *held)
{
    struct mesh_key_name name;

    *held = 0;
    return mesh_key_name_of(ctx, public, &name)
           && mesh_keystore_holds(ctx, &name, held);
}

/* Of several online keys any may sign: the one that is here, else the first. */
static size_t keep_held(struct mesh_context *ctx,
                        const struct mesh_profile_key **keys, size_t n)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    size_t i;
    int held;

    if (n < 2 || strcmp(keys[0]->member, "OnlineSignatureKeys") != 0)
        return n;
    for (i = 0; i < n; i++)
        if (holds(&quiet, keys[i]->public, &held) && held) {
            keys[0] = keys[i];
            break;
        }
    return 1;
}

/* How a role is spelled so that it comes back to this key. */
static const char *role_of(const struct search *s,
                           const struct mesh_profile_key *key)
{
    const char *const roles[] = {mesh_profile_role(key), key->member};
    const struct mesh_profile_key *keys[KEYS_MAX];
    size_t i, n;

    for (i = 0; i < 2; i++) {
        n = mesh_profile_find_keys(s->ctx, s->profile, roles[i], keys,
                                   KEYS_MAX);
        if (keep_this_device(s->layout, keys, n) == 1 && keys[0] == key)
            return roles[i];
    }
    return key->udf;
}

static char *uri_of(const struct search *s, const struct mesh_profile_key *key)
{
    char profile[MESH_UDF_TEXT_MAX];

    mesh_udf_print(&s->profile->udf, profile);
    return mesh_uri_print(s->ctx, profile, role_of(s, key));
}

/* Adds an object; takes name over, references of the rest. */
static int add(struct mesh_context *ctx, struct mesh_objects *objects,
               enum mesh_object_type type, char *name, const char *description,
               X509 *certificate, struct mesh_key *key)
{
    struct mesh_object *items =
        OPENSSL_realloc(objects->items, (objects->count + 1) * sizeof(*items));
    struct mesh_object *object;

    if (items == NULL || name == NULL) {
        if (items != NULL)
            objects->items = items;
        OPENSSL_free(name);
        return mesh_raise(ctx, MESH_R_MEMORY, "collecting objects");
    }
    objects->items = items;
    object = &items[objects->count++];
    memset(object, 0, sizeof(*object));
    object->type = type;
    object->name = name;
    object->description = OPENSSL_strdup(description);
    if (certificate != NULL && X509_up_ref(certificate))
        object->certificate = certificate;
    if (key != NULL)
        object->key = mesh_key_up_ref(key);
    return object->description != NULL
           || mesh_raise(ctx, MESH_R_MEMORY, "collecting objects");
}

void mesh_objects_free(struct mesh_objects *objects)
{
    size_t i;

    for (i = 0; i < objects->count; i++) {
        OPENSSL_free(objects->items[i].name);
        OPENSSL_free(objects->items[i].description);
        X509_free(objects->items[i].certificate);
        mesh_key_free(objects->items[i].key);
    }
    OPENSSL_free(objects->items);
    memset(objects, 0, sizeof(*objects));
}

static void describe_key(const struct mesh_profile_key *key, char *text,
                         size_t size)
{
    BIO_snprintf(text, size, "%.64s, %.32s%s%.64s", key->member,
                 mesh_algorithm_of(key->public),
                 key->device != NULL ? ", device " : "",
                 key->device != NULL ? key->device : "");
}

static int wants(enum mesh_object_type expect, enum mesh_object_type type)
{
    return expect == MESH_OBJECT_ANY || expect == type;
}

static int add_name(struct search *s, struct mesh_objects *objects,
                    const struct mesh_profile_key *key)
{
    char description[256];

    describe_key(key, description, sizeof(description));
    return add(s->ctx, objects, MESH_OBJECT_NAME, uri_of(s, key), description,
               NULL, NULL);
}

/* The private or the public object of a key. */
static int add_key(struct search *s, struct mesh_objects *objects,
                   const struct mesh_profile_key *key, int is_private)
{
    char *uri = uri_of(s, key), description[256];
    struct mesh_key *object = NULL;
    int ok;

    describe_key(key, description, sizeof(description));
    if (uri != NULL)
        object = mesh_key_new(s->ctx, key->public, uri, is_private);
    if (object == NULL) {
        OPENSSL_free(uri);
        return mesh_raise(s->ctx, MESH_R_MEMORY, "key %.64s", key->udf);
    }
    ok = add(s->ctx, objects,
             is_private ? MESH_OBJECT_PRIVATE : MESH_OBJECT_PUBLIC, uri,
             description, NULL, object);
    mesh_key_free(object);
    return ok;
}

/* Certificates, private key, public key: what is expected of one key. */
static int add_objects(struct search *s, struct mesh_objects *objects,
                       const struct mesh_profile_key *key,
                       enum mesh_object_type expect)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    int must_hold = expect == MESH_OBJECT_PRIVATE, held = 0, i;
    char description[256];

    describe_key(key, description, sizeof(description));
    if (wants(expect, MESH_OBJECT_CERTIFICATE))
        for (i = 0; i < sk_X509_num(key->certificates); i++)
            if (!add(s->ctx, objects, MESH_OBJECT_CERTIFICATE, uri_of(s, key),
                     description, sk_X509_value(key->certificates, i), NULL))
                return 0;
    if (wants(expect, MESH_OBJECT_PRIVATE)) {
        if (!holds(must_hold ? s->ctx : &quiet, key->public, &held)
            && must_hold)
            return 0;
        if (held && !add_key(s, objects, key, 1))
            return 0;
        if (!held && must_hold)
            return mesh_raise(s->ctx, MESH_R_KEY_NOT_HELD,
                              "profile %.64s is here, but this device holds no "
                              "private key for its %s, %s",
                              s->profile->identifier, key->member, key->udf);
        if (!held)
            mesh_trace(s->ctx, "%s: no private key on this device", key->udf);
    }
    return !wants(expect, MESH_OBJECT_PUBLIC) || add_key(s, objects, key, 0);
}

/* No key can be chosen: says which ones there are. */
static int raise_roles(struct search *s, const char *problem, const char *role)
{
    const struct mesh_profile *p = s->profile;
    char list[256] = "";
    size_t i;

    for (i = 0; i < p->keys_count && strlen(list) < sizeof(list) - 1; i++) {
        OPENSSL_strlcat(list, i > 0 ? ", " : "", sizeof(list));
        OPENSSL_strlcat(list, role_of(s, &p->keys[i]), sizeof(list));
    }
    return mesh_raise(
        s->ctx, MESH_R_NO_ROLE, "profile %.64s has %s \"%.64s\"; its keys: %s",
        p->identifier, problem, role, p->keys_count > 0 ? list : "none");
}

/* The one key that a role names; 0 with *key NULL if there is not one, and how
 * many there are. */
static int find_role(struct search *s, const char *role,
                     const struct mesh_profile_key **key, size_t *count)
{
    const struct mesh_profile_key *keys[KEYS_MAX];
    size_t n = mesh_profile_find_keys(s->ctx, s->profile, role, keys, KEYS_MAX);

    n = keep_held(s->ctx, keys, keep_this_device(s->layout, keys, n));
    *key = n == 1 ? keys[0] : NULL;
    *count = n;
    return n == 1;
}

static int resolve_keys(struct search *s, const char *role,
                        enum mesh_object_type expect,
                        struct mesh_objects *objects)
{
    const struct mesh_profile *p = s->profile;
    const struct mesh_profile_key *key = s->key;
    size_t i, count;

    if (s->key != NULL && *role != '\0')
        return mesh_raise(s->ctx, MESH_R_NO_ROLE,
                          "%.64s is one key, it has no \"%.64s\"", s->key->udf,
                          role);
    if (s->key != NULL)
        return add_objects(s, objects, s->key, expect);
    if (*role != '\0') {
        if (!find_role(s, role, &key, &count))
            return raise_roles(s,
                               count == 0 ? "no key"
                                          : "several keys, none of them known "
                                            "as this device's, for",
                               role);
        return add_objects(s, objects, key, expect);
    }

    if (p->keys_count == 1)
        key = &p->keys[0];
    else
        find_role(s, "sign", &key, &count);
    if (key == NULL && !wants(expect, MESH_OBJECT_NAME))
        return raise_roles(s, "not one key to", "sign");
    if (key != NULL && !add_objects(s, objects, key, expect))
        return 0;
    for (i = 0; wants(expect, MESH_OBJECT_NAME) && i < p->keys_count; i++)
        if (&p->keys[i] != key && !add_name(s, objects, &p->keys[i]))
            return 0;
    return 1;
}

/* "mesh:" alone: every profile; a broken one says why it is no use. */
static int list_profiles(struct search *s, struct mesh_objects *objects)
{
    char description[512], udf[MESH_UDF_TEXT_MAX];
    struct mesh_profile *profile;
    struct attempt attempt;
    size_t i, w;
    int ok = 1;

    for (i = 0; ok && i < mesh_layout_count(s->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(s->layout, i);
        const char *about;

        start_attempt(&attempt, s->ctx);
        if (read_entry(&attempt.ctx, s->layout, entry, &profile))
            about = profile->description != NULL ? profile->description : "";
        else
            about = attempt.text;
        BIO_snprintf(description, sizeof(description), "%s%s%.32s%s%s",
                     kinds[entry->kind],
                     profile != NULL ? ", " : ", unusable: ",
                     profile != NULL ? profile->type : "",
                     profile != NULL && *about != '\0' ? ", " : "", about);
        for (w = 0; w < sizeof(words) / sizeof(words[0]); w++)
            if (mesh_layout_default(s->layout, words[w].kind,
                                    words[w].application)
                == entry) {
                OPENSSL_strlcat(description, ", default for mesh://",
                                sizeof(description));
                OPENSSL_strlcat(description, words[w].name,
                                sizeof(description));
            }
        mesh_udf_print(&entry->udf, udf);
        ok = add(s->ctx, objects, MESH_OBJECT_NAME,
                 mesh_uri_print(s->ctx, udf, NULL), description, NULL, NULL);
        mesh_profile_free(profile);
    }
    return ok;
}

/* What the caller and the URI want, both.  A public key is part of a private
 * one. */
static int narrow(struct mesh_context *ctx, enum mesh_object_type of_uri,
                  enum mesh_object_type *expect)
{
    if (*expect == MESH_OBJECT_ANY)
        *expect = of_uri;
    if (of_uri == MESH_OBJECT_ANY || of_uri == *expect
        || (of_uri == MESH_OBJECT_PRIVATE && *expect == MESH_OBJECT_PUBLIC))
        return 1;
    return mesh_raise(ctx, MESH_R_USAGE,
                      "the URI's type= is not what the program asks for");
}

int mesh_resolve(struct mesh_context *ctx, const char *uri,
                 enum mesh_object_type expect, struct mesh_objects *objects)
{
    struct search s = {.ctx = ctx};
    struct mesh_uri parts;
    int ok;

    memset(objects, 0, sizeof(*objects));
    if (!mesh_uri_parse(ctx, uri, &parts) || !narrow(ctx, parts.type, &expect)
        || !mesh_layout_open(ctx, &s.layout))
        return 0;
    if (parts.profile[0] == '\0')
        ok = list_profiles(&s, objects);
    else
        ok = find_named(&s, parts.profile)
             && resolve_keys(&s, parts.role, expect, objects);
    if (!ok)
        mesh_objects_free(objects);
    mesh_profile_free(s.profile);
    mesh_layout_free(s.layout);
    return ok;
}
