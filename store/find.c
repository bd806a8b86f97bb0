/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Search: which keys and certificates of which profiles fit.
 *
 * A search by subject is what X509_STORE asks of a URI, and what it gets it
 * trusts.  So there a profile stands for no more than the keys that its trust
 * chain rests on, and never for what somebody put into an X509Chain.  The URI
 * of one key stands for all that is in its chain: who names it as a CA store
 * means that.
 */
#include "store/find.h"

#include "store/objects.h"
#include "store/role.h"
#include "store/trust.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>

struct match {
    struct mesh_profile *profile;
    const struct mesh_profile_key *key;
};

struct find {
    struct mesh_search *s;
    const struct mesh_criterion *criterion;
    int one_key; /* the URI names it */
    struct mesh_objects *objects;
    struct match *matches; /* keys that fit */
    size_t matches_count;
};

static int has_certificate(const struct mesh_objects *objects, X509 *other)
{
    size_t i;

    for (i = 0; i < objects->count; i++)
        if (objects->items[i].certificate != NULL
            && X509_cmp(objects->items[i].certificate, other) == 0)
            return 1;
    return 0;
}

/* Adds the first max certificates of a key that fit, each once. */
static int add_certificates(struct find *f, const struct mesh_profile_key *key,
                            int max)
{
    int i;

    for (i = 0; i < sk_X509_num(key->certificates) && i < max; i++) {
        X509 *certificate = sk_X509_value(key->certificates, i);

        if (mesh_criterion_fits_certificate(f->criterion, certificate)
            && !has_certificate(f->objects, certificate)
            && !mesh_objects_add_certificate(f->s, f->objects, key,
                                             certificate))
            return 0;
    }
    return 1;
}

static int look_subject(struct find *f, const struct mesh_profile_key *key)
{
    if (f->one_key)
        return add_certificates(f, key, INT_MAX);
    return !mesh_trust_rests_on(f->s->ctx, f->s->profile, key)
           || add_certificates(f, key, 1);
}

static int look_serial(struct find *f, const struct mesh_profile_key *key)
{
    return add_certificates(f, key, INT_MAX);
}

/* Notes a key that fits; the same one in another profile is no second one. */
static int add_match(struct find *f, const struct mesh_profile_key *key)
{
    struct match *matches;
    size_t i;

    for (i = 0; i < f->matches_count; i++)
        if (strcmp(f->matches[i].key->udf, key->udf) == 0)
            return 1;
    matches =
        OPENSSL_realloc(f->matches, (f->matches_count + 1) * sizeof(*matches));
    if (matches == NULL)
        return mesh_raise(f->s->ctx, MESH_R_MEMORY, "searching");
    f->matches = matches;
    f->matches[f->matches_count].profile = f->s->profile;
    f->matches[f->matches_count++].key = key;
    return 1;
}

static int look_fingerprint(struct find *f, const struct mesh_profile_key *key)
{
    int fits;

    return mesh_criterion_fits_key(f->s->ctx, f->criterion, key->public, &fits)
           && (!fits || add_match(f, key));
}

/* The role that a name says, the description of a name, or, for the key that
 * the profile alone stands for, that of the profile. */
static int has_alias(struct find *f, const struct mesh_profile_key *key)
{
    const struct mesh_profile *p = f->s->profile;
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    const char *alias = f->criterion->alias;
    char description[256];
    size_t i, n = mesh_role_keys(f->s, alias, keys, MESH_ROLE_KEYS_MAX);

    for (i = 0; i < n; i++)
        if (keys[i] == key)
            return 1;
    mesh_objects_describe(key, description, sizeof(description));
    return strcmp(alias, description) == 0
           || (p->description != NULL && strcmp(alias, p->description) == 0
               && mesh_role_natural(f->s) == key);
}

static int look_alias(struct find *f, const struct mesh_profile_key *key)
{
    return !has_alias(f, key) || add_match(f, key);
}

static int (*const looks[])(struct find *f,
                            const struct mesh_profile_key *key) = {
    [MESH_BY_SUBJECT] = look_subject,
    [MESH_BY_ISSUER_SERIAL] = look_serial,
    [MESH_BY_FINGERPRINT] = look_fingerprint,
    [MESH_BY_ALIAS] = look_alias,
};

static int look_in_profile(struct find *f, struct mesh_profile *profile)
{
    struct mesh_context quiet = mesh_context_quiet(f->s->ctx);
    size_t i;
    int ok = 1;

    f->s->profile = profile;
    for (i = 0; ok && i < profile->keys_count; i++)
        ok = !mesh_profile_key_open(&quiet, &profile->keys[i])
             || looks[f->criterion->kind](f, &profile->keys[i]);
    return ok;
}

static int look_in_profiles(struct find *f,
                            struct mesh_profile *const *profiles, size_t count)
{
    size_t i, k;
    int ok = 1;

    for (i = 0; ok && i < count; i++)
        ok = look_in_profile(f, profiles[i]);
    /* As a URI does: a key is also found in a device that only a personal
     * profile has. */
    if (f->criterion->kind != MESH_BY_FINGERPRINT || f->matches_count > 0)
        return ok;
    for (i = 0; ok && i < count; i++)
        for (k = 0; ok && k < profiles[i]->devices_count; k++)
            ok = look_in_profile(f, profiles[i]->devices[k]);
    return ok;
}

static char *uri_of_match(struct find *f, size_t i)
{
    f->s->profile = f->matches[i].profile;
    return mesh_role_uri(f->s, f->matches[i].key);
}

static int raise_several(struct find *f)
{
    char *first = uri_of_match(f, 0), *second = uri_of_match(f, 1);

    mesh_raise(f->s->ctx, MESH_R_AMBIGUOUS,
               "%zu keys fit the search, %.200s and %.200s%s; load one by its "
               "URI",
               f->matches_count, first != NULL ? first : "",
               second != NULL ? second : "",
               f->matches_count > 2 ? " among them" : "");
    OPENSSL_free(first);
    OPENSSL_free(second);
    return 0;
}

/* Of one key its objects; of several their names, or an error: which one a
 * program takes must not be chance. */
static int give_matches(struct find *f, enum mesh_object_type expect)
{
    size_t i;

    if (f->matches_count > 1 && !mesh_object_wanted(expect, MESH_OBJECT_NAME))
        return raise_several(f);
    for (i = 0; i < f->matches_count; i++) {
        const struct mesh_profile_key *key = f->matches[i].key;

        f->s->profile = f->matches[i].profile;
        if (!(f->matches_count == 1
                  ? mesh_objects_add_key(f->s, f->objects, key, expect)
                  : mesh_objects_add_name(f->s, f->objects, key)))
            return 0;
    }
    return 1;
}

int mesh_find(struct mesh_search *s, const struct mesh_criterion *criterion,
              enum mesh_object_type expect, struct mesh_objects *objects)
{
    struct find f = {s, criterion, s->key != NULL, objects, NULL, 0};
    int by_certificate = criterion->kind == MESH_BY_SUBJECT
                         || criterion->kind == MESH_BY_ISSUER_SERIAL;
    struct mesh_profile *named = s->profile, **profiles = NULL;
    size_t count = 0;
    int ok;

    if (by_certificate && !mesh_object_wanted(expect, MESH_OBJECT_CERTIFICATE))
        return 1;
    if (s->key != NULL)
        ok = looks[criterion->kind](&f, s->key);
    else if (named != NULL)
        ok = look_in_profiles(&f, &named, 1);
    else
        ok = mesh_search_all(s, &profiles, &count)
             && look_in_profiles(&f, profiles, count);
    ok = ok && give_matches(&f, expect);
    s->profile = named;
    while (count > 0)
        mesh_profile_free(profiles[--count]);
    OPENSSL_free(profiles);
    OPENSSL_free(f.matches);
    return ok;
}
