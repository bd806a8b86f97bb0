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

void mesh_log(const char *fmt, ...)
{
    char line[LINE_MAX_OCTETS];
    size_t start = 0, len;
    struct timespec now;
    struct tm tm;
    va_list args;
    ssize_t ignored;

    if (log_fd >= 0) { /* syslog has its own time */
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        start = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
        start += (size_t)snprintf(line + start, sizeof(line) - start,
                                  ".%03ldZ ", now.tv_nsec / 1000000);
    }
    va_start(args, fmt);
    vsnprintf(line + start, sizeof(line) - start - 1, fmt, args);
    va_end(args);
    len = strlen(line);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    if (log_fd < 0) {
        syslog(LOG_INFO, "%s", line);
        return;
    }
    line[len++] = '\n';
    ignored = write(log_fd, line, len); /* there is nobody to be told */
    (void)ignored;
}
