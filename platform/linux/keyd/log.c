/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The log, to a file, stderr or syslog.
 */
#include "platform/linux/keyd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024
#define TIME_SIZE       32

/* One log for the process; set before the first thread starts. */
static int log_fd = -1;

int mesh_log_open(struct mesh_context *ctx, const char *path, int to_stderr)
{
    if (path != NULL) {
        log_fd = open(path,
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
                          | O_NOCTTY,
                      0600);
        if (log_fd < 0)
            return mesh_raise(ctx, MESH_R_FILE_IO, "log %s: %s", path,
                              strerror(errno));
    } else if (to_stderr) {
        log_fd = STDERR_FILENO;
    } else {
        openlog("mesh-keyd", LOG_PID, LOG_DAEMON);
    }
    return 1;
}

void mesh_log_close(void)
{
    if (log_fd > STDERR_FILENO)
        close(log_fd);
    log_fd = -1;
}

/* The time at the start of a line; the second's text is made once a second,
 * for libc takes a lock for it. */
static size_t write_time(char line[TIME_SIZE])
{
    static _Thread_local time_t second;
    static _Thread_local char text[TIME_SIZE];
    struct timespec now;
    struct tm tm;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second || text[0] == '\0') {
        gmtime_r(&now.tv_sec, &tm);
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z ", &tm);
        second = now.tv_sec;
    }
    len = strlen(text);
    memcpy(line, text, len);
    line[len - 3] = (char)('0' + now.tv_nsec / 1000000 % 10);
    line[len - 4] = (char)('0' + now.tv_nsec / 10000000 % 10);
    line[len - 5] = (char)('0' + now.tv_nsec / 100000000);
    return len;
}

void mesh_log_parts(const char *const parts[])
{
    char line[LINE_MAX_OCTETS];
    size_t start = log_fd >= 0 ? write_time(line) : 0; /* syslog has its own */
    size_t len = start;
    ssize_t ignored;

    for (; *parts != NULL; parts++)
        for (const char *c = *parts; *c != '\0' && len < sizeof(line) - 1; c++)
            line[len++] = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    if (log_fd < 0) {
        syslog(LOG_INFO, "%.*s", (int)len, line);
        return;
    }
    line[len++] = '\n';
    ignored = write(log_fd, line, len); /* there is nobody to be told */
    (void)ignored;
}

void mesh_log(const char *fmt, ...)
{
    char text[LINE_MAX_OCTETS];
    const char *const parts[] = {text, NULL};
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    mesh_log_parts(parts);
}
