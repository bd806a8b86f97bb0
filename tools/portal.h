/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The exchange with a person's portal: one JSON object for another.  What it
 * answers is not trusted; store/enter.h judges it.
 */
#ifndef MESH_TOOLS_PORTAL_H
#define MESH_TOOLS_PORTAL_H

#include "tools/portal_http.h"

#include <jansson.h>

/*
 * Asks for a profile by its account, or, if account is NULL, by its
 * fingerprint.  host: HOST[:PORT] (tools/portal_name.h).  A static server is
 * asked for the file, by udf, unless that is NULL.  *entries: an array of
 * documents, not empty; the caller json_decref()s.  MESH_R_PORTAL and
 * MESH_R_TIMEOUT say what was wrong with the answer; MESH_R_INTERRUPTED: a
 * signal waits.
 */
int portal_get(struct mesh_context *ctx, struct portal_http *http,
               const char *host, const char *account, const char *udf,
               json_t **entries);

/* Sends a document, {"Signed…Profile": …}; account may be NULL. */
int portal_publish(struct mesh_context *ctx, struct portal_http *http,
                   const char *host, const char *account, json_t *entry);

#endif
