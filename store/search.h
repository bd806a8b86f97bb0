/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The search for a profile of this device, between search.c and its users.
 */
#ifndef MESH_STORE_SEARCH_H
#define MESH_STORE_SEARCH_H

#include "store/profile.h"

/* One resolution: the layout is read once.  Whoever opened it frees it, and the
 * profile. */
struct mesh_search {
    struct mesh_context *ctx;
    struct mesh_layout *layout;
    struct mesh_profile *profile;       /* what was found */
    const struct mesh_profile_key *key; /* in it, if the name is a key's */
};

/* Finds what a name means: mesh_resolve_profile(). */
int mesh_search_named(struct mesh_search *s, const char *name);

/* Reads all profiles of the layout, verified with their trust chains; what is
 * broken is passed over with a trace line.  *profiles has *count elements; the
 * caller frees each, and the array (OPENSSL_free). */
int mesh_search_all(struct mesh_search *s, struct mesh_profile ***profiles,
                    size_t *count);

/* Describes a profile for people: kind, type, description, for which word it is
 * the default; of a broken one, why it is no use. */
void mesh_search_describe(const struct mesh_search *s,
                          const struct mesh_layout_entry *entry, char *text,
                          size_t size);

#endif
