/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which key of a profile a role means on this device, and how it is spelled.
 */
#include "store/role.h"

#include "store/payload.h"
#include "store/uri.h"

#include <openssl/crypto.h>
#include <string.h>

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
    {"retired", {MESH_ROLE_RETIRED}},
};
#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* Those that the profile calls so are looked at first: a key need not be opened
 * for a name that it will not have.  The same key in another member is no
 * second one. */
size_t mesh_profile_find_named(struct mesh_context *ctx,
                               const struct mesh_profile *profile,
                               const struct mesh_udf *udf,
                               const struct mesh_profile_key **keys, size_t max)
{
    struct mesh_udf given;
    size_t i, n = 0;
    int likely, named;

    for (likely = 1; likely >= 0 && n == 0; likely--)
        for (i = 0; i < profile->keys_count && n < max; i++) {
            const struct mesh_profile_key *key = &profile->keys[i];

            if ((mesh_udf_decode(key->udf, &given)
                 && mesh_udf_may_equal(&given, udf))
                    == likely
                && mesh_profile_key_named(ctx, key, udf, &named) && named
                && (n == 0 || strcmp(keys[n - 1]->udf, key->udf) != 0))
                keys[n++] = key;
        }
    return n;
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
    size_t i, n = 0;

    for (i = 0; i < ALIASES; i++)
        if (OPENSSL_strcasecmp(role, aliases[i].name) == 0)
            members = aliases[i].members;
    /* A member that is called like a fingerprint proves nothing. */
    if (mesh_udf_looks_like(role) && mesh_udf_decode(role, &udf))
        return mesh_profile_find_named(&quiet, profile, &udf, keys, max);
    for (; *members != NULL && n == 0; members++)
        for (i = 0; i < profile->keys_count && n < max; i++)
            if (strcmp(profile->keys[i].member, *members) == 0)
                keys[n++] = &profile->keys[i];
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

int mesh_role_holds(struct mesh_context *ctx,
                    const struct mesh_profile_key *key, int *held)
{
    struct mesh_key_name name;

    *held = 0;
    mesh_profile_key_name(key, &name);
    return mesh_keystore_holds(ctx, &name, held);
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
        if (mesh_profile_key_open(&quiet, keys[i])
            && mesh_role_holds(&quiet, keys[i], &held) && held) {
            keys[0] = keys[i];
            break;
        }
    return 1;
}

const char *mesh_role_of(const struct mesh_search *s,
                         const struct mesh_profile_key *key)
{
    const char *const roles[] = {mesh_profile_role(key), key->member};
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t i, n;

    for (i = 0; i < 2; i++) {
        n = mesh_profile_find_keys(s->ctx, s->profile, roles[i], keys,
                                   MESH_ROLE_KEYS_MAX);
        if (keep_this_device(s->layout, keys, n) == 1 && keys[0] == key)
            return roles[i];
    }
    return key->udf;
}

char *mesh_role_uri(const struct mesh_search *s,
                    const struct mesh_profile_key *key)
{
    char profile[MESH_UDF_TEXT_MAX];

    mesh_udf_print(&s->profile->udf, profile);
    return mesh_uri_print(s->ctx, profile, mesh_role_of(s, key));
}

size_t mesh_role_keys(struct mesh_search *s, const char *role,
                      const struct mesh_profile_key **keys, size_t max)
{
    size_t n = mesh_profile_find_keys(s->ctx, s->profile, role, keys, max);

    return keep_held(s->ctx, keys, keep_this_device(s->layout, keys, n));
}

int mesh_role_find(struct mesh_search *s, const char *role,
                   const struct mesh_profile_key **key, size_t *count)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t n = mesh_role_keys(s, role, keys, MESH_ROLE_KEYS_MAX);

    *key = n == 1 ? keys[0] : NULL;
    *count = n;
    return n == 1;
}

const struct mesh_profile_key *mesh_role_natural(struct mesh_search *s)
{
    const struct mesh_profile_key *key = NULL;
    size_t count = 0;

    /* the only one that is not retired */
    for (size_t i = 0; i < s->profile->keys_count; i++)
        if (strcmp(s->profile->keys[i].member, MESH_ROLE_RETIRED) != 0) {
            key = &s->profile->keys[i];
            count++;
        }
    if (count == 1)
        return key;
    return mesh_role_find(s, "sign", &key, &count) ? key : NULL;
}

int mesh_role_raise(struct mesh_search *s, const char *problem,
                    const char *role)
{
    const struct mesh_profile *p = s->profile;
    char list[256] = "";
    size_t i;

    for (i = 0; i < p->keys_count && strlen(list) < sizeof(list) - 1; i++) {
        OPENSSL_strlcat(list, i > 0 ? ", " : "", sizeof(list));
        OPENSSL_strlcat(list, mesh_role_of(s, &p->keys[i]), sizeof(list));
    }
    return mesh_raise(
        s->ctx, MESH_R_NO_ROLE, "profile %.64s has %s \"%.64s\"; its keys: %s",
        p->identifier, problem, role, p->keys_count > 0 ? list : "none");
}

int mesh_role_raise_several(struct mesh_context *ctx,
                            const struct mesh_profile *profile,
                            const char *role,
                            const struct mesh_profile_key *const *keys,
                            size_t count)
{
    char list[512] = "";
    int of_devices = 0;

    for (size_t i = 0; i < count; i++) {
        of_devices |= keys[i]->device != NULL;
        if (strlen(list) + MESH_UDF_TEXT_MAX < sizeof(list)) {
            OPENSSL_strlcat(list, i > 0 ? ", " : "", sizeof(list));
            OPENSSL_strlcat(list, keys[i]->udf, sizeof(list));
        }
    }
    return mesh_raise(ctx, MESH_R_AMBIGUOUS,
                      "%s profile %.64s %s several keys '%.100s'%s; name one "
                      "by its fingerprint: %s",
                      mesh_kind_word(profile->kind), profile->identifier,
                      of_devices ? "is here, but has" : "has", role,
                      of_devices ? ", none of them known as this device's" : "",
                      list);
}
