/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of a profile that is going to be changed.
 */
#include "store/payload.h"

#include <openssl/crypto.h>
#include <string.h>

#define ROLE_MAX 64

json_t *mesh_payload_inner(const json_t *tagged)
{
    return json_object_iter_value(json_object_iter((json_t *)tagged));
}

json_t *mesh_document_object(const json_t *document)
{
    json_t *inner = mesh_payload_inner(document);
    json_t *wrapped = json_object_get(inner, "Profile");

    return wrapped != NULL ? wrapped : inner;
}

int mesh_profile_is_ahead(const struct mesh_profile *profile,
                          char now[MESH_TIME_TEXT_MAX])
{
    mesh_time clock = mesh_time_now();

    return profile->updated != NULL && mesh_time_print(clock, now)
           && profile->updated_at > clock + MESH_TIME_DAY;
}

int mesh_payload_updated(const json_t *inner, mesh_time *time)
{
    return mesh_time_parse(json_string_value(json_object_get(inner, "Updated")),
                           time);
}

int mesh_payload_touch(struct mesh_context *ctx, json_t *inner)
{
    mesh_time time = mesh_time_now(), before;
    char text[MESH_TIME_TEXT_MAX];

    /* The clock may have been put back, or show the second of the last change:
     * a profile is always newer than the one that it replaces. */
    if (mesh_payload_updated(inner, &before) && before >= time) {
        if (!mesh_time_print(before + MESH_TIME_SECOND, text))
            return 1;
    } else if (!mesh_time_print(time, text)) {
        return mesh_raise(ctx, MESH_R_INTERNAL, "no time of day");
    }
    return json_object_set_new(inner, "Updated", json_string(text)) == 0
               ? 1
               : mesh_raise(ctx, MESH_R_MEMORY, "Updated");
}

/* Whether a JSON object is that of key. */
static int is_key(struct mesh_context *ctx, const json_t *object, EVP_PKEY *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const json_t *parameters = json_object_get(object, "PublicParameters");
    const json_t *name = json_object_get(object, "UDF");
    struct mesh_udf udf;
    int named = 0;

    if (name == NULL)
        name = json_object_get(mesh_payload_inner(parameters), "kid");
    return parameters != NULL && json_is_string(name)
           && mesh_udf_parse(&quiet, json_string_value(name), &udf)
           && mesh_udf_names_key(&quiet, &udf, key, &named) && named;
}

json_t *mesh_payload_find_key(struct mesh_context *ctx, json_t *payload,
                              EVP_PKEY *key)
{
    json_t *member, *found = NULL;
    const char *name;
    size_t i;

    if (is_key(ctx, payload, key))
        return payload;
    if (json_is_object(payload)) {
        json_object_foreach (payload, name, member)
            if ((found = mesh_payload_find_key(ctx, member, key)) != NULL)
                break;
    } else {
        json_array_foreach (payload, i, member)
            if ((found = mesh_payload_find_key(ctx, member, key)) != NULL)
                break;
    }
    return found;
}

int mesh_payload_set_certificates(struct mesh_context *ctx, json_t *object,
                                  EVP_PKEY *key, STACK_OF(X509) * certificates)
{
    static const char *const members[] = {"X509Certificate", "X509Chain"};
    json_t *made = mesh_profile_key_json(ctx, key, certificates), *value;
    int ok = made != NULL;

    for (size_t i = 0; ok && i < sizeof(members) / sizeof(members[0]); i++) {
        value = json_object_get(made, members[i]);
        json_object_del(object, members[i]);
        if (value != NULL && json_object_set(object, members[i], value) != 0)
            ok = mesh_raise(ctx, MESH_R_MEMORY, "%s", members[i]);
    }
    json_decref(made);
    return ok;
}

/* Not isalnum(): that one knows the application's locale. */
static int is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z');
}

static int check_free(struct mesh_context *ctx,
                      const struct mesh_profile *profile, const char *role)
{
    const struct mesh_profile_key *other;

    if (strcmp(role, MESH_ROLE_DEFAULT) == 0
        || mesh_profile_find_keys(ctx, profile, role, &other, 1) == 0)
        return 1;
    return mesh_raise(ctx, MESH_R_KEY_EXISTS,
                      "%s profile %s has a key in role '%s': delete that one "
                      "first ('meshctl delete mesh://%s/%s'), or take another "
                      "role",
                      mesh_kind_word(profile->kind), profile->identifier, role,
                      profile->identifier, other->udf);
}

int mesh_payload_check_role(struct mesh_context *ctx,
                            const struct mesh_profile *profile,
                            const char *role, EVP_PKEY *key)
{
    json_t *inner = mesh_payload_inner(profile->payload);
    const json_t *present = json_object_get(inner, role);
    const struct mesh_profile_key *other;
    size_t i = 0;

    while (is_alnum(role[i]))
        i++;
    if (role[i] != '\0' || i == 0 || i > ROLE_MAX || mesh_udf_looks_like(role))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "role '%.100s': at most %d letters and digits, and "
                          "no fingerprint, are wanted",
                          role, ROLE_MAX);
    if (present != NULL
            ? json_object_get(json_array_get(present, 0), "PublicParameters")
                  == NULL
            : mesh_profile_find_keys(ctx, profile, role, &other, 1) > 0)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "role '%.100s' means something else in profile %s; "
                          "take another name",
                          role, profile->identifier);
    return (key != NULL && mesh_payload_find_key(ctx, inner, key) != NULL)
           || check_free(ctx, profile, role);
}

int mesh_payload_enter_key(struct mesh_context *ctx,
                           struct mesh_profile *profile, const char *role,
                           EVP_PKEY *key, STACK_OF(X509) * certificates)
{
    json_t *inner = mesh_payload_inner(profile->payload), *made;
    json_t *object = mesh_payload_find_key(ctx, inner, key);

    if (object != NULL)
        return certificates == NULL
               || mesh_payload_set_certificates(ctx, object, key, certificates);
    made = mesh_profile_key_json(ctx, key, certificates);
    if (made == NULL)
        return 0;
    if (json_object_get(inner, role) == NULL)
        json_object_set_new(inner, role, json_array());
    return json_array_append_new(json_object_get(inner, role), made) == 0
               ? 1
               : mesh_raise(ctx, MESH_R_MEMORY, "%s", role);
}

/* Appends a copy of a key's object to the retired ones. */
static int retire(json_t *payload, json_t *object)
{
    json_t *inner = mesh_payload_inner(payload);
    json_t *list = json_object_get(inner, MESH_ROLE_RETIRED);

    if (list == NULL) {
        json_object_set_new(inner, MESH_ROLE_RETIRED, json_array());
        list = json_object_get(inner, MESH_ROLE_RETIRED);
    }
    return json_array_append_new(list, json_copy(object)) == 0;
}

int mesh_payload_replace_key(struct mesh_context *ctx, json_t *payload,
                             EVP_PKEY *old, EVP_PKEY *new, int drop)
{
    json_t *object = mesh_payload_find_key(ctx, payload, old);
    json_t *made = mesh_profile_key_json(ctx, new, NULL);
    int ok = made != NULL;

    if (ok && object == NULL)
        ok = mesh_raise(ctx, MESH_R_INTERNAL, "the key is nowhere in it");
    else if (ok)
        ok =
            ((drop || retire(payload, object)) && json_object_clear(object) == 0
             && json_object_update(object, made) == 0)
            || mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          MESH_ROLE_RETIRED " is no list");
    json_decref(made);
    return ok;
}

/* The role whose list has the key, where *at says; NULL if there is none. */
static const char *find_listed(struct mesh_context *ctx, json_t *inner,
                               EVP_PKEY *key, size_t *at)
{
    json_t *list, *object;
    const char *role;
    size_t i;

    json_object_foreach (inner, role, list)
        json_array_foreach (list, i, object)
            if (is_key(ctx, object, key)) {
                *at = i;
                return role;
            }
    return NULL;
}

int mesh_payload_lists_key(struct mesh_context *ctx,
                           const struct mesh_profile *profile, EVP_PKEY *key)
{
    size_t i;

    return find_listed(ctx, mesh_payload_inner(profile->payload), key, &i)
           != NULL;
}

int mesh_payload_remove_key(struct mesh_context *ctx,
                            struct mesh_profile *profile, EVP_PKEY *key)
{
    json_t *inner = mesh_payload_inner(profile->payload), *list;
    const char *role;
    size_t i;

    role = find_listed(ctx, inner, key, &i);
    if (role == NULL)
        return mesh_raise(ctx, MESH_R_NO_ROLE, "profile %s has the key no more",
                          profile->identifier);
    list = json_object_get(inner, role);
    json_array_remove(list, i);
    if (json_array_size(list) == 0)
        json_object_del(inner, role);
    return 1;
}
