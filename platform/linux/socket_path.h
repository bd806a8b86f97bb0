/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where mesh-keyd's socket is, for both ends.
 */
#ifndef MESH_PLATFORM_LINUX_SOCKET_PATH_H
#define MESH_PLATFORM_LINUX_SOCKET_PATH_H

#include "platform/context.h"

/*
 * Opens the socket's folder (O_PATH, no links followed in its last component)
 * and gives the socket's name in it: the configured path, else
 * $XDG_RUNTIME_DIR/mesh/keyd.sock, else /run/user/<uid>/mesh/keyd.sock, else
 * ~/.cache/mesh/keyd.sock.  With create, missing last folders are made, 0700.
 * The folder must be the user's (or, for a client, root's or the one the
 * configuration names) and closed to others: MESH_R_UNSAFE_FILE.  *dir_fd and
 * *path (the whole path, OPENSSL_free) are the caller's.
 */
int mesh_socket_folder(struct mesh_context *ctx, int create, int *dir_fd,
                       char **path);

#endif
