/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What meshctl takes from POSIX.
 */
#include "tools/host.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* What ends a program, and may not end it between two steps of a change. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static sigset_t at_first;

int host_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    sigprocmask(SIG_SETMASK, NULL, &at_first);
    return 1;
}

void host_end(void)
{
    sigprocmask(SIG_SETMASK, &at_first, NULL);
}

/* Those that are ignored need not wait. */
void host_hold_signals(void)
{
    struct sigaction action;
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &action) == 0
            && action.sa_handler != SIG_IGN)
            sigaddset(&held, signals[i]);
    sigprocmask(SIG_BLOCK, &held, NULL);
}

const char *host_waiting_signal(void)
{
    sigset_t waiting;

    sigpending(&waiting);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigismember(&waiting, signals[i]))
            return strsignal(signals[i]);
    return NULL;
}

int host_is_terminal(FILE *file)
{
    return isatty(fileno(file));
}

int host_has_terminal(void)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (terminal >= 0)
        close(terminal);
    return terminal >= 0;
}

void host_interrupt(void)
{
    raise(SIGINT);
}

int host_name(char *name, size_t size)
{
    name[size - 1] = '\0';
    return gethostname(name, size - 1) == 0;
}

FILE *host_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;

    if (fd >= 0 && file == NULL)
        close(fd);
    return file;
}

int host_can_read(const char *path)
{
    return access(path, R_OK) == 0;
}

int host_can_execute(const char *path)
{
    return access(path, X_OK) == 0;
}

void host_no_core(void)
{
    static const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
}

unsigned host_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)now.tv_sec;
}

const char *host_network_text(long error, char text[HOST_TEXT_MAX])
{
    (void)text;
    return strerror((int)error);
}
