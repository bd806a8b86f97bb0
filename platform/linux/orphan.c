/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting a program as nobody's child: two raw clones without an exit signal,
 * so the application has no child to wait for and gets no SIGCHLD, and its
 * atfork handlers do not run.
 */
#include "platform/linux/socket_path.h"
#include "platform/posix/launch.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_LIMIT 65536u

/* Not _exit(): a sanitizer's has locks that a thread held in the parent. */
static _Noreturn void leave(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

static void report_errno(int fd)
{
    char message[1 + sizeof(int)] = {MESH_LAUNCH_ERRNO};

    memcpy(message + 1, &errno, sizeof(int));
    /* nobody is left to tell if this fails */
    if (write(fd, message, sizeof(message)) < 0)
        leave(1);
}

static void close_from(unsigned first)
{
    struct rlimit limit;
    unsigned fd, end = FD_LIMIT;

    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end)
        end = (unsigned)limit.rlim_cur;
    for (fd = first; fd < end; fd++)
        close((int)fd);
}

/* The last process.  Only async-signal-safe calls: the application may have
 * threads that held any lock when it was cloned. */
static _Noreturn void become_program(const struct mesh_launch *launch)
{
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;
    int i, null;

    dup2(launch->ready, MESH_LAUNCH_FD);
    setsid();
    for (i = 1; i < NSIG; i++)
        sigaction(i, &normal, NULL);
    null = open("/dev/null", O_RDWR);
    if (null < 0 || chdir("/") < 0)
        goto fail;
    for (i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(null, i);
    close_from(MESH_LAUNCH_FD + 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(launch->program, launch->argv, launch->envp);
fail:
    report_errno(MESH_LAUNCH_FD);
    leave(1);
}

/* Like fork(), but without a signal at the end and without atfork handlers.
 * All arguments are 0, so their order, which differs, does not matter. */
static pid_t clone_silently(void)
{
    return (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
}

/* Clones twice. */
int mesh_launch_orphan(const struct mesh_launch *launch)
{
    sigset_t all, before;
    pid_t pid;
    int saved;

    /* no handler of the application may run in the clones */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = clone_silently();
    if (pid == 0) {
        pid = clone_silently();
        if (pid == 0)
            become_program(launch);
        if (pid < 0)
            report_errno(launch->ready);
        leave(0);
    }
    saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    if (pid < 0)
        return 0;
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        continue;
    return 1;
}

/* The runtime folder is the one that socket_path() takes: the bus is there. */
int mesh_launch_add_own(struct mesh_launch *launch)
{
    char runtime[MESH_RUNTIME_FOLDER_SIZE];

    return mesh_launch_add(launch, "XDG_RUNTIME_DIR",
                           mesh_runtime_folder(runtime))
           && mesh_launch_add(launch, "DBUS_SESSION_BUS_ADDRESS",
                              mesh_getenv("DBUS_SESSION_BUS_ADDRESS"));
}
