/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a mesh: URI to objects: which keys of the profile, what of them.
 */
#include "store/resolve.h"

#include "store/objects.h"
#include "store/role.h"

#include <openssl/crypto.h>
#include <string.h>

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
        return mesh_objects_add_key(s, objects, s->key, expect);
    if (*role != '\0') {
        if (!mesh_role_find(s, role, &key, &count))
            return mesh_role_raise(s,
                                   count == 0
                                       ? "no key"
                                       : "several keys, none of them known "
                                         "as this device's, for",
                                   role);
        return mesh_objects_add_key(s, objects, key, expect);
    }

    if (p->keys_count == 1)
        key = &p->keys[0];
    else
        mesh_role_find(s, "sign", &key, &count);
    if (key == NULL && !mesh_object_wanted(expect, MESH_OBJECT_NAME))
        return mesh_role_raise(s, "not one key to", "sign");
    if (key != NULL && !mesh_objects_add_key(s, objects, key, expect))
        return 0;
    for (i = 0;
         mesh_object_wanted(expect, MESH_OBJECT_NAME) && i < p->keys_count; i++)
        if (&p->keys[i] != key
            && !mesh_objects_add_name(s, objects, &p->keys[i]))
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
        if (!mesh_objects_add(s->ctx, objects, MESH_OBJECT_NAME,
                              mesh_uri_print(s->ctx, udf, NULL), description,
                              NULL, NULL))
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
