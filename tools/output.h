/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that the user wants written.
 */
#ifndef MESH_TOOLS_OUTPUT_H
#define MESH_TOOLS_OUTPUT_H

#include "platform/context.h"

#define OUTPUT_STANDARD "-" /* the path of standard output */

/* Writes text as the file at path, which is replaced as a whole (0600); of a
 * link, what it points to.  A file that holds a private key, or is registered
 * as one, is refused: MESH_R_KEY_EXISTS, MESH_R_IN_USE. */
int output_write(struct mesh_context *ctx, const char *path, const char *text,
                 size_t len);

#endif
