/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The operating system's part of the context.
 */
#include "platform/system.h"
#include "platform/posix/portable.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

int mesh_system_environment(const char *name, char **value)
{
    const char *text = mesh_getenv(name);

    *value = NULL;
    return text == NULL || *text == '\0'
           || (*value = OPENSSL_strdup(text)) != NULL;
}

long mesh_system_process(void)
{
    return (long)getpid();
}

void mesh_system_now(struct tm *now, unsigned *milliseconds)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    gmtime_r(&time.tv_sec, now);
    *milliseconds = (unsigned)(time.tv_nsec / 1000000);
}

int mesh_system_is_absolute(const char *path)
{
    return path[0] == '/';
}

int mesh_system_is_home(const char *value)
{
    return mesh_system_is_absolute(value);
}

void mesh_system_append(const char *path, const char *text, size_t len)
{
    int fd = open(path,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
                      | O_NONBLOCK | O_NOCTTY,
                  0600);

    if (fd >= 0) {
        ssize_t ignored = write(fd, text, len);

        (void)ignored;
        close(fd);
    }
}
