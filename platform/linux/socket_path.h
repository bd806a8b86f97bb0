/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where mesh-keyd's socket is, for both ends.
 */
#ifndef MESH_PLATFORM_LINUX_SOCKET_PATH_H
#define MESH_PLATFORM_LINUX_SOCKET_PATH_H

#include "platform/context.h"

#include <sys/socket.h>
#include <sys/un.h>

/* This user's runtime folder: $XDG_RUNTIME_DIR if that is ours, else
 * /run/user/<uid> if that is, written to buffer; else NULL. */
#define MESH_RUNTIME_FOLDER_SIZE 32
const char *mesh_runtime_folder(char buffer[MESH_RUNTIME_FOLDER_SIZE]);

/*
 * Opens the socket's folder (O_PATH, no links followed in its last component)
 * and gives the socket's name in it: the configured path, else mesh/keyd.sock
 * in the runtime folder, else ~/.cache/mesh/keyd.sock.
 *
 * With create (mesh-keyd's end) the folder and the one above are made if they
 * are missing, 0700; the folder must be ours and closed to all others.  Without
 * (a client's end) a missing folder is no error, *dir_fd is then -1; it may be
 * root's too, and that of a configured path anybody's who alone can write it.
 * Else MESH_R_UNSAFE_FILE.  *dir_fd and *path (the whole path, OPENSSL_free)
 * are the caller's.
 */
int mesh_socket_folder(struct mesh_context *ctx, int create, int *dir_fd,
                       char **path);

/* The address to bind or connect to: through the open folder, which also beats
 * the 108 octets of sun_path; where /proc is missing, the path itself if it is
 * short enough, else MESH_R_KEYD_START. */
int mesh_socket_address(struct mesh_context *ctx, int dir_fd, const char *path,
                        struct sockaddr_un *address, socklen_t *len);

#endif
