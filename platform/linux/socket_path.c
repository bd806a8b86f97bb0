/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding and opening the folder of mesh-keyd's socket.
 */
#include "platform/linux/socket_path.h"

#include "platform/linux/message.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_BUFFER 4096

static int our_folder(const char *path)
{
    struct stat st;

    return path != NULL && path[0] == '/' && stat(path, &st) == 0
           && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

const char *mesh_runtime_folder(char buffer[MESH_RUNTIME_FOLDER_SIZE])
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

    if (our_folder(runtime))
        return runtime;
    snprintf(buffer, MESH_RUNTIME_FOLDER_SIZE, "/run/user/%u",
             (unsigned)geteuid());
    return our_folder(buffer) ? buffer : NULL;
}

static const char *home_folder(struct passwd *entry, char *buffer, size_t size)
{
    const char *home = secure_getenv("HOME");
    struct passwd *found = NULL;

    if (home != NULL && home[0] == '/')
        return home;
    if (getpwuid_r(geteuid(), entry, buffer, size, &found) != 0 || found == NULL
        || found->pw_dir[0] != '/')
        return NULL;
    return found->pw_dir;
}

static char *socket_path(struct mesh_context *ctx)
{
    const char *base, *rest = "/mesh/keyd.sock";
    char runtime[MESH_RUNTIME_FOLDER_SIZE], buffer[PASSWD_BUFFER], *path;
    struct passwd entry;
    size_t size;

    if (ctx->config.keyd_socket != NULL) {
        base = ctx->config.keyd_socket;
        rest = "";
    } else if ((base = mesh_runtime_folder(runtime)) == NULL) {
        base = home_folder(&entry, buffer, sizeof(buffer));
        rest = "/.cache/mesh/keyd.sock";
    }
    if (base == NULL) {
        mesh_raise(ctx, MESH_R_KEYD_START,
                   "no place for mesh-keyd's socket: neither XDG_RUNTIME_DIR "
                   "nor HOME names a folder of this user");
        return NULL;
    }
    size = strlen(base) + strlen(rest) + 1;
    path = OPENSSL_malloc(size);
    if (path == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    else
        snprintf(path, size, "%s%s", base, rest);
    return path;
}

/* Makes the folder and the one above it; what fails shows when it is opened. */
static void make_folders(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (slash != folder) {
        *slash = '\0';
        (void)mkdir(folder, 0700);
        *slash = '/';
    }
    (void)mkdir(folder, 0700);
}

static int check_folder(struct mesh_context *ctx, int fd, const char *folder,
                        int create)
{
    struct stat st;
    int configured = ctx->config.keyd_socket != NULL;
    /* 0710 is what mesh-keyd makes of it for --group. */
    mode_t closed = configured && !create ? 022 : 067;

    if (fstat(fd, &st) < 0)
        return mesh_raise(ctx, MESH_R_FILE_IO, "%s: %s", folder,
                          strerror(errno));
    if (st.st_uid != geteuid() && (create || (st.st_uid != 0 && !configured)))
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%s, the folder of mesh-keyd's socket, belongs to "
                          "user %u, not to user %u",
                          folder, (unsigned)st.st_uid, (unsigned)geteuid());
    if ((st.st_mode & closed) != 0)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%s, the folder of mesh-keyd's socket, is open to "
                          "others (mode %04o): chmod 700 it",
                          folder, (unsigned)st.st_mode & 07777);
    return 1;
}

int mesh_socket_folder(struct mesh_context *ctx, int create, int *dir_fd,
                       char **path)
{
    char *whole = socket_path(ctx), *folder = NULL;
    const char *slash;
    int fd = -1, ok = 0;

    *dir_fd = -1;
    *path = NULL;
    if (whole == NULL)
        return 0;
    slash = strrchr(whole, '/');
    if (whole[0] != '/' || slash == whole || slash[1] == '\0') {
        mesh_raise(ctx, MESH_R_CONFIGURATION,
                   "%s is no path for mesh-keyd's socket: name a file in a "
                   "folder, from the root",
                   whole);
        goto end;
    }
    folder = OPENSSL_strndup(whole, (size_t)(slash - whole));
    if (folder == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        goto end;
    }
    if (create)
        make_folders(folder);
    fd = mesh_descriptor_above_standard(
        open(folder, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
    if (fd >= 0)
        ok = check_folder(ctx, fd, folder, create);
    else if (errno == ENOENT && !create)
        ok = 1;
    else if (errno == ENOTDIR || errno == ELOOP)
        mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                   "%s, the folder of mesh-keyd's socket, is a link or no "
                   "folder",
                   folder);
    else
        mesh_raise(ctx, MESH_R_KEYD_START,
                   "%s, the folder of mesh-keyd's socket, cannot be %s: %s",
                   folder, create ? "made" : "opened", strerror(errno));
end:
    if (ok) {
        *dir_fd = fd;
        *path = whole;
    } else {
        if (fd >= 0)
            close(fd);
        OPENSSL_free(whole);
    }
    OPENSSL_free(folder);
    return ok;
}

int mesh_socket_address(struct mesh_context *ctx, int dir_fd, const char *path,
                        struct sockaddr_un *address, socklen_t *len)
{
    const char *name = strrchr(path, '/') + 1;
    const int size = (int)sizeof(address->sun_path);
    char folder[32];
    int n;

    snprintf(folder, sizeof(folder), "/proc/self/fd/%d", dir_fd);
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (access(folder, F_OK) == 0)
        n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s",
                     folder, name);
    else
        n = snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
    if (n >= size)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "the path of mesh-keyd's socket is too long for a "
                          "system without /proc: %s",
                          path);
    *len = (socklen_t)sizeof(*address);
    return 1;
}
