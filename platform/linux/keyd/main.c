/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-keyd: holds the private keys of one user and uses them for others.
 *
 * It never detaches itself: who starts it (the provider's module, systemd, a
 * shell with --foreground) decides what it is attached to.
 */
#include "platform/linux/keyd/connection.h"
#include "platform/linux/keyd/harden.h"
#include "platform/linux/keyd/key_file.h"
#include "platform/linux/keyd/listen.h"
#include "platform/linux/keyd/log.h"
#include "platform/linux/keyd/options.h"
#include "platform/linux/keyd/secret_service.h"
#include "platform/linux/spawn.h"
#include "platform/key_files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_MS        5000
#define END_MS          2000
#define EXIT_USAGE      2
#define ACCEPT_PAUSE_MS 100

/* Errors of the program itself; those of requests go into their answers. */
struct reporter {
    struct mesh_options options; /* whose ready_fd is told, too */
    int to_stderr;
};

static void report(struct mesh_context *ctx, enum mesh_reason reason,
                   const char *file, int line, const char *func,
                   const char *text)
{
    const struct reporter *reporter = ctx->raise_arg;
    char message[512];

    (void)file;
    (void)line;
    (void)func;
    snprintf(message, sizeof(message), "%s: %s", mesh_reason_text(reason),
             text);
    if (reporter->to_stderr)
        fprintf(stderr, "mesh-keyd: %s\n", message);
    else
        mesh_log("%s", message);
    if (reporter->options.ready_fd >= 0)
        dprintf(reporter->options.ready_fd, "%c%s", MESH_READY_FAILED, message);
}

static void say_ready(struct reporter *reporter)
{
    const char word = MESH_READY_SERVING;
    ssize_t ignored;

    if (reporter->options.ready_fd < 0)
        return;
    ignored = write(reporter->options.ready_fd, &word, 1); /* it may be gone */
    (void)ignored;
    close(reporter->options.ready_fd);
    reporter->options.ready_fd = -1;
}

/* Blocks the signals that end us, for this and all later threads, so that they
 * are read where nothing else is being done. */
static int end_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void accept_all(struct mesh_connections *connections, int listen_fd)
{
    int fd;

    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        mesh_connection_start(connections, fd);
    if (errno == EMFILE || errno == ENFILE) /* else poll() would spin */
        (void)poll(NULL, 0, ACCEPT_PAUSE_MS);
}

/* Serves until told to end, or idle for long enough. */
static void serve(struct mesh_service *service,
                  struct mesh_connections *connections, int listen_fd,
                  int signal_fd, unsigned idle_timeout)
{
    struct pollfd fds[] = {{.fd = listen_fd, .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};
    time_t idle;
    unsigned wait;

    for (;;) {
        wait = mesh_keys_expire(service->keys);
        idle = mesh_connections_idle(connections);
        if (idle >= (time_t)idle_timeout) {
            mesh_log("unused for %u seconds: ends", idle_timeout);
            return;
        }
        if (wait > idle_timeout - (unsigned)idle)
            wait = idle_timeout - (unsigned)idle;
        (void)poll(fds, 2, (int)wait * 1000);
        if ((fds[1].revents & POLLIN) != 0) {
            mesh_log("told to end");
            return;
        }
        if ((fds[0].revents & POLLIN) != 0)
            accept_all(connections, listen_fd);
    }
}

/* What happens on its own, for the thread of the Secret Service. */
struct watch {
    struct mesh_context *ctx;
    struct mesh_keys *keys;
    int on_demand; /* started by the module, which can do so again */
};

/* Whether any are registered; also if that cannot be told. */
static int uses_key_files(const struct mesh_context *ctx)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_layout *layout;
    int some;

    if (!mesh_layout_open(&quiet, &layout))
        return 1;
    some = mesh_key_file_entry(layout, 0) != NULL;
    mesh_layout_free(layout);
    return some;
}

static void on_event(void *arg, enum mesh_source_event event)
{
    const struct watch *watch = arg;

    if (event == MESH_SOURCE_LOCKED) {
        mesh_log("the Secret Service was locked: keys are forgotten");
        mesh_keys_forget(watch->keys);
    } else if (watch->on_demand && !uses_key_files(watch->ctx)) {
        mesh_log("there is no session bus: ends, for one that has another");
        kill(getpid(), SIGTERM);
    }
}

/* Nothing that was inherited is kept but what is ours. */
static void leave_surroundings(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
    if (chdir("/") < 0)
        mesh_log("chdir: %s", strerror(errno));
}

/* Returns only if it does not serve: whether another one does. */
static int run(struct mesh_context *ctx, struct reporter *reporter,
               int signal_fd)
{
    const struct mesh_options *options = &reporter->options;
    struct mesh_passphrase_store passphrases;
    struct mesh_service service = {.ctx = ctx};
    struct mesh_connections *connections = NULL;
    struct mesh_key_source *secrets = NULL;
    struct mesh_listener listener;
    struct watch watch = {.ctx = ctx};
    int ok = 0;

    switch (mesh_listen(ctx, options->group, &listener)) {
    case MESH_LISTEN_SERVING:
        break;
    case MESH_LISTEN_ANOTHER:
        ok = options->ready_fd >= 0;
        if (ok) /* whoever waits has what was wanted */
            say_ready(reporter);
        else
            mesh_raise(ctx, MESH_R_KEYD_START, "process %d serves %s already",
                       (int)listener.other, listener.path);
        /* fall through */
    case MESH_LISTEN_FAILED:
        mesh_listen_end(&listener);
        return ok;
    }
    watch.on_demand =
        listener.inode != 0 && options->ready_fd >= 0 && !options->foreground;
    service.keys = watch.keys =
        mesh_keys_new(options->key_timeout, options->idle_timeout);
    if (service.keys != NULL) {
        secrets =
            mesh_secret_service_source_new(ctx, on_event, &watch, &passphrases);
        service.key_files = mesh_key_file_source_new(&passphrases);
        connections = mesh_connections_new(&service, options->max_connections,
                                           options->group, HELLO_MS);
    }
    if (secrets == NULL || service.key_files == NULL || connections == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    } else {
        /* files first: they need nobody to be asked */
        mesh_keys_add_source(service.keys, service.key_files);
        mesh_keys_add_source(service.keys, secrets);
        if (!options->foreground)
            leave_surroundings();
        reporter->to_stderr = 0;
        mesh_log("mesh-keyd %s serves on %s", MESH_VERSION, listener.path);
        if (options->group != (gid_t)-1 && listener.inode == 0)
            mesh_log("group: SocketGroup= and SocketMode= of systemd's socket "
                     "decide who can connect");
        say_ready(reporter);
        serve(&service, connections, listener.fd, signal_fd,
              options->idle_timeout);
        ok = 1;
    }
    mesh_listen_end(&listener);
    if (service.keys != NULL)
        mesh_keys_forget(service.keys);
    if (connections != NULL)
        (void)mesh_connections_free(connections, END_MS);
    /* The thread of the Secret Service, and others that wait for its prompts,
     * still use all this: nothing is freed, no exit function is run. */
    _exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct reporter reporter = {.options.ready_fd = -1, .to_stderr = 1};
    struct mesh_options *options = &reporter.options;
    struct mesh_context *ctx = NULL;
    const char *failed = "the allocator";
    int hardened, signal_fd = -1, result = EXIT_FAILURE;
    size_t heap;

    /* In this order: whatever libcrypto allocates must be wiped when freed, and
     * openssl.cnf would load the mesh module into its own key holder. */
    hardened = mesh_harden_allocator()
               && OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)
               && mesh_harden_process(&failed);
    if (!hardened) {
        fprintf(stderr, "mesh-keyd: cannot protect its memory (%s)\n", failed);
        return EXIT_FAILURE;
    }
    heap = mesh_harden_secure_heap();
    signal_fd = end_signals();
    if (signal_fd < 0) {
        fprintf(stderr, "mesh-keyd: signals: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    ctx = mesh_context_new(NULL, report, &reporter);
    if (ctx == NULL) {
        fputs("mesh-keyd: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    switch (mesh_options_read(ctx, argc, argv, options)) {
    case MESH_OPTIONS_DONE:
        result = EXIT_SUCCESS;
        break;
    case MESH_OPTIONS_BAD:
        result = EXIT_USAGE;
        break;
    case MESH_OPTIONS_RUN:
        if (options->ready_fd >= 0)
            (void)fcntl(options->ready_fd, F_SETFD, FD_CLOEXEC);
        if (!mesh_log_open(ctx, options->log, options->foreground))
            break;
        if (heap == 0)
            mesh_log("no locked memory for keys: raise the limit (ulimit -l)");
        if (run(ctx, &reporter, signal_fd))
            result = EXIT_SUCCESS;
        mesh_log_close();
        break;
    }
    mesh_options_clear(options);
    mesh_context_free(ctx);
    return result;
}
