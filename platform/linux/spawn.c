/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting mesh-keyd, or meshctl: two raw clones without an exit signal, so the
 * application has no child to wait for and gets no SIGCHLD, and its atfork
 * handlers do not run.
 */
#include "platform/linux/spawn.h"

#include "platform/layout.h"
#include "platform/linux/message.h"
#include "platform/linux/socket_path.h"
#include "platform/refresh.h"

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

#define PASSED_MAX 16 /* variables that the new process gets */

/* All that the new process needs: it may not allocate any more. */
struct launch {
    const char *program;
    char *argv[8];
    char *envp[PASSED_MAX + 2];
    int ready; /* above READY_FD */
};

/* Not _exit(): a sanitizer's has locks that a thread held in the parent. */
static _Noreturn void leave(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

static void report_errno(int fd)
{
    char message[1 + sizeof(int)] = {READY_ERRNO};

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
static _Noreturn void become_program(const struct launch *launch)
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
    leave(1);
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

/* Reads what comes over the pipe: its end, a full buffer, or word that keyd
 * serves.  -1 with errno on failure, ETIMEDOUT included. */
static ssize_t read_word(int fd, char *word, size_t size, int seconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec now;
    size_t len = 0;
    time_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now.tv_sec + seconds;
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
    ssize_t n = read_word(fd, word, sizeof(word) - 1, READY_SECONDS);
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

/* name is what program should be, setting where its path is set. */
static int check_program(struct mesh_context *ctx, const char *program,
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

/* Adds "NAME=value" at envp[*n], if there is a value. */
static int add_variable(struct launch *launch, size_t *n, const char *name,
                        const char *value)
{
    size_t size;

    if (value == NULL || *n == PASSED_MAX)
        return 1;
    size = strlen(name) + strlen(value) + 2;
    launch->envp[*n] = OPENSSL_malloc(size);
    if (launch->envp[*n] == NULL)
        return 0;
    snprintf(launch->envp[(*n)++], size, "%s=%s", name, value);
    return 1;
}

/* What is set and passed on, more too (NULL-terminated), and a fixed PATH. The
 * runtime folder is the one that socket_path() takes: the bus is there. */
static int make_environment(struct launch *launch, const char *const *more)
{
    char runtime[MESH_RUNTIME_FOLDER_SIZE];
    size_t n = 0;
    int ok;

    ok = add_variable(launch, &n, "HOME", secure_getenv("HOME"))
         && add_variable(launch, &n, "XDG_RUNTIME_DIR",
                         mesh_runtime_folder(runtime))
         && add_variable(launch, &n, "DBUS_SESSION_BUS_ADDRESS",
                         secure_getenv("DBUS_SESSION_BUS_ADDRESS"));
    for (; ok && *more != NULL; more++)
        ok = add_variable(launch, &n, *more, secure_getenv(*more));
    return ok && (launch->envp[n] = OPENSSL_strdup(FIXED_PATH)) != NULL;
}

/* An environment that another user made may not start programs. */
static int has_foreign_rights(void)
{
    return getauxval(AT_SECURE) != 0 || getuid() != geteuid()
           || getgid() != getegid();
}

/* Starts it; *fd is where its words come from, the caller's. */
static int start(struct mesh_context *ctx, struct launch *launch,
                 const char *const *more, int *fd)
{
    int pipe_fds[2] = {-1, -1}, ok;

    *fd = launch->ready = -1;
    if (!make_environment(launch, more)) {
        ok = mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        goto end;
    }
    if (pipe2(pipe_fds, O_CLOEXEC) == 0) {
        *fd = mesh_descriptor_above_standard(pipe_fds[0]);
        launch->ready = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, READY_FD + 1);
        close(pipe_fds[1]);
    }
    ok = (*fd >= 0 && launch->ready >= 0 && launch_orphan(launch))
         || mesh_raise(ctx, MESH_R_KEYD_START, "%s cannot be started: %s",
                       launch->program, strerror(errno));
    if (launch->ready >= 0)
        close(launch->ready);
end:
    for (size_t i = 0; launch->envp[i] != NULL; i++)
        OPENSSL_free(launch->envp[i]);
    return ok;
}

int mesh_keyd_spawn(struct mesh_context *ctx)
{
    static const char *const more[] = {NULL};
    const char *program =
        ctx->config.keyd_path != NULL ? ctx->config.keyd_path : MESH_KEYD_PATH;
    struct launch launch = {.program = program};
    char *socket_path = NULL, *home = NULL;
    int dir_fd = -1, fd = -1, ok;

    if (has_foreign_rights())
        return mesh_raise(ctx, MESH_R_KEYD_START,
                          "mesh-keyd is not running, and a program with "
                          "another user's rights does not start it");
    ok = check_program(ctx, program, "mesh-keyd", "keyd-path")
         && mesh_socket_folder(ctx, 0, &dir_fd, &socket_path)
         && (home = mesh_layout_home(ctx)) != NULL;
    if (ok) {
        memcpy(launch.argv,
               (char *[]){(char *)program, "--socket", socket_path, "--home",
                          home, "--ready-fd", READY_FD_TEXT, NULL},
               sizeof(launch.argv));
        ok = start(ctx, &launch, more, &fd)
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

/* Waits for its end, which closes the pipe. */
static void wait_for_end(struct mesh_context *ctx, int fd, const char *program)
{
    char word[1 + sizeof(int)];
    ssize_t n = read_word(fd, word, sizeof(word), MESH_REFRESH_SECONDS);
    int error = errno;

    if (n == (ssize_t)sizeof(word))
        memcpy(&error, word + 1, sizeof(error));
    if (n != 0)
        mesh_trace(ctx, "%s: %s", program, strerror(error));
}

int mesh_refresh_check(struct mesh_context *ctx, char **program)
{
    *program = OPENSSL_strdup(ctx->config.meshctl_path != NULL
                                  ? ctx->config.meshctl_path
                                  : MESH_MESHCTL_PATH);
    return *program != NULL
               ? check_program(ctx, *program, "meshctl", "meshctl-path")
               : mesh_raise(ctx, MESH_R_MEMORY, "meshctl-path");
}

int mesh_refresh_missing(struct mesh_context *ctx, const char *udf)
{
    static const char *const more[] = {
        "http_proxy",     "https_proxy", "HTTPS_PROXY", "all_proxy",
        "ALL_PROXY",      "no_proxy",    "NO_PROXY",    "SSL_CERT_FILE",
        "CURL_CA_BUNDLE", NULL};
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct launch launch = {0};
    char *program = NULL, *home = NULL;
    int fd = -1, ok;

    if (ctx->config.refresh != MESH_REFRESH_ON_MISSING || has_foreign_rights()
        || !mesh_refresh_is_first(udf))
        return 0;
    ok = mesh_refresh_check(&quiet, &program)
         && (home = mesh_layout_home(&quiet)) != NULL;
    if (ok) {
        launch.program = program;
        memcpy(launch.argv,
               (char *[]){program, "--home", home, "refresh", "--timeout",
                          MESH_REFRESH_TIMEOUT, (char *)udf, NULL},
               sizeof(launch.argv));
        mesh_trace(ctx, "%s refresh %s", program, udf);
        ok = start(&quiet, &launch, more, &fd);
    }
    if (ok)
        wait_for_end(ctx, fd, program);
    if (fd >= 0)
        close(fd);
    OPENSSL_free(home);
    OPENSSL_free(program);
    return ok;
}
