/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a mesh: URI to objects: which profile, which keys of it.
 */
#include "store/resolve.h"

#include "store/find.h"
#include "store/objects.h"
#include "store/role.h"
#include "store/trust.h"

#include <openssl/crypto.h>
#include <string.h>

/* Finds what the URI names: s->profile, and s->key, open, if that is one key.
 */
static int find_named(struct mesh_search *s, const struct mesh_uri *uri)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t count;

    if (!mesh_search_named(s, uri->profile))
        return 0;
    if (uri->role[0] == '\0')
        return 1;
    if (s->key != NULL)
        return mesh_raise(s->ctx, MESH_R_NO_ROLE,
                          "%.64s is one key, it has no \"%.64s\"", s->key->udf,
                          uri->role);
    count = mesh_role_keys(s, uri->role, keys, MESH_ROLE_KEYS_MAX);
    if (count == 0)
        return mesh_role_raise(s, "no key", uri->role);
    if (count > 1)
        return mesh_role_raise_several(s->ctx, s->profile, uri->role, keys,
                                       count);
    s->key = keys[0];
    return mesh_profile_open_key(s->ctx, s->profile, s->key);
}

/* The certificates that a personal profile stands for: those of the keys that
 * its trust chain rests on, the natural one first, without their chains. */
static int add_own_certificates(struct mesh_search *s,
                                const struct mesh_profile_key *natural,
                                struct mesh_objects *objects)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    const struct mesh_profile *p = s->profile;
    size_t i;
    int first;

    for (first = 1; first >= 0; first--)
        for (i = 0; i < p->keys_count; i++)
            if ((&p->keys[i] == natural) == first
                && mesh_profile_key_open(&quiet, &p->keys[i])
                && sk_X509_num(p->keys[i].certificates) > 0
                && mesh_trust_rests_on(s->ctx, p, &p->keys[i])
                && !mesh_objects_add_certificate(
                    s, objects, &p->keys[i],
                    sk_X509_value(p->keys[i].certificates, 0)))
                return 0;
    return 1;
}

static int raise_no_natural(struct mesh_search *s)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t count = mesh_role_keys(s, "sign", keys, MESH_ROLE_KEYS_MAX);

    return count > 1 ? mesh_role_raise_several(s->ctx, s->profile, "sign", keys,
                                               count)
                     : mesh_role_raise(s, "no key to", "sign");
}

/* A profile without a role. */
static int add_profile(struct mesh_search *s, enum mesh_object_type expect,
                       struct mesh_objects *objects)
{
    const struct mesh_profile *p = s->profile;
    const struct mesh_profile_key *key = mesh_role_natural(s);
    size_t i;

    if (p->kind == MESH_PROFILE_PERSONAL && expect == MESH_OBJECT_CERTIFICATE)
        return add_own_certificates(s, key, objects);
    if (key == NULL && !mesh_object_wanted(expect, MESH_OBJECT_NAME))
        return raise_no_natural(s);
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
                 enum mesh_object_type expect,
                 const struct mesh_criterion *criterion,
                 struct mesh_objects *objects)
{
    struct mesh_search s = {.ctx = ctx};
    struct mesh_uri parts;
    int ok;

    memset(objects, 0, sizeof(*objects));
    if (!mesh_uri_parse(ctx, uri, &parts) || !narrow(ctx, parts.type, &expect)
        || !mesh_layout_open(ctx, &s.layout))
        return 0;
    ok = parts.profile[0] == '\0' || find_named(&s, &parts);
    if (ok && criterion != NULL)
        ok = mesh_find(&s, criterion, expect, objects);
    else if (ok && s.key != NULL)
        ok = mesh_objects_add_key(&s, objects, s.key, expect);
    else if (ok && s.profile != NULL)
        ok = add_profile(&s, expect, objects);
    else if (ok)
        ok = list_profiles(&s, objects);
    if (!ok)
        mesh_objects_free(objects);
    mesh_profile_free(s.profile);
    mesh_layout_free(s.layout);
    return ok;
}
