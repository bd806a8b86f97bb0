/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The objects of a key: its name, its certificates, private and public half.
 */
#include "store/objects.h"

#include "keymgmt/operations.h"
#include "platform/algorithm.h"
#include "store/role.h"

#include <openssl/crypto.h>
#include <string.h>

int mesh_objects_add(struct mesh_context *ctx, struct mesh_objects *objects,
                     enum mesh_object_type type, char *name,
                     const char *description, X509 *certificate,
                     struct mesh_key *key)
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

void mesh_objects_describe(const struct mesh_profile_key *key, char *text,
                           size_t size)
{
    BIO_snprintf(text, size, "%.64s, %.32s%s%.64s", key->member,
                 mesh_algorithm_of(key->public),
                 key->device != NULL ? ", device " : "",
                 key->device != NULL ? key->device : "");
    mesh_text_clean(text);
}

int mesh_object_wanted(enum mesh_object_type expect, enum mesh_object_type type)
{
    return expect == MESH_OBJECT_ANY || expect == type;
}

int mesh_objects_add_name(struct mesh_search *s, struct mesh_objects *objects,
                          const struct mesh_profile_key *key)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    char description[256];

    if (!mesh_profile_key_open(&quiet, key))
        return 1;
    mesh_objects_describe(key, description, sizeof(description));
    return mesh_objects_add(s->ctx, objects, MESH_OBJECT_NAME,
                            mesh_role_uri(s, key), description, NULL, NULL);
}

/* The private or the public object of a key. */
static int add_key(struct mesh_search *s, struct mesh_objects *objects,
                   const struct mesh_profile_key *key, enum mesh_key_kind kind)
{
    char *uri = mesh_role_uri(s, key), description[256];
    struct mesh_key *object = NULL;
    struct mesh_key_name name;
    int ok;

    mesh_objects_describe(key, description, sizeof(description));
    mesh_profile_key_name(key, &name);
    if (uri != NULL)
        object = kind == MESH_KEY_HELD
                     ? mesh_key_new_held(s->ctx, key->public, uri, &name)
                     : mesh_key_new(s->ctx, key->public, uri, kind);
    if (object == NULL) {
        OPENSSL_free(uri);
        return mesh_raise(s->ctx, MESH_R_MEMORY, "key %.64s", key->udf);
    }
    ok = mesh_objects_add(s->ctx, objects,
                          kind == MESH_KEY_HELD ? MESH_OBJECT_PRIVATE
                                                : MESH_OBJECT_PUBLIC,
                          uri, description, NULL, object);
    mesh_key_free(object);
    return ok;
}

/* If the key store has it; must_hold: that it does not is an error. */
static int add_private(struct mesh_search *s, struct mesh_objects *objects,
                       const struct mesh_profile_key *key, int must_hold)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    int held;

    if (!mesh_keymgmt_has(key->public)) {
        if (must_hold)
            return mesh_raise(s->ctx, MESH_R_ALGORITHM,
                              "%s is a key of type %.32s: this version can do "
                              "nothing with its private half",
                              key->udf, EVP_PKEY_get0_type_name(key->public));
        mesh_trace(s->ctx, "%s: private key left out, of type %.32s", key->udf,
                   EVP_PKEY_get0_type_name(key->public));
        return 1;
    }
    if (!mesh_role_holds(must_hold ? s->ctx : &quiet, key, &held) && must_hold)
        return 0;
    if (held)
        return add_key(s, objects, key, MESH_KEY_HELD);
    if (must_hold)
        return mesh_raise(s->ctx, MESH_R_KEY_NOT_HELD,
                          "profile %.64s is here, but this device holds no "
                          "private key for its %s, %s%s%.64s",
                          s->profile->identifier, key->member, key->udf,
                          key->device != NULL ? ", which is of device " : "",
                          key->device != NULL ? key->device : "");
    mesh_trace(s->ctx, "%s: no private key on this device", key->udf);
    return 1;
}

int mesh_objects_add_certificate(struct mesh_search *s,
                                 struct mesh_objects *objects,
                                 const struct mesh_profile_key *key,
                                 X509 *certificate)
{
    char description[256];

    mesh_objects_describe(key, description, sizeof(description));
    return mesh_objects_add(s->ctx, objects, MESH_OBJECT_CERTIFICATE,
                            mesh_role_uri(s, key), description, certificate,
                            NULL);
}

int mesh_objects_add_key(struct mesh_search *s, struct mesh_objects *objects,
                         const struct mesh_profile_key *key,
                         enum mesh_object_type expect)
{
    int i;

    if (!mesh_profile_open_key(s->ctx, s->profile, key))
        return 0;
    if (mesh_object_wanted(expect, MESH_OBJECT_CERTIFICATE))
        for (i = 0; i < sk_X509_num(key->certificates); i++)
            if (!mesh_objects_add_certificate(
                    s, objects, key, sk_X509_value(key->certificates, i)))
                return 0;
    return (!mesh_object_wanted(expect, MESH_OBJECT_PRIVATE)
            || add_private(s, objects, key, expect == MESH_OBJECT_PRIVATE))
           && (!mesh_object_wanted(expect, MESH_OBJECT_PUBLIC)
               || add_key(s, objects, key, MESH_KEY_PUBLIC));
}
