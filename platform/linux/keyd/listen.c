/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket, and that there is one mesh-keyd alone behind it.
 */
#include "platform/linux/keyd/listen.h"

#include "platform/linux/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME      "keyd.lock"
#define NEW_SUFFIX     ".new"
#define BACKLOG        64
#define ACTIVATION_FD  3 /* SD_LISTEN_FDS_START of sd_listen_fds(3) */
#define OTHER_SECONDS  5 /* that one who holds the lock has to start or end */
#define OTHER_PAUSE_NS 10000000
#define GROUP_FOLDER   0710
#define GROUP_SOCKET   0660

/* The socket that systemd passed: sd_listen_fds(3).  -1 if there is none. */
static int activation_socket(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    int listening = 0, type = 0, fd = -1;
    socklen_t len = sizeof(int);

    if (pid != NULL && fds != NULL && atol(pid) == (long)getpid()
        && atol(fds) >= 1
        && getsockopt(ACTIVATION_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening,
                      &len)
               == 0
        && getsockopt(ACTIVATION_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0
        && listening && type == SOCK_SEQPACKET)
        fd = ACTIVATION_FD;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whether somebody accepts connections on the socket: listener->other. */
static int is_served(struct mesh_context *ctx, struct mesh_listener *listener)
{
    struct sockaddr_un address;
    struct ucred peer = {.pid = 0};
    socklen_t len, size = sizeof(peer);
    int fd = new_socket();
    int served = fd >= 0
                 && mesh_socket_address(ctx, listener->dir_fd, listener->path,
                                        &address, &len)
                 && (connect(fd, (struct sockaddr *)&address, len) == 0
                     || errno == EAGAIN /* its backlog is full */);

    if (served)
        (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    listener->other = peer.pid;
    if (fd >= 0)
        close(fd);
    return served;
}

/* The holder of the lock may be ending just now, or not have bound yet. */
static enum mesh_listen_result take_lock(struct mesh_context *ctx,
                                         struct mesh_listener *listener)
{
    const struct timespec pause = {.tv_nsec = OTHER_PAUSE_NS};
    const int tries = (int)(OTHER_SECONDS * (1000000000L / OTHER_PAUSE_NS));
    int i, locked;

    listener->lock_fd =
        openat(listener->dir_fd, LOCK_NAME,
               O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (listener->lock_fd < 0) {
        mesh_raise(ctx, MESH_R_KEYD_START, "%s beside %s: %s", LOCK_NAME,
                   listener->path, strerror(errno));
        return MESH_LISTEN_FAILED;
    }
    for (i = 0; i < tries; i++) {
        locked = flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0;
        /* systemd listens without the lock */
        if (is_served(ctx, listener))
            return MESH_LISTEN_ANOTHER;
        if (locked)
            return MESH_LISTEN_SERVING;
        nanosleep(&pause, NULL);
    }
    mesh_raise(ctx, MESH_R_KEYD_START,
               "another mesh-keyd holds %s beside %s, but does not serve",
               LOCK_NAME, listener->path);
    return MESH_LISTEN_FAILED;
}

/* Opens folder and socket to the group; search and connect, nothing more. */
static int open_to_group(struct mesh_listener *listener, const char *name,
                         gid_t group)
{
    char folder[64];

    /* O_PATH descriptors cannot be chmod()ed themselves */
    snprintf(folder, sizeof(folder), "/proc/self/fd/%d", listener->dir_fd);
    return fchownat(listener->dir_fd, name, (uid_t)-1, group,
                    AT_SYMLINK_NOFOLLOW)
               == 0
           && fchmodat(listener->dir_fd, name, GROUP_SOCKET, 0) == 0
           && chown(folder, (uid_t)-1, group) == 0
           && chmod(folder, GROUP_FOLDER) == 0;
}

/* Binds beside the socket's name and renames: there is no moment at which a
 * client finds a socket that nobody listens on. */
static int bind_socket(struct mesh_context *ctx, gid_t group,
                       struct mesh_listener *listener)
{
    const char *name = strrchr(listener->path, '/') + 1;
    char *new_path = NULL, *new_name;
    struct sockaddr_un address;
    struct stat st;
    socklen_t len;
    size_t size = strlen(listener->path) + sizeof(NEW_SUFFIX);
    int ok = 0;

    if (fstatat(listener->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0
        && !S_ISSOCK(st.st_mode))
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%s is there and is no socket", listener->path);
    new_path = OPENSSL_malloc(size);
    if (new_path == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    snprintf(new_path, size, "%s" NEW_SUFFIX, listener->path);
    new_name = strrchr(new_path, '/') + 1;
    if (!mesh_socket_address(ctx, listener->dir_fd, new_path, &address, &len))
        goto end;
    (void)unlinkat(listener->dir_fd, new_name, 0);
    listener->fd = new_socket();
    ok = listener->fd >= 0
         && bind(listener->fd, (struct sockaddr *)&address, len) == 0
         && listen(listener->fd, BACKLOG) == 0
         && (group == (gid_t)-1 || open_to_group(listener, new_name, group))
         && fstatat(listener->dir_fd, new_name, &st, AT_SYMLINK_NOFOLLOW) == 0
         && renameat(listener->dir_fd, new_name, listener->dir_fd, name) == 0;
    if (ok) {
        listener->inode = st.st_ino;
    } else {
        mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", listener->path,
                   strerror(errno));
        (void)unlinkat(listener->dir_fd, new_name, 0);
    }
end:
    OPENSSL_free(new_path);
    return ok;
}

/* Where a socket that was passed is, for people. */
static char *name_of(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(address) - 1; /* a NUL at the end */

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0
        || address.sun_path[0] != '/')
        return OPENSSL_strdup("a socket without a path");
    return OPENSSL_strdup(address.sun_path);
}

enum mesh_listen_result mesh_listen(struct mesh_context *ctx, gid_t group,
                                    struct mesh_listener *listener)
{
    enum mesh_listen_result result;

    *listener = (struct mesh_listener){
        .fd = activation_socket(), .dir_fd = -1, .lock_fd = -1};
    if (listener->fd >= 0) {
        listener->path = name_of(listener->fd);
        if (listener->path != NULL)
            return MESH_LISTEN_SERVING;
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        return MESH_LISTEN_FAILED;
    }
    if (!mesh_socket_folder(ctx, 1, &listener->dir_fd, &listener->path))
        return MESH_LISTEN_FAILED;
    result = take_lock(ctx, listener);
    if (result == MESH_LISTEN_SERVING) {
        if (!bind_socket(ctx, group, listener))
            result = MESH_LISTEN_FAILED;
    }
    return result;
}

/* Another socket may have come into the place of ours: systemd's unit. */
static int is_in_place(const struct mesh_listener *listener)
{
    struct stat st;

    return listener->inode != 0
           && fstatat(listener->dir_fd, strrchr(listener->path, '/') + 1, &st,
                      AT_SYMLINK_NOFOLLOW)
                  == 0
           && st.st_ino == listener->inode;
}

void mesh_listen_end(struct mesh_listener *listener)
{
    /* The name goes first: who connects from now on starts another one. */
    if (is_in_place(listener))
        (void)unlinkat(listener->dir_fd, strrchr(listener->path, '/') + 1, 0);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->dir_fd >= 0)
        close(listener->dir_fd);
    if (listener->lock_fd >= 0)
        close(listener->lock_fd);
    OPENSSL_free(listener->path);
    *listener = (struct mesh_listener){.fd = -1, .dir_fd = -1, .lock_fd = -1};
}
