/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whose a private key of the key store is.
 */
#ifndef MESH_TOOLS_OWNER_H
#define MESH_TOOLS_OWNER_H

#include "store/profile.h"

/* All profiles of this device that can be read. */
struct owners {
    struct mesh_profile **profiles;
    size_t count;
    size_t unread; /* so many cannot */
};

int owners_read(struct mesh_context *ctx, const struct mesh_layout *layout,
                struct owners *owners);
/* The public half of a key of the key store, and the profile that has it; NULL
 * if none has. */
const struct mesh_profile_key *owners_find(const struct owners *owners,
                                           const struct mesh_key_name *name,
                                           const struct mesh_profile **profile);
void owners_clear(struct owners *owners);

#endif
