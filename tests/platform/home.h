/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A context with a home of its own in a temporary folder.
 */
#ifndef MESH_TESTS_PLATFORM_HOME_H
#define MESH_TESTS_PLATFORM_HOME_H

#include "tests/platform/capture.h"

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct mesh_context *ctx;
static struct capture capture;
static char top[64], home[80];

static inline int remove_one(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int make_home(void **state)
{
    (void)state;
    memset(&capture, 0, sizeof(capture));
    strcpy(top, "/tmp/mesh-test-XXXXXX");
    if (mkdtemp(top) == NULL)
        return 1;
    snprintf(home, sizeof(home), "%s/home", top);
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || mkdir(home, 0700) != 0
           || !mesh_context_configure(ctx, "home", home);
}

static int remove_home(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path below the home; four of them live at a time. */
static inline const char *in_home(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", home, name);
    return path;
}

static inline void put(const char *path, const void *data, size_t len,
                       mode_t mode)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Entries of a folder, without "." and "..". */
static inline int entries(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

#endif
