/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Connections: who may have one, a thread for each, and their end.
 */
#ifndef MESH_KEYD_CONNECTION_H
#define MESH_KEYD_CONNECTION_H

#include "platform/linux/keyd/request.h"

#include <time.h>

struct mesh_connections;

/* max: connections at a time.  group: its members may use keys; (gid_t)-1 for
 * none.  hello_ms: how long a new one may keep silent.  service is borrowed.
 * NULL when memory is short. */
struct mesh_connections *mesh_connections_new(struct mesh_service *service,
                                              unsigned max, gid_t group,
                                              int hello_ms);
/* Ends all connections, waits at most so long for their threads; 1 if all
 * ended (only then the service may be freed). */
int mesh_connections_free(struct mesh_connections *all, int wait_ms);

/* Serves a socket that was accepted, in a thread of its own; takes it over. */
void mesh_connection_start(struct mesh_connections *all, int fd);

/* Seconds since there was a connection last; 0 while there is one. */
time_t mesh_connections_idle(struct mesh_connections *all);

#endif
