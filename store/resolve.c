/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a mesh: URI to objects: which keys of the profile, what of them.
 */
#include "store/resolve.h"

#include "keymgmt/operations.h"
#include "platform/algorithm.h"
#include "store/search.h"

#include <openssl/crypto.h>
#include <string.h>

#define KEYS_MAX 1024 /* that one role may name */

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
static const char *role_of(const struct mesh_search *s,
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

static char *uri_of(const struct mesh_search *s,
                    const struct mesh_profile_key *key)
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

static int add_name(struct mesh_search *s, struct mesh_objects *objects,
                    const struct mesh_profile_key *key)
{
    char description[256];

    describe_key(key, description, sizeof(description));
    return add(s->ctx, objects, MESH_OBJECT_NAME, uri_of(s, key), description,
               NULL, NULL);
}

/* The private or the public object of a key. */
static int add_key(struct mesh_search *s, struct mesh_objects *objects,
                   const struct mesh_profile_key *key, enum mesh_key_kind kind)
{
    char *uri = uri_of(s, key), description[256];
    struct mesh_key *object = NULL;
    int ok;

    describe_key(key, description, sizeof(description));
    if (uri != NULL)
        object = mesh_key_new(s->ctx, key->public, uri, kind);
    if (object == NULL) {
        OPENSSL_free(uri);
        return mesh_raise(s->ctx, MESH_R_MEMORY, "key %.64s", key->udf);
    }
    ok = add(s->ctx, objects,
             kind == MESH_KEY_HELD ? MESH_OBJECT_PRIVATE : MESH_OBJECT_PUBLIC,
             uri, description, NULL, object);
    mesh_key_free(object);
    return ok;
}

/* Certificates, private key, public key: what is expected of one key. */
static int add_objects(struct mesh_search *s, struct mesh_objects *objects,
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
    if (wants(expect, MESH_OBJECT_PRIVATE) && !mesh_keymgmt_has(key->public)) {
        if (must_hold)
            return mesh_raise(s->ctx, MESH_R_ALGORITHM,
                              "%s is a key of type %.32s: this version can do "
                              "nothing with its private half",
                              key->udf, EVP_PKEY_get0_type_name(key->public));
        mesh_trace(s->ctx, "%s: private key left out, of type %.32s", key->udf,
                   EVP_PKEY_get0_type_name(key->public));
    } else if (wants(expect, MESH_OBJECT_PRIVATE)) {
        if (!holds(must_hold ? s->ctx : &quiet, key->public, &held)
            && must_hold)
            return 0;
        if (held && !add_key(s, objects, key, MESH_KEY_HELD))
            return 0;
        if (!held && must_hold)
            return mesh_raise(s->ctx, MESH_R_KEY_NOT_HELD,
                              "profile %.64s is here, but this device holds no "
                              "private key for its %s, %s",
                              s->profile->identifier, key->member, key->udf);
        if (!held)
            mesh_trace(s->ctx, "%s: no private key on this device", key->udf);
    }
    return !wants(expect, MESH_OBJECT_PUBLIC)
           || add_key(s, objects, key, MESH_KEY_PUBLIC);
}

/* No key can be chosen: says which ones there are. */
static int raise_roles(struct mesh_search *s, const char *problem,
                       const char *role)
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
static int find_role(struct mesh_search *s, const char *role,
                     const struct mesh_profile_key **key, size_t *count)
{
    const struct mesh_profile_key *keys[KEYS_MAX];
    size_t n = mesh_profile_find_keys(s->ctx, s->profile, role, keys, KEYS_MAX);

    n = keep_held(s->ctx, keys, keep_this_device(s->layout, keys, n));
    *key = n == 1 ? keys[0] : NULL;
    *count = n;
    return n == 1;
}

static int resolve_keys(struct mesh_search *s, const char *role,
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

/* "mesh:" alone: every profile. */
static int list_profiles(struct mesh_search *s, struct mesh_objects *objects)
{
    char description[512], udf[MESH_UDF_TEXT_MAX];
    size_t i;

    for (i = 0; i < mesh_layout_count(s->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(s->layout, i);

        mesh_search_describe(s, entry, description, sizeof(description));
        mesh_udf_print(&entry->udf, udf);
        if (!add(s->ctx, objects, MESH_OBJECT_NAME,
                 mesh_uri_print(s->ctx, udf, NULL), description, NULL, NULL))
            return 0;
    }
    return 1;
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
    struct mesh_search s = {.ctx = ctx};
    struct mesh_uri parts;
    int ok;

    memset(objects, 0, sizeof(*objects));
    if (!mesh_uri_parse(ctx, uri, &parts) || !narrow(ctx, parts.type, &expect)
        || !mesh_layout_open(ctx, &s.layout))
        return 0;
    if (parts.profile[0] == '\0')
        ok = list_profiles(&s, objects);
    else
        ok = mesh_search_named(&s, parts.profile)
             && resolve_keys(&s, parts.role, expect, objects);
    if (!ok)
        mesh_objects_free(objects);
    mesh_profile_free(s.profile);
    mesh_layout_free(s.layout);
    return ok;
}
