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

static void forget_keys(void *arg)
{
    mesh_log("the Secret Service was locked: keys are forgotten");
    mesh_keys_forget(arg);
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

static int run(struct mesh_context *ctx, struct reporter *reporter,
               int signal_fd)
{
    const struct mesh_options *options = &reporter->options;
    struct mesh_passphrase_store passphrases;
    struct mesh_service service = {.ctx = ctx};
    struct mesh_connections *connections = NULL;
    struct mesh_key_source *secrets = NULL;
    struct mesh_listener listener;
    enum mesh_listen_result listening;
    int ok = 0;

    listening = mesh_listen(ctx, options->group, &listener);
    if (listening != MESH_LISTEN_SERVING) {
        if (listening == MESH_LISTEN_ANOTHER)
            say_ready(reporter);
        return listening == MESH_LISTEN_ANOTHER;
    }
    service.keys = mesh_keys_new(options->key_timeout, options->idle_timeout);
    if (service.keys != NULL) {
        secrets = mesh_secret_service_source_new(ctx, forget_keys, service.keys,
                                                 &passphrases);
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
        say_ready(reporter);
        serve(&service, connections, listener.fd, signal_fd,
              options->idle_timeout);
        ok = 1;
    }
    mesh_listen_end(&listener);
    if (service.keys != NULL)
        mesh_keys_forget(service.keys);
    /* Threads that wait for a prompt still use all this: the end of the
     * process, which is near, takes it away from them. */
    if (connections != NULL && mesh_connections_free(connections, END_MS))
        mesh_keys_free(service.keys);
    else
        _exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
    return ok;
}

int main(int argc, char **argv)
{
    struct reporter reporter = {.options.ready_fd = -1, .to_stderr = 1};
    struct mesh_options *options = &reporter.options;
    struct mesh_context *ctx = NULL;
    const char *failed = NULL;
    int hardened, signal_fd, result = EXIT_FAILURE;
    size_t heap;

    /* In this order: whatever libcrypto allocates must be wiped when freed, and
     * openssl.cnf would load the mesh module into its own key holder. */
    hardened = mesh_harden_allocator()
               && OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)
               && mesh_harden_process(&failed);
    heap = mesh_harden_secure_heap();
    signal_fd = end_signals();
    ctx = mesh_context_new(NULL, report, &reporter);
    if (!hardened || signal_fd < 0 || ctx == NULL) {
        fprintf(stderr, "mesh-keyd: cannot protect its memory (%s)\n",
                failed != NULL ? failed : "start");
        mesh_context_free(ctx);
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
