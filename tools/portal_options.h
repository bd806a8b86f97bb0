/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the commands that speak with portals have in common.
 */
#ifndef MESH_TOOLS_PORTAL_OPTIONS_H
#define MESH_TOOLS_PORTAL_OPTIONS_H

#include "store/profile.h"
#include "tools/portal_http.h"

/* The values of --portal, --cacert and --timeout; NULL: not given. */
struct portal_options {
    const char *host, *cacert, *timeout;
};

/* portal_http_open() with them; MESH_R_USAGE for a value that is no use. */
int portal_options_open(struct mesh_context *ctx,
                        const struct portal_options *options,
                        struct portal_http *http);

/* The host of an account, what follows its @; fails with MESH_R_USAGE if text
 * is none. */
int portal_account_host(struct mesh_context *ctx, const char *account,
                        const char **host);

/* The accounts where a profile is asked for: its own; or, if entry is NULL or
 * has none, those of the default personal profile (*own is 0).  NULL: none. */
const char *const *portal_accounts(const struct mesh_layout *layout,
                                   const struct mesh_layout_entry *entry,
                                   int *own);

#endif
