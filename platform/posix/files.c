/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files of the layout: who may write them, reading, replacing, the lock.
 */
#include "platform/layout_tree.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_SECONDS     5
#define LOCK_INTERVAL_NS 20000000 /* 20 ms */

#ifdef O_PATH /* a folder need not be readable, only searchable */
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

static int raise_io(struct mesh_context *ctx, const char *path,
                    const char *what)
{
    return mesh_raise(ctx, MESH_R_FILE_IO, "%s: cannot %s: %s", path, what,
                      strerror(errno));
}

/* As ssh does with its files: root or the user owns it, nobody else writes it.
 * A sticky folder (/tmp) is no exception: there anybody can put a file that is
 * not there yet, or a hard link to one of ours. */
static int check_safe(struct mesh_context *ctx, int fd, const char *path,
                      struct stat *st)
{
    if (fstat(fd, st) != 0)
        return raise_io(ctx, path, "look at it");
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%s (mode %04o) belongs to user %lu, neither to user "
                          "%lu nor to root: chown it",
                          path, (unsigned)st->st_mode & 07777,
                          (unsigned long)st->st_uid, (unsigned long)geteuid());
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%s has mode %04o, others may write it: chmod go-w "
                          "%s",
                          path, (unsigned)st->st_mode & 07777, path);
    return 1;
}

/* Opens the folder that holds path, a safe one; *name is the last component.
 * -1 with the error raised. */
static int open_folder(struct mesh_context *ctx, const char *path, int flags,
                       const char **name)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    struct stat st;
    int fd = -1;

    *name = slash != NULL ? slash + 1 : path;
    if (slash == NULL)
        folder = mesh_path(ctx, ".");
    else
        folder =
            mesh_path(ctx, "%.*s", (int)(slash - path + (slash == path)), path);
    if (folder == NULL)
        return -1;
    fd = open(folder, flags);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        mesh_raise(ctx, MESH_R_FILE_MISSING, "%s: no folder %s", path, folder);
    else if (fd < 0)
        raise_io(ctx, folder, "open the folder");
    else if (!check_safe(ctx, fd, folder, &st)) {
        close(fd);
        fd = -1;
    }
    OPENSSL_free(folder);
    return fd;
}

/* Reads at most size octets; how many, or -1. */
static ssize_t read_all(int fd, unsigned char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int write_all(int fd, const unsigned char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return 0;
        data += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Opens the file, a regular one that nobody else may write.  -1 with the error
 * raised. */
static int open_file(struct mesh_context *ctx, const char *path, int flags,
                     struct stat *st)
{
    const char *name;
    int folder = open_folder(ctx, path, FOLDER_FLAGS, &name), fd;

    if (folder < 0)
        return -1;
    /* O_NONBLOCK: a FIFO must not stop us. */
    fd = openat(folder, name,
                flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 && errno == ELOOP)
        mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                   "%s is a symbolic link, which is not followed: put the file "
                   "itself there",
                   path);
    else if (fd < 0 && errno == ENOENT)
        mesh_raise(ctx, MESH_R_FILE_MISSING, "%s: no such file", path);
    else if (fd < 0)
        raise_io(ctx, path, "open it");
    close(folder);
    if (fd < 0)
        return -1;
    if (check_safe(ctx, fd, path, st)) {
        if (S_ISREG(st->st_mode))
            return fd;
        mesh_raise(ctx, MESH_R_UNSAFE_FILE, "%s is %s, not a regular file",
                   path,
                   S_ISDIR(st->st_mode) ? "a folder" : "a device or pipe");
    }
    close(fd);
    return -1;
}

/* Reads size octets, or what there is of them. */
static int read_from(struct mesh_context *ctx, int fd, const char *path,
                     size_t size, unsigned char **data, size_t *len)
{
    unsigned char *buffer = OPENSSL_malloc(size + 1);
    ssize_t got;

    if (buffer == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
    if ((got = read_all(fd, buffer, size)) < 0) {
        raise_io(ctx, path, "read it");
        OPENSSL_clear_free(buffer, size + 1); /* it may be a private key */
        return 0;
    }
    buffer[got] = '\0';
    *len = (size_t)got;
    *data = buffer;
    return 1;
}

int mesh_layout_read_file(struct mesh_context *ctx, const char *path,
                          size_t max, unsigned char **data, size_t *len)
{
    struct stat st;
    int fd = open_file(ctx, path, O_RDONLY, &st), ok = 0;

    *data = NULL;
    *len = 0;
    if (fd < 0)
        return 0;
    if ((uintmax_t)st.st_size > max)
        mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                   "%s has %lld octets, at most %zu are read", path,
                   (long long)st.st_size, max);
    else
        ok = read_from(ctx, fd, path, (size_t)st.st_size, data, len);
    close(fd);
    return ok;
}

int mesh_layout_read_part(struct mesh_context *ctx, const char *path,
                          uint64_t offset, size_t max, unsigned char **data,
                          size_t *len, uint64_t *size)
{
    struct stat st;
    int fd = open_file(ctx, path, O_RDONLY, &st), ok = 0;

    *data = NULL;
    *len = 0;
    if (fd < 0)
        return 0;
    *size = (uint64_t)st.st_size;
    if (offset > *size)
        offset = *size;
    if (*size - offset < max)
        max = (size_t)(*size - offset);
    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        raise_io(ctx, path, "read it");
    else
        ok = read_from(ctx, fd, path, max, data, len);
    close(fd);
    return ok;
}

int mesh_layout_are_apart(struct mesh_context *ctx, const char *first,
                          const char *second)
{
    struct stat one, other;
    long seconds, nanoseconds;

    (void)ctx;
    if (stat(first, &one) != 0)
        return 0;
    if (stat(second, &other) != 0)
        return 1;
    seconds = (long)(other.MESH_MTIM.tv_sec - one.MESH_MTIM.tv_sec);
    nanoseconds = other.MESH_MTIM.tv_nsec - one.MESH_MTIM.tv_nsec;
    return seconds < 0 || (seconds == 0 && nanoseconds < 0)
           || seconds > MESH_LAYOUT_CHANGE_SECONDS;
}

/* Makes the home and the folders below it that path needs.  *made is the one
 * that holds path if it was missing, else NULL; the caller frees. */
static int make_folders(struct mesh_context *ctx, const char *path, char **made)
{
    char *home = mesh_layout_home(ctx), *folder = NULL;
    size_t home_len;
    int ok = 0;

    *made = NULL;
    if (home == NULL)
        return 0;
    home_len = strlen(home);
    if (strncmp(path, home, home_len) != 0 || path[home_len] != '/') {
        ok = 1; /* not ours */
        goto end;
    }
    if ((folder = OPENSSL_strdup(path)) == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
        goto end;
    }
    for (char *slash = folder + home_len; slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        OPENSSL_free(*made);
        *made = NULL;
        if (mkdir(folder, 0700) == 0)
            *made = OPENSSL_strdup(folder);
        else if (errno != EEXIST) {
            raise_io(ctx, folder, "make the folder");
            goto end;
        }
        *slash = '/';
    }
    ok = 1;

end:
    OPENSSL_free(home);
    OPENSSL_free(folder);
    return ok;
}

static int is_link(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISLNK(st.st_mode);
}

int mesh_layout_write_file(struct mesh_context *ctx, const char *path,
                           const void *data, size_t len)
{
    unsigned char random[8];
    char temporary[32];
    char *made = NULL;
    const char *name;
    struct stat st;
    int folder = -1, fd = -1, closed, ok = 0;

    if (!make_folders(ctx, path, &made))
        goto end;
    /* Not FOLDER_FLAGS: fsync wants an open folder. */
    folder = open_folder(ctx, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, &name);
    if (folder < 0)
        goto end;
    /* root would make plain files of /dev/null and /dev/stdout */
    if (fstatat(folder, name, &st, 0) == 0) {
        if (!S_ISREG(st.st_mode)) {
            mesh_raise(ctx, MESH_R_FILE_IO,
                       "%s is not a regular file and stays as it is", path);
            goto end;
        }
    } else if (is_link(folder, name)) {
        mesh_raise(ctx, MESH_R_FILE_IO,
                   "%s is a link to what cannot be reached", path);
        goto end;
    }
    if (RAND_bytes_ex(ctx->libctx, random, sizeof(random), 0) <= 0) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
        goto end;
    }
    OPENSSL_strlcpy(temporary, MESH_TEMPORARY_BEGIN, sizeof(temporary));
    OPENSSL_buf2hexstr_ex(temporary + strlen(temporary),
                          sizeof(temporary) - strlen(temporary), NULL, random,
                          sizeof(random), '\0');
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                0600);
    if (fd < 0) {
        raise_io(ctx, path, "make a temporary file beside it");
        goto end;
    }
    ok = write_all(fd, data, len) && fsync(fd) == 0;
    if (!ok)
        raise_io(ctx, path, "write it; the old file is as it was");
    closed = close(fd) == 0;
    if (ok && (!closed || renameat(folder, temporary, folder, name) != 0))
        ok = raise_io(ctx, path, "replace it; the old file is as it was");
    if (!ok)
        unlinkat(folder, temporary, 0);
    else
        fsync(folder); /* not every file system can, the file is there */

end:
    if (folder >= 0)
        close(folder);
    if (!ok && made != NULL)
        rmdir(made);
    OPENSSL_free(made);
    return ok;
}

/* Whether the file, which is not empty, ends within a line. */
static int is_torn(int fd, off_t size)
{
    char last;

    return pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int mesh_layout_append_file(struct mesh_context *ctx, const char *path,
                            const void *data, size_t len, uint64_t *before)
{
    char *made = NULL;
    struct stat st;
    int fd = -1, is_new, ok = 0;

    *before = MESH_LAYOUT_NO_FILE;
    if (!make_folders(ctx, path, &made))
        goto end;
    is_new = lstat(path, &st) != 0 && errno == ENOENT;
    fd = open_file(ctx, path, O_RDWR | O_APPEND | (is_new ? O_CREAT : 0), &st);
    if (fd < 0)
        goto end;
    if (!is_new)
        *before = (uint64_t)st.st_size;
    ok = (st.st_size == 0 || !is_torn(fd, st.st_size)
          || write_all(fd, (const unsigned char *)"\n", 1))
         && write_all(fd, data, len) && fsync(fd) == 0;
    if (!ok) {
        raise_io(ctx, path, "append to it; it is as it was");
        if (ftruncate(fd, st.st_size) != 0)
            raise_io(ctx, path, "shorten it again");
        if (is_new)
            unlink(path);
    }

end:
    if (fd >= 0)
        close(fd);
    if (!ok && made != NULL)
        rmdir(made);
    OPENSSL_free(made);
    return ok;
}

int mesh_layout_cut_file(struct mesh_context *ctx, const char *path,
                         uint64_t before)
{
    struct stat st;
    int fd, ok;

    if (before == MESH_LAYOUT_NO_FILE)
        return mesh_file_remove(ctx, path);
    if ((fd = open_file(ctx, path, O_WRONLY, &st)) < 0)
        return 0;
    ok = ((uint64_t)st.st_size <= before || ftruncate(fd, (off_t)before) == 0)
         || raise_io(ctx, path, "shorten it again");
    close(fd);
    return ok;
}

/* Writers of profiles hold one lock while each change of profiles.json takes
 * the other, and order is always this. */
static int take_lock(struct mesh_context *ctx, enum mesh_lock_of which,
                     mesh_lock *lock)
{
    const struct timespec interval = {.tv_nsec = LOCK_INTERVAL_NS};
    char *home = mesh_layout_home(ctx), *path = NULL, *made = NULL;
    const char *name;
    struct timespec start, now;
    int folder = -1, fd = -1, ok = 0;

    *lock = MESH_LOCK_NONE;
    if (home == NULL
        || (path = mesh_path(ctx, "%s/%s", home, mesh_lock_file(which))) == NULL
        || !make_folders(ctx, path, &made)
        || (folder = open_folder(ctx, path, FOLDER_FLAGS, &name)) < 0)
        goto end;
    fd = openat(folder, name,
                O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) {
        raise_io(ctx, path, "open the lock");
        goto end;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!mesh_lock_take(fd, which)) {
        if (errno != EAGAIN && errno != EACCES) {
            raise_io(ctx, path, "lock it");
            goto end;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec > LOCK_SECONDS
            || (now.tv_sec - start.tv_sec == LOCK_SECONDS
                && now.tv_nsec >= start.tv_nsec)) {
            mesh_raise(ctx, MESH_R_FILE_LOCKED,
                       "%s: another program has held the lock for %d seconds; "
                       "try again when it has ended",
                       path, LOCK_SECONDS);
            goto end;
        }
        nanosleep(&interval, NULL);
    }
    *lock = fd;
    fd = -1;
    ok = 1;

end:
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    OPENSSL_free(home);
    OPENSSL_free(path);
    OPENSSL_free(made);
    return ok;
}

int mesh_layout_lock(struct mesh_context *ctx, mesh_lock *lock)
{
    return take_lock(ctx, MESH_LOCK_WRITERS, lock);
}

int mesh_layout_lock_change(struct mesh_context *ctx, mesh_lock *lock)
{
    return take_lock(ctx, MESH_LOCK_CHANGE, lock);
}

void mesh_layout_unlock(mesh_lock lock)
{
    if (lock == MESH_LOCK_NONE)
        return;
    mesh_lock_release((int)lock);
    close((int)lock);
}

int mesh_file_exists(struct mesh_context *ctx, const char *path)
{
    struct stat st;

    (void)ctx;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int mesh_file_is_regular(struct mesh_context *ctx, const char *path)
{
    struct stat st;

    (void)ctx;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int mesh_file_remove(struct mesh_context *ctx, const char *path)
{
    return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR
           || raise_io(ctx, path, "remove it");
}

void mesh_file_remove_folder(struct mesh_context *ctx, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    (void)ctx;
    if (slash == NULL || slash == path)
        return;
    folder = OPENSSL_strndup(path, (size_t)(slash - path));
    if (folder != NULL)
        rmdir(folder);
    OPENSSL_free(folder);
}

char *mesh_file_real_path(struct mesh_context *ctx, const char *path)
{
    char *real = realpath(path, NULL), *copy;

    if (real == NULL) {
        mesh_raise(ctx, MESH_R_FILE_IO, "%.300s: %s", path, strerror(errno));
        return NULL;
    }
    copy = mesh_path(ctx, "%s", real);
    free(real);
    return copy;
}
