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
    int dir_fd;  /* the socket's folder; of systemd's socket -1 */
    int lock_fd; /* held for life; beside systemd's socket -1 */
    ino_t inode; /* of the socket; 0: it is not made by us, but by systemd */
    char *path;  /* of the socket */
    pid_t other; /* who serves there, if we do not */
};

enum mesh_listen_result {
    MESH_LISTEN_FAILED, /* raised */
    MESH_LISTEN_SERVING,
    MESH_LISTEN_ANOTHER /* another mesh-keyd serves there, or will: systemd */
};

/*
 * Listens on the socket that systemd passed, if it did: systemd starts one
 * alone and cares for the socket.  Else takes the lock of the socket's folder
 * and makes the socket; only who holds the lock replaces a stale one.  group:
 * whose members may connect, (gid_t)-1 for nobody.  *listener is to be ended
 * whatever the result.
 */
enum mesh_listen_result mesh_listen(struct mesh_context *ctx, gid_t group,
                                    struct mesh_listener *listener);
/* Removes the socket, if it is ours, then lets go of the lock. */
void mesh_listen_end(struct mesh_listener *listener);

#endif
