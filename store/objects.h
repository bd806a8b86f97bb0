/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The objects of a key, for resolve.c.
 */
#ifndef MESH_STORE_OBJECTS_H
#define MESH_STORE_OBJECTS_H

#include "store/resolve.h"
#include "store/search.h"

/* Whether an object of that type is one of those expected. */
int mesh_object_wanted(enum mesh_object_type expect,
                       enum mesh_object_type type);

/* Adds an object; takes name over (NULL fails: there was no memory), references
 * of the rest. */
int mesh_objects_add(struct mesh_context *ctx, struct mesh_objects *objects,
                     enum mesh_object_type type, char *name,
                     const char *description, X509 *certificate,
                     struct mesh_key *key);
/* Describes a key for people, as the name of one does. */
void mesh_objects_describe(const struct mesh_profile_key *key, char *text,
                           size_t size);
/* Adds the name of a key of s->profile. */
int mesh_objects_add_name(struct mesh_search *s, struct mesh_objects *objects,
                          const struct mesh_profile_key *key);
/* Adds one certificate of a key of s->profile. */
int mesh_objects_add_certificate(struct mesh_search *s,
                                 struct mesh_objects *objects,
                                 const struct mesh_profile_key *key,
                                 X509 *certificate);
/* Adds the certificates, private key, public key: what is expected of one key
 * of s->profile. */
int mesh_objects_add_key(struct mesh_search *s, struct mesh_objects *objects,
                         const struct mesh_profile_key *key,
                         enum mesh_object_type expect);

#endif
