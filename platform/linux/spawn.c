/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting mesh-keyd: two raw clones without an exit signal, so the application
 * has no child to wait for and gets no SIGCHLD, and its atfork handlers do not
 * run.
 */
#include "platform/linux/spawn.h"

#include "platform/layout.h"
#include "platform/linux/message.h"
#include "platform/linux/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_FD      3
#define READY_FD_TEXT "3"
#define READY_SECONDS 10
#define READY_ERRNO   'X' /* from ourselves before exec: an errno follows */
#define FD_LIMIT      65536u
#define FIXED_PATH    "PATH=/usr/local/bin:/usr/bin:/bin"

#define PASSED_COUNT 3 /* variables of ours that mesh-keyd gets */

/* All that the new process needs: it may not allocate any more. */
struct launch {
    const char *program;
    char *argv[8];
    char *envp[PASSED_COUNT + 2];
    int ready; /* above READY_FD */
};

static void report_errno(int fd)
{
    char message[1 + sizeof(int)] = {READY_ERRNO};

    memcpy(message + 1, &errno, sizeof(int));
    /* nobody is left to tell if this fails */
    if (write(fd, message, sizeof(message)) < 0)
        _exit(1);
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
static _Noreturn void become_keyd(const struct launch *launch)
{
    const struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;
    int i, null;

    dup2(launch->ready, READY_FD);
    setsid();
    for (i = 1; i < NSIG; i++)
        sigaction(i, &normal, NULL);
    null = open("/dev/null", O_RDWR);
    if (null < 0 || chdir("/") < 0)
        goto fail;
    for (i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(null, i);
    close_from(READY_FD + 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(launch->program, launch->argv, launch->envp);
fail:
    report_errno(READY_FD);
    _exit(1);
}

/* Like fork(), but without a signal at the end and without atfork handlers.
 * All arguments are 0, so their order, which differs, does not matter. */
static pid_t clone_silently(void)
{
    return (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
}

/* Clones twice; 0 with errno if the first one fails. */
static int launch_orphan(const struct launch *launch)
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
            become_keyd(launch);
        if (pid < 0)
            report_errno(launch->ready);
        _exit(0);
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

/* Reads what comes over the pipe: its end, a full buffer, or word that keyd
 * serves.  -1 with errno on failure, ETIMEDOUT included. */
static ssize_t read_word(int fd, char *word, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec now;
    size_t len = 0;
    time_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now.tv_sec + READY_SECONDS;
    while (len < size && (len == 0 || word[0] != MESH_READY_SERVING)) {
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

static int wait_until_ready(struct mesh_context *ctx, int fd,
                            const char *program)
{
    char word[512];
    ssize_t n = read_word(fd, word, sizeof(word) - 1);
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
    if (word[0] != READY_ERRNO || n != 1 + sizeof(error))
        return mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", program, word + 1);
    memcpy(&error, word + 1, sizeof(error));
    return mesh_raise(ctx, MESH_R_KEYD_START, "%s cannot be started: %s",
                      program, strerror(error));
}

static int check_program(struct mesh_context *ctx, const char *program)
{
    struct stat st;

    if (program[0] != '/')
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not started from %s: name it by an "
                          "absolute path",
                          program);
    if (stat(program, &st) < 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not running and cannot be started: "
                          "%s: %s (install it there or set keyd-path)",
                          program, strerror(errno));
    if (!S_ISREG(st.st_mode) || access(program, X_OK) < 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not started from %s: it is no program "
                          "that this user may run",
                          program);
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not started from %s: others may write "
                          "it (owner %u, mode %04o)",
                          program, (unsigned)st.st_uid,
                          (unsigned)st.st_mode & 07777);
    return 1;
}

/* "NAME=value" of each variable that is set and passed on, and a fixed PATH.
 * The runtime folder is the one that socket_path() takes: the bus is there. */
static int make_environment(struct launch *launch)
{
    char runtime[MESH_RUNTIME_FOLDER_SIZE];
    const char *const passed[PASSED_COUNT][2] = {
        {"HOME", secure_getenv("HOME")},
        {"XDG_RUNTIME_DIR", mesh_runtime_folder(runtime)},
        {"DBUS_SESSION_BUS_ADDRESS",
         secure_getenv("DBUS_SESSION_BUS_ADDRESS")}};
    size_t i, n = 0;

    for (i = 0; i < PASSED_COUNT; i++) {
        const char *name = passed[i][0], *value = passed[i][1];
        size_t size;

        if (value == NULL)
            continue;
        size = strlen(name) + strlen(value) + 2;
        launch->envp[n] = OPENSSL_malloc(size);
        if (launch->envp[n] == NULL)
            return 0;
        snprintf(launch->envp[n++], size, "%s=%s", name, value);
    }
    launch->envp[n] = OPENSSL_strdup(FIXED_PATH);
    return launch->envp[n] != NULL;
}

int mesh_keyd_spawn(struct mesh_context *ctx)
{
    const char *program =
        ctx->config.keyd_path != NULL ? ctx->config.keyd_path : MESH_KEYD_PATH;
    struct launch launch = {.program = program, .ready = -1};
    char *socket_path = NULL, *home = NULL;
    int dir_fd = -1, pipe_fds[2] = {-1, -1}, ok = 0;
    size_t i;

    /* an environment that another user made may not start programs */
    if (getauxval(AT_SECURE) != 0 || getuid() != geteuid()
        || getgid() != getegid())
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not running, and a program with "
                          "another user's rights does not start it");
    if (!check_program(ctx, program)
        || !mesh_socket_folder(ctx, 0, &dir_fd, &socket_path))
        goto end;
    home = mesh_layout_home(ctx);
    if (home == NULL)
        goto end;
    if (!make_environment(&launch)) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        goto end;
    }
    if (pipe2(pipe_fds, O_CLOEXEC) == 0) {
        pipe_fds[0] = mesh_descriptor_above_standard(pipe_fds[0]);
        launch.ready = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, READY_FD + 1);
        close(pipe_fds[1]);
    }
    memcpy(launch.argv,
           (char *[]){(char *)program, "--socket", socket_path, "--home", home,
                      "--ready-fd", READY_FD_TEXT, NULL},
           sizeof(launch.argv));
    if (pipe_fds[0] < 0 || launch.ready < 0 || !launch_orphan(&launch)) {
        mesh_raise(ctx, MESH_R_KEYD_START, "%s cannot be started: %s", program,
                   strerror(errno));
        goto end;
    }
    close(launch.ready);
    launch.ready = -1;
    ok = wait_until_ready(ctx, pipe_fds[0], program);
    if (ok)
        mesh_trace(ctx, "started %s for %s", program, socket_path);
end:
    if (dir_fd >= 0)
        close(dir_fd);
    if (pipe_fds[0] >= 0)
        close(pipe_fds[0]);
    if (launch.ready >= 0)
        close(launch.ready);
    for (i = 0; launch.envp[i] != NULL; i++)
        OPENSSL_free(launch.envp[i]);
    OPENSSL_free(home);
    OPENSSL_free(socket_path);
    return ok;
}
