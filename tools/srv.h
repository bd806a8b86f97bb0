/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SRV records, as this system finds them; posix/srv.c and windows/srv.c.
 */
#ifndef MESH_TOOLS_SRV_H
#define MESH_TOOLS_SRV_H

#include "tools/portal_name.h"

/* The letters of a host's name: a server of another one is passed over. */
#define HOST_LETTERS                                                           \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* The servers of a name, in no order; how many. */
size_t srv_query(const char *name,
                 struct portal_server servers[PORTAL_SERVERS_MAX]);

#endif
