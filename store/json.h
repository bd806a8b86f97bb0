/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * JSON text.
 */
#ifndef MESH_STORE_JSON_H
#define MESH_STORE_JSON_H

#include "platform/context.h"

#include <jansson.h>

/*
 * Parses JSON text as the reference implementation wrote it: raw CR and LF
 * inside strings dropped, else strict, duplicate members and more than 64
 * levels refused.  Fails with MESH_R_PROFILE_MALFORMED; where says in errors
 * what is read.  The caller json_decref()s.
 */
json_t *mesh_json_parse(struct mesh_context *ctx, const char *text, size_t len,
                        const char *where);

/* The text of a JSON value, in our own memory whatever allocator the
 * application gave jansson.  flags: json_dumps().  The caller frees
 * (OPENSSL_free); NULL when memory is short. */
char *mesh_json_print(const json_t *value, size_t flags);

#endif
