/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a portal is: its name, and the servers that DNS has for it.
 */
#ifndef MESH_TOOLS_PORTAL_NAME_H
#define MESH_TOOLS_PORTAL_NAME_H

#include "platform/context.h"

#include <stddef.h>

#define PORTAL_NAME_MAX    256 /* octets of a host's name, with the NUL */
#define PORTAL_SERVERS_MAX 8

/* HOST[:PORT] taken apart. */
struct portal_name {
    const char *scheme;
    char host[PORTAL_NAME_MAX]; /* of an IPv6 address without its brackets */
    unsigned port;              /* 0: none was given */
    int is_local;               /* this machine */
    int is_address;             /* no name: DNS is not asked */
};

/* Parses; fails with MESH_R_USAGE and a text that repeats the wrong part. */
int portal_name_parse(struct mesh_context *ctx, const char *text,
                      struct portal_name *name);

/* An SRV record of _mmm._tcp.HOST (RFC 2782). */
struct portal_server {
    char host[PORTAL_NAME_MAX]; /* empty: there is decidedly no such service */
    unsigned priority, weight, port;
};

/* Finds them, in the order to try: by priority, then the heaviest first.  0:
 * none, or no answer. */
size_t portal_find_servers(const struct mesh_context *ctx, const char *host,
                           struct portal_server servers[PORTAL_SERVERS_MAX]);

#endif
