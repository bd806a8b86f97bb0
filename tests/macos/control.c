/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What tests ask of the double: failures, counts, the report.
 */
#include "internal.h"

#include <Security/SecBase.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct failure {
    char function[48];
    OSStatus status;
    unsigned nth; /* 0: each call */
    unsigned calls;
};
#define FAILURES_MAX 16

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct failure failures[FAILURES_MAX];
static size_t failures_count;
static bool ready;
static pid_t first_user;
static atomic_uint private_attempts;
static OSSL_LIB_CTX *library;
static char program[PATH_MAX];

void double_die(const char *what, const char *why)
{
    fprintf(stderr, "macos double: %s: %s\n", what, why);
    abort();
}

void double_report(const char *what, const char *detail)
{
    const char *path = getenv("MACOS_DOUBLE_REPORT");
    char line[256];
    int length, file;

    if (path == NULL)
        return;
    length = snprintf(line, sizeof(line), "%s %s\n", what, detail);
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* One write: lines of several processes do not mix. */
    if (file < 0 || length >= (int)sizeof(line)
        || write(file, line, (size_t)length) != length)
        double_die(path, "cannot be written to");
    close(file);
}

static void add_failure(const char *function, OSStatus status, unsigned nth)
{
    struct failure *failure = &failures[failures_count];

    if (failures_count == FAILURES_MAX
        || strlen(function) >= sizeof(failure->function))
        double_die("failures", "too many, or too long a name");
    memset(failure, 0, sizeof(*failure));
    strcpy(failure->function, function);
    failure->status = status;
    failure->nth = nth;
    failures_count++;
}

/* NAME=STATUS or NAME@N=STATUS */
static void read_failure(char *text)
{
    char *status = strchr(text, '=');
    char *nth = strchr(text, '@');

    if (status == NULL)
        double_die("MACOS_DOUBLE_FAIL", text);
    *status++ = 0;
    if (nth != NULL)
        *nth++ = 0;
    add_failure(text, (OSStatus)strtoll(status, NULL, 0),
                nth == NULL ? 0 : (unsigned)strtoul(nth, NULL, 10));
}

static void read_environment(void)
{
    const char *fail = getenv("MACOS_DOUBLE_FAIL");
    const char *name = getenv("MACOS_DOUBLE_PROGRAM");
    char copy[1024], *next = copy, *one;
    ssize_t length;

    if (fail != NULL) {
        if (strlen(fail) >= sizeof(copy))
            double_die("MACOS_DOUBLE_FAIL", "is too long");
        strcpy(copy, fail);
        while ((one = strsep(&next, ",")) != NULL)
            read_failure(one);
    }
    if (name != NULL) {
        snprintf(program, sizeof(program), "%s", name);
        return;
    }
    length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[length < 0 ? 0 : length] = 0;
}

/* While OpenSSL can still do it.  In a secure heap a sanitizer looks for no
 * pointers: what the context keeps there would seem lost.  Whoever has a key
 * until OpenSSL's own end needs the context, and it stays. */
static void before_openssl_ends(void)
{
    if (getpid() != first_user || double_living(OBJECT_KEY) != 0)
        return;
    pthread_mutex_lock(&mutex);
    OPENSSL_thread_stop_ex(library);
    OSSL_LIB_CTX_free(library);
    library = NULL;
    pthread_mutex_unlock(&mutex);
}

static void open_library(void)
{
    library = OSSL_LIB_CTX_new();
    if (library == NULL || atexit(before_openssl_ends) != 0)
        double_die("OpenSSL", "no library context");
}

/* With the mutex. */
static void get_ready(void)
{
    if (library == NULL)
        open_library();
    if (ready)
        return;
    ready = true;
    first_user = getpid();
    read_environment();
}

/* Counts from the first object on, not from the first call of Security. */
__attribute__((constructor)) static void read_allocation(void)
{
    const char *n = getenv("MACOS_DOUBLE_FAIL_ALLOC");

    macos_double_fail_allocation(n == NULL ? 0 : strtol(n, NULL, 10));
}

__attribute__((destructor)) static void at_end(void)
{
    const char *leaks = getenv("MACOS_DOUBLE_LEAKS");
    char text[32 * OBJECT_TYPES];
    size_t length = 0;

    /* A child that forked without exec owns neither objects nor keychain. */
    if (!ready || getpid() != first_user)
        return;
    keychain_destroy_own();
    for (int type = OBJECT_ANY; type < OBJECT_TYPES; type++)
        if (double_living(type) != 0 && type != OBJECT_ANY)
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "%ld %s ", double_living(type),
                                       double_type_name(type));
    if (length == 0)
        return;
    double_report("leaked", text);
    if (leaks != NULL && strcmp(leaks, "abort") == 0)
        double_die("leaked", text);
}

void double_refuse_child(const char *function)
{
    if (first_user != 0 && first_user != getpid())
        double_die(function, "in a child that forked without exec");
}

static OSStatus planned_failure(const char *function)
{
    for (size_t i = 0; i < failures_count; i++) {
        struct failure *failure = &failures[i];

        if (strcmp(failure->function, function) != 0)
            continue;
        failure->calls++;
        if (failure->nth == 0 || failure->nth == failure->calls)
            return failure->status;
    }
    return errSecSuccess;
}

OSStatus double_enter(const char *function)
{
    OSStatus status;

    double_refuse_child(function);
    pthread_mutex_lock(&mutex);
    get_ready();
    status = planned_failure(function);
    pthread_mutex_unlock(&mutex);
    double_report("call", function);
    return status;
}

OSSL_LIB_CTX *double_library(void)
{
    return library;
}

const char *double_program(void)
{
    return program;
}

void double_set_error(CFErrorRef *error, OSStatus status)
{
    if (error != NULL)
        *error = CFErrorCreate(NULL, kCFErrorDomainOSStatus, status, NULL);
}

void double_count_private_attempt(const char *function)
{
    private_attempts++;
    double_report("private bytes", function);
}

unsigned macos_double_private_attempts(void)
{
    return private_attempts;
}

void macos_double_fail(const char *function, OSStatus status, unsigned n)
{
    pthread_mutex_lock(&mutex);
    get_ready();
    add_failure(function, status, n);
    pthread_mutex_unlock(&mutex);
}

void macos_double_program(const char *path)
{
    pthread_mutex_lock(&mutex);
    get_ready();
    snprintf(program, sizeof(program), "%s", path);
    pthread_mutex_unlock(&mutex);
}

void macos_double_reset(void)
{
    pthread_mutex_lock(&mutex);
    ready = false;
    failures_count = 0;
    private_attempts = 0;
    double_forget_allocations();
    read_allocation();
    get_ready();
    double_keychain_reset();
    pthread_mutex_unlock(&mutex);
}
