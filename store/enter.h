/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A version of a profile that comes from outside: a file, a portal.
 */
#ifndef MESH_STORE_ENTER_H
#define MESH_STORE_ENTER_H

#include "store/change.h"

enum mesh_entered {
    MESH_ENTERED_NEW,    /* a profile that was not in the layout */
    MESH_ENTERED_NEWER,  /* a newer version of one that was */
    MESH_ENTERED_NOTHING /* the version that is there */
};

/*
 * Enters the version in text, {"Signed…Profile": …} in any form that is read,
 * after checking its whole trust chain: archive, file, layout.  The caller has
 * begun the change and locked it.  wanted: the profile that it must be, or NULL
 * for any.  portals: accounts for a new entry, or NULL for those that text has.
 * where names the source in errors.  *name is the entry's name in the layout.
 *
 * MESH_R_PROFILE_NAME: another profile; what mesh_enter_may_follow(),
 * mesh_profile_parse() and the trust chain raise.  On failure nothing was
 * changed, once the change has been ended.
 */
int mesh_enter(struct mesh_change *change, const char *text, size_t len,
               const char *where, const struct mesh_udf *wanted,
               const char *const *portals, enum mesh_entered *entered,
               char name[MESH_UDF_TEXT_MAX]);

/*
 * Whether p, which is accepted for the entry (mesh_locate_accepts()), may come
 * after the version here: MESH_R_PROFILE_OLDER if it, or the master profile in
 * it, is older; MESH_R_PROFILE_SIGNER if another person answers for an
 * application than did before.
 */
int mesh_enter_may_follow(struct mesh_change *change,
                          const struct mesh_layout *layout,
                          const struct mesh_layout_entry *entry,
                          struct mesh_profile *here, struct mesh_profile *p);

#endif
