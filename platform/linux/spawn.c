/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting mesh-keyd.
 */
#include "platform/linux/spawn.h"

#include "platform/layout.h"
#include "platform/linux/socket_path.h"
#include "platform/posix/launch.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#define READY_FD      "3" /* MESH_LAUNCH_FD */
#define READY_SECONDS 10

static int wait_until_ready(struct mesh_context *ctx, int fd,
                            const char *program)
{
    char word[512];
    ssize_t n = mesh_launch_read(fd, word, sizeof(word) - 1, READY_SECONDS,
                                 MESH_READY_SERVING);
    int error = errno;

    if (n < 0 && error == ETIMEDOUT)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s was started, but was not ready within %d seconds",
                          program, READY_SECONDS);
    if (n <= 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s was started, but ended without a word; run it "
                          "with --foreground to see why",
                          program);
    if (word[0] == MESH_READY_SERVING)
        return 1;
    word[n] = '\0';
    if (word[0] != MESH_LAUNCH_ERRNO || n != 1 + sizeof(error))
        return mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", program, word + 1);
    memcpy(&error, word + 1, sizeof(error));
    return mesh_raise(ctx, MESH_R_KEYD_START, "%s cannot be started: %s",
                      program, strerror(error));
}

int mesh_keyd_spawn(struct mesh_context *ctx)
{
    static const char *const more[] = {NULL};
    const char *program =
        ctx->config.keyd_path != NULL ? ctx->config.keyd_path : MESH_KEYD_PATH;
    struct mesh_launch launch = {.program = program};
    char *socket_path = NULL, *home = NULL;
    int dir_fd = -1, fd = -1, ok;

    if (mesh_has_foreign_rights())
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not running, and a program with "
                          "another user's rights does not start it");
    ok = mesh_launch_check(ctx, program, "mesh-keyd", "keyd-path")
         && mesh_socket_folder(ctx, 0, &dir_fd, &socket_path)
         && (home = mesh_layout_home(ctx)) != NULL;
    if (ok) {
        memcpy(launch.argv,
               (char *[]){(char *)program, "--socket", socket_path, "--home",
                          home, "--ready-fd", READY_FD, NULL},
               sizeof(launch.argv));
        ok = mesh_launch_start(ctx, &launch, more, &fd)
             && wait_until_ready(ctx, fd, program);
    }
    if (ok)
        mesh_trace(ctx, "started %s for %s", program, socket_path);
    if (dir_fd >= 0)
        close(dir_fd);
    if (fd >= 0)
        close(fd);
    OPENSSL_free(home);
    OPENSSL_free(socket_path);
    return ok;
}
