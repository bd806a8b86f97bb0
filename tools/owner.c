/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whose a private key of the key store is.
 */
#include "tools/owner.h"
#include "store/locate.h"

#include <openssl/crypto.h>
#include <string.h>

int owners_read(struct mesh_context *ctx, const struct mesh_layout *layout,
                struct owners *owners)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    size_t count = mesh_layout_count(layout);
    const struct mesh_layout_entry *entry;
    struct mesh_profile **next;

    memset(owners, 0, sizeof(*owners));
    owners->profiles =
        OPENSSL_zalloc((count + 1) * sizeof(struct mesh_profile *));
    if (owners->profiles == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "profiles");
    for (size_t i = 0; i < count; i++) {
        entry = mesh_layout_entry(layout, i);
        next = &owners->profiles[owners->count];
        if (mesh_profile_read(&quiet, entry->file, next)
            || mesh_locate(&quiet, layout, entry, MESH_LOCATE_QUICK, next))
            owners->count++;
        else
            owners->unread++;
    }
    return 1;
}

static const struct mesh_profile_key *
find_in(const struct mesh_profile *profile, const struct mesh_key_name *name)
{
    for (size_t i = 0; i < profile->keys_count; i++)
        if (strcmp(profile->keys[i].udf, name->udf) == 0)
            return &profile->keys[i];
    return NULL;
}

const struct mesh_profile_key *owners_find(const struct owners *owners,
                                           const struct mesh_key_name *name,
                                           const struct mesh_profile **profile)
{
    const struct mesh_profile_key *key = NULL;

    for (size_t i = 0; i < owners->count && key == NULL; i++) {
        *profile = owners->profiles[i];
        key = find_in(*profile, name);
    }
    /* Devices that are only in a personal profile. */
    for (size_t i = 0; i < owners->count && key == NULL; i++)
        for (size_t d = 0;
             d < owners->profiles[i]->devices_count && key == NULL; d++) {
            *profile = owners->profiles[i]->devices[d];
            key = find_in(*profile, name);
        }
    return key;
}

void owners_clear(struct owners *owners)
{
    for (size_t i = 0; i < owners->count; i++)
        mesh_profile_free(owners->profiles[i]);
    OPENSSL_free(owners->profiles);
    memset(owners, 0, sizeof(*owners));
}
