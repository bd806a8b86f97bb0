/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A profile that is missing is asked for at its portal: by meshctl, a process
 * of its own; we never open a network connection.
 */
#ifndef MESH_PLATFORM_REFRESH_H
#define MESH_PLATFORM_REFRESH_H

#include "platform/context.h"

/*
 * Lets meshctl refresh a profile of the layout and waits for it, for 20 seconds
 * at most, if the configuration wants that; once in a process for each profile.
 * Whether it was tried, so that it is worth while to look again; errors are
 * traced alone.
 */
int mesh_refresh_missing(struct mesh_context *ctx, const char *udf);

/* Whether the meshctl that would do that can be started; *program is its path
 * or NULL, the caller's (OPENSSL_free) in each case.  The error says why not.
 */
int mesh_refresh_check(struct mesh_context *ctx, char **program);

/* What posix/refresh.c and windows/refresh.c share. */
#define MESH_REFRESH_SECONDS 20   /* that a caller waits for a refresh */
#define MESH_REFRESH_TIMEOUT "15" /* for each request of it; seconds */

/* Whether a profile is asked for the first time in this process; forks know
 * what their parents have asked. */
int mesh_refresh_is_first(const char *udf);

#endif
