/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Locating a profile of the layout: draft-hallambaker-mesh-platform, section
 * 3.4.  The latest copy; or, if that is missing, unreadable, not good, or
 * older, the newest good version in the archive.  (The portal is asked by
 * meshctl.)
 */
#ifndef MESH_STORE_LOCATE_H
#define MESH_STORE_LOCATE_H

#include "store/profile.h"

enum mesh_locate {
    /* The archive is only opened if the latest copy is no use, or if its file
     * was not written right after the archive, as each change does it: so is
     * one that was put back from elsewhere. */
    MESH_LOCATE_QUICK,
    MESH_LOCATE_NEWEST, /* whatever the times of the files */
    MESH_LOCATE_LATEST  /* the latest copy alone */
};

/*
 * Reads the profile of an entry with its whole trust chain, and checks that it
 * is the one that the entry names.  profile->where is the file it comes from;
 * that it is the archive leaves a trace line.  If none is good, the error is
 * the latest copy's.
 */
int mesh_locate(struct mesh_context *ctx, const struct mesh_layout *layout,
                const struct mesh_layout_entry *entry, enum mesh_locate how,
                struct mesh_profile **profile);

/* The same check of a profile that was read from anywhere, for an entry that
 * may not have a file yet. */
int mesh_locate_accepts(struct mesh_context *ctx,
                        const struct mesh_layout *layout,
                        const struct mesh_layout_entry *entry,
                        struct mesh_profile *profile);

/* Rule 4 of store/trust.h for an application profile: the personal profiles of
 * the layout are asked in turn.  Nothing to do for others. */
int mesh_locate_trust(struct mesh_context *ctx,
                      const struct mesh_layout *layout,
                      struct mesh_profile *profile);

#endif
