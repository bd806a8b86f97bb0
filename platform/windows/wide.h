/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text between UTF-8, which everything above speaks, and the UTF-16 of
 * Windows's functions.
 */
#ifndef MESH_PLATFORM_WINDOWS_WIDE_H
#define MESH_PLATFORM_WINDOWS_WIDE_H

#include "platform/context.h"

#include <wchar.h>

/* The copy is the caller's (OPENSSL_free).  NULL with MESH_R_USAGE for text
 * that is no UTF-8, or no UTF-16; or with MESH_R_MEMORY.  ctx may be NULL:
 * nothing is raised then. */
char *mesh_utf8(struct mesh_context *ctx, const wchar_t *text);
wchar_t *mesh_wide(struct mesh_context *ctx, const char *text);

#endif
