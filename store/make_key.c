/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A new key in the key store and in a profile, as a whole or not at all.
 */
#include "store/make_key.h"

#include "store/change.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/uri.h"

#include <openssl/crypto.h>

/* Reads the profile, in the place of one that was read before, and checks that
 * it can take a key under role. */
static int read_profile(struct mesh_context *ctx, const char *name,
                        const char *role, struct mesh_profile **profile)
{
    const struct mesh_profile_key *ignored;

    mesh_profile_free(*profile);
    return mesh_resolve_profile(ctx, name, profile, &ignored)
           && mesh_payload_check_role(ctx, *profile, role, NULL);
}

/* The URI that this key alone will ever answer to. */
static int print_uri(struct mesh_context *ctx,
                     const struct mesh_profile *profile, EVP_PKEY *public,
                     char **uri)
{
    char of_profile[MESH_UDF_TEXT_MAX];
    struct mesh_key_name name;

    if (!mesh_key_name_of(ctx, public, &name))
        return 0;
    mesh_udf_print(&profile->udf, of_profile);
    *uri = mesh_uri_print(ctx, of_profile, name.udf);
    return *uri != NULL;
}

int mesh_make_key(struct mesh_context *ctx, const char *algorithm,
                  const char *profile, const char *role, EVP_PKEY **public,
                  char **uri)
{
    struct mesh_profile *changed = NULL;
    char name[MESH_URI_PART_MAX];
    struct mesh_change change;
    int ok;

    *public = NULL;
    *uri = NULL;
    if (profile == NULL)
        profile = MESH_PROFILE_DEFAULT;
    if (role == NULL)
        role = MESH_ROLE_DEFAULT;
    mesh_change_begin(&change, ctx);
    /* A key may take seconds: others must not wait for it, and what is wrong
     * with the profile is found out before.  So it is read again, locked. */
    ok = mesh_uri_profile_name(ctx, profile, name)
         && read_profile(ctx, name, role, &changed)
         && mesh_change_can_sign(ctx, changed)
         && mesh_change_generate(&change, algorithm, public)
         && mesh_change_lock(&change) && read_profile(ctx, name, role, &changed)
         && mesh_change_enter_key(&change, &changed, role, *public, NULL)
         && print_uri(ctx, changed, *public, uri);
    ok = mesh_change_end(&change, ok);
    mesh_profile_free(changed);
    if (!ok) {
        EVP_PKEY_free(*public);
        OPENSSL_free(*uri);
        *public = NULL;
        *uri = NULL;
    }
    return ok;
}

int mesh_forget_key(struct mesh_context *ctx, EVP_PKEY *public,
                    const char *profile)
{
    struct mesh_profile *changed = NULL;
    const struct mesh_profile_key *ignored;
    struct mesh_change change;
    int ok;

    mesh_change_begin(&change, ctx);
    ok = mesh_change_lock(&change)
         && mesh_resolve_profile(ctx, profile, &changed, &ignored)
         && mesh_payload_remove_key(ctx, changed, public)
         && mesh_change_resign(&change, &changed);
    ok = mesh_change_end(&change, ok);
    mesh_profile_free(changed);
    return ok;
}

int mesh_unmake_key(struct mesh_context *ctx, EVP_PKEY *public, const char *uri)
{
    struct mesh_key_name name;
    struct mesh_uri parts;

    /* The key first: what stays if the rest fails is harmless. */
    return mesh_key_name_of(ctx, public, &name)
           && mesh_keystore_delete(ctx, &name)
           && mesh_uri_parse(ctx, uri, &parts)
           && mesh_forget_key(ctx, public, parts.profile);
}
