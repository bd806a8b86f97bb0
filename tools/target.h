/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the user means by a URI or a file.
 */
#ifndef MESH_TOOLS_TARGET_H
#define MESH_TOOLS_TARGET_H

#include "store/profile.h"
#include "store/uri.h"

struct target {
    struct mesh_profile *profile;
    const struct mesh_profile_key *key; /* of it; NULL: all of the profile */
};

/* Whether the file at path is a key reference: raises its URI. */
int target_raise_reference(struct mesh_context *ctx, const char *path);
/* mesh_uri_parse() of an argument; what is no URI is answered with the one that
 * was meant. */
int target_parse_uri(struct mesh_context *ctx, const char *uri,
                     struct mesh_uri *parsed);
/* The profile, or key of a profile, that a URI names: verified. */
int target_open_uri(struct mesh_context *ctx, const char *uri,
                    struct target *target);
/* The profile in a file: verified as far as it proves itself. */
int target_open_file(struct mesh_context *ctx, const char *path,
                     struct mesh_profile **profile);
void target_clear(struct target *target);

/* The entry of the layout, of any kind, that a fingerprint means: *entry, NULL
 * if there is none.  Fails if there are several. */
int target_find_entry(struct mesh_context *ctx,
                      const struct mesh_layout *layout, const char *fingerprint,
                      const struct mesh_layout_entry **entry);
/* That of a profile by its URI, fingerprint, word or account, whatever state
 * its file is in; NULL is raised. */
const struct mesh_layout_entry *target_entry(struct mesh_context *ctx,
                                             const struct mesh_layout *layout,
                                             const char *text);
/* MESH_R_NO_DEFAULT: of a word such as device there is none; what to do. */
int target_raise_no_default(struct mesh_context *ctx, const char *word);

#endif
