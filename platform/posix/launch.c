/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting a program of ours for a module that is a guest: what all systems
 * that follow POSIX do alike.
 */
#include "platform/posix/launch.h"

#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FIXED_PATH "PATH=/usr/local/bin:/usr/bin:/bin"

ssize_t mesh_launch_read(int fd, char *word, size_t size, int seconds,
                         char last)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec now;
    size_t len = 0;
    time_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now.tv_sec + seconds;
    while (len < size && (len == 0 || word[0] != last)) {
        int n;
        ssize_t got;

        clock_gettime(CLOCK_MONOTONIC, &now);
        n = poll(&p, 1, now.tv_sec < end ? (int)(end - now.tv_sec) * 1000 : 0);
        if (n == 0)
            errno = ETIMEDOUT;
        else if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        got = read(fd, word + len, size - len);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

int mesh_launch_check(struct mesh_context *ctx, const char *program,
                      const char *name, const char *setting)
{
    struct stat st;

    if (program[0] != '/')
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s is not started from %s: name it by an "
                          "absolute path",
                          name, program);
    if (stat(program, &st) < 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s cannot be started: %s: %s (install it there or "
                          "set %s)",
                          name, program, strerror(errno), setting);
    if (!S_ISREG(st.st_mode) || access(program, X_OK) < 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s is not started from %s: it is no program "
                          "that this user may run",
                          name, program);
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "%s is not started from %s: others may write "
                          "it (owner %u, mode %04o)",
                          name, program, (unsigned)st.st_uid,
                          (unsigned)st.st_mode & 07777);
    return 1;
}

int mesh_launch_add(struct mesh_launch *launch, const char *name,
                    const char *value)
{
    char *variable;
    size_t size;

    if (value == NULL || launch->variables == MESH_LAUNCH_VARIABLES)
        return 1;
    size = strlen(name) + strlen(value) + 2;
    variable = OPENSSL_malloc(size);
    if (variable == NULL)
        return 0;
    snprintf(variable, size, "%s=%s", name, value);
    launch->envp[launch->variables++] = variable;
    return 1;
}

/* What is set and passed on, more too (NULL-terminated), and a fixed PATH. */
static int make_environment(struct mesh_launch *launch, const char *const *more)
{
    int ok = mesh_launch_add(launch, "HOME", mesh_getenv("HOME"))
             && mesh_launch_add_own(launch);

    for (; ok && *more != NULL; more++)
        ok = mesh_launch_add(launch, *more, mesh_getenv(*more));
    return ok
           && (launch->envp[launch->variables] = OPENSSL_strdup(FIXED_PATH))
                  != NULL;
}

int mesh_launch_start(struct mesh_context *ctx, struct mesh_launch *launch,
                      const char *const *more, int *fd)
{
    int pipe_fds[2] = {-1, -1}, ok;

    *fd = launch->ready = -1;
    if (!make_environment(launch, more)) {
        ok = mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        goto end;
    }
    if (mesh_pipe(pipe_fds)) {
        *fd = mesh_descriptor_above_standard(pipe_fds[0]);
        launch->ready = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, MESH_LAUNCH_FD + 1);
        close(pipe_fds[1]);
    }
    ok = (*fd >= 0 && launch->ready >= 0 && mesh_launch_orphan(launch))
         || mesh_raise(ctx, MESH_R_KEYD_START, "%s cannot be started: %s",
                       launch->program, strerror(errno));
    if (launch->ready >= 0)
        close(launch->ready);
end:
    for (size_t i = 0; launch->envp[i] != NULL; i++)
        OPENSSL_free(launch->envp[i]);
    return ok;
}
