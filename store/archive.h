/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The archive of a profile, <UDF>.all.mmm of draft-hallambaker-mesh-platform,
 * section 4: all its versions, one on a line, oldest first.  It is only ever
 * appended to, and is read from its end.
 */
#ifndef MESH_STORE_ARCHIVE_H
#define MESH_STORE_ARCHIVE_H

#include "platform/layout.h"
#include "store/signed.h"

#include <stdint.h>

/* A version: at most so many octets; longer lines are passed over. */
#define MESH_ARCHIVE_LINE_MAX MESH_PROFILE_FILE_MAX

struct mesh_archive;

/* Opens it for reading from its end.  MESH_R_FILE_MISSING if there is none, and
 * as mesh_layout_read_file().  most: how many octets are looked at before it
 * seems to have ended, 0: all.  The caller closes. */
int mesh_archive_open(struct mesh_context *ctx, const char *path, uint64_t most,
                      struct mesh_archive **archive);
void mesh_archive_close(struct mesh_archive *archive); /* NULL is allowed */

/*
 * The version before the one that was read last, the newest first: *document is
 * its JSON (the caller json_decref()s), or NULL when there is none before it.
 * What is no JSON object, as a last line that was torn, is passed over with a
 * trace line.  The log form of the reference implementation,
 * {"DataItem": {"Text": "..."}}, is unwrapped.  Fails if the file cannot be
 * read.
 */
int mesh_archive_previous(struct mesh_archive *archive, json_t **document);

/* How many lines, bad ones too, were read. */
size_t mesh_archive_lines(const struct mesh_archive *archive);
/* Whether nothing is left, not even what may not be looked at. */
int mesh_archive_is_read(const struct mesh_archive *archive);

/*
 * Appends a version (mesh_layout_append_file()), unless it is the one at the
 * end: then *before is left as MESH_LAYOUT_UNCHANGED.  The caller has the lock.
 */
#define MESH_LAYOUT_UNCHANGED (UINT64_MAX - 1)
int mesh_archive_append(struct mesh_context *ctx, const char *path,
                        const json_t *document, uint64_t *before);

#endif
