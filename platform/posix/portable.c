/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What systems that follow POSIX have each its own way.
 */
#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/auxv.h>

int mesh_has_foreign_rights(void)
{
    return getauxval(AT_SECURE) != 0 || getuid() != geteuid()
           || getgid() != getegid();
}

const char *mesh_getenv(const char *name)
{
    return secure_getenv(name);
}
#else
int mesh_has_foreign_rights(void)
{
    return issetugid() != 0 || getuid() != geteuid() || getgid() != getegid();
}

const char *mesh_getenv(const char *name)
{
    return issetugid() != 0 ? NULL : getenv(name);
}
#endif

int mesh_descriptor_above_standard(int fd)
{
    int high, saved;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    saved = errno;
    close(fd);
    errno = saved;
    return high;
}

int mesh_pipe(int fds[2])
{
#ifdef __linux__
    return pipe2(fds, O_CLOEXEC) == 0;
#else
    if (pipe(fds) != 0)
        return 0;
    for (int i = 0; i < 2; i++)
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    return 1;
#endif
}

/*
 * Both are locks of the open file, so threads exclude one another, too.  Where
 * there are such of single octets, two octets of one file are two locks; macOS
 * keeps those to itself and has only flock(), so there are two files.
 */
#ifdef MESH_PLATFORM_MACOS
const char *mesh_lock_file(enum mesh_lock_of lock)
{
    return lock == MESH_LOCK_WRITERS ? ".lock" : ".lock-change";
}

int mesh_lock_take(int fd, enum mesh_lock_of lock)
{
    (void)lock;
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void mesh_lock_release(int fd)
{
    flock(fd, LOCK_UN);
}
#else
const char *mesh_lock_file(enum mesh_lock_of lock)
{
    (void)lock;
    return ".lock";
}

int mesh_lock_take(int fd, enum mesh_lock_of lock)
{
    struct flock range = {.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = (off_t)lock,
                          .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &range) == 0;
}

void mesh_lock_release(int fd)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    fcntl(fd, F_OFD_SETLK, &all);
}
#endif
