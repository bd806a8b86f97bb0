/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket, and that there is one mesh-keyd alone behind it.
 */
#ifndef MESH_KEYD_LISTEN_H
#define MESH_KEYD_LISTEN_H

#include "platform/context.h"

#include <sys/types.h>

struct mesh_listener {
    int fd;      /* listening, non-blocking */
    int dir_fd;  /* the socket's folder */
    int lock_fd; /* held for life */
    int is_ours; /* made by us, not by systemd */
    char *path;  /* of the socket */
};

enum mesh_listen_result {
    MESH_LISTEN_FAILED,  /* raised */
    MESH_LISTEN_SERVING, /* *listener is the caller's */
    MESH_LISTEN_ANOTHER  /* another mesh-keyd serves there */
};

/*
 * Takes the lock of the socket's folder and listens; on the socket that systemd
 * passed, if it did.  Only who holds the lock replaces a stale socket.  group:
 * whose members may connect, (gid_t)-1 for nobody.
 */
enum mesh_listen_result mesh_listen(struct mesh_context *ctx, gid_t group,
                                    struct mesh_listener *listener);
/* Removes the socket, if it is ours, then lets go of the lock. */
void mesh_listen_end(struct mesh_listener *listener);

#endif
