/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Search in the profiles that a URI names, for resolve.c.
 */
#ifndef MESH_STORE_FIND_H
#define MESH_STORE_FIND_H

#include "store/criterion.h"
#include "store/resolve.h"
#include "store/search.h"

/*
 * Adds what fits: in s->key, if that is set, else in s->profile, or else in all
 * profiles.  docs/mesh-uri.7.md says what each search gives.
 */
int mesh_find(struct mesh_search *s, const struct mesh_criterion *criterion,
              enum mesh_object_type expect, struct mesh_objects *objects);

#endif
