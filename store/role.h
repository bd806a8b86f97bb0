/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which key of a profile a role means on this device, and how it is spelled.
 */
#ifndef MESH_STORE_ROLE_H
#define MESH_STORE_ROLE_H

#include "store/search.h"

#define MESH_ROLE_KEYS_MAX 1024 /* that one role may name */

/* Whether the key store has the private half of an open key: *held is 1 or 0.
 */
int mesh_role_holds(struct mesh_context *ctx,
                    const struct mesh_profile_key *key, int *held);

/* The keys of s->profile that a role names, of several those that are meant on
 * this device: writes at most max pointers, returns how many. */
size_t mesh_role_keys(struct mesh_search *s, const char *role,
                      const struct mesh_profile_key **keys, size_t max);
/* The one key of s->profile that a role names; 0, and nothing raised, with *key
 * NULL if there is not one, and how many there are. */
int mesh_role_find(struct mesh_search *s, const char *role,
                   const struct mesh_profile_key **key, size_t *count);
/* The key of s->profile that the profile alone stands for: its only one, or the
 * one for signatures; NULL if there is not one. */
const struct mesh_profile_key *mesh_role_natural(struct mesh_search *s);
/* No key can be chosen: raises what the problem is, and which keys there are.
 */
int mesh_role_raise(struct mesh_search *s, const char *problem,
                    const char *role);

/* The same where a role names several: count of keys. */
int mesh_role_raise_several(struct mesh_context *ctx,
                            const struct mesh_profile *profile,
                            const char *role,
                            const struct mesh_profile_key *const *keys,
                            size_t count);

/* How the role of a key of s->profile is spelled so that it comes back to this
 * key: borrowed. */
const char *mesh_role_of(const struct mesh_search *s,
                         const struct mesh_profile_key *key);
/* The canonical URI of a key of s->profile; the caller frees (OPENSSL_free). */
char *mesh_role_uri(const struct mesh_search *s,
                    const struct mesh_profile_key *key);

#endif
