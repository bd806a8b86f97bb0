/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A context with a home of its own in a temporary folder.
 */
#ifndef MESH_TESTS_PLATFORM_HOME_H
#define MESH_TESTS_PLATFORM_HOME_H

#include "tests/platform/own_home.h"

static struct mesh_context *ctx;
static struct capture capture;
#ifdef MESH_PLATFORM_WINDOWS
static char setting[OWN_HOME_MAX], home[MAX_PATH]; /* home: of the files */

static inline int make_home(void **state)
{
    (void)state;
    memset(&capture, 0, sizeof(capture));
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || !own_home(setting, home)
           || !mesh_context_configure(ctx, "home", setting)
           || !CreateDirectoryA(home, NULL);
}

static inline int remove_home(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return !remove_own_home(setting, home);
}
#else
#include <dirent.h>

static char top[OWN_HOME_MAX], home[80];

static inline int make_home(void **state)
{
    char folder[MAX_PATH];

    (void)state;
    memset(&capture, 0, sizeof(capture));
    if (!own_home(top, folder))
        return 1;
    snprintf(home, sizeof(home), "%s/home", top);
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || mkdir(home, 0700) != 0
           || !mesh_context_configure(ctx, "home", home);
}

static inline int remove_home(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return !remove_own_home(top, NULL);
}
#endif

/* A path below the home; four of them live at a time. */
static inline const char *in_home(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", home, name);
#ifdef MESH_PLATFORM_WINDOWS
    for (char *c = path; (c = strchr(c, '/')) != NULL;)
        *c = '\\';
#endif
    return path;
}

#ifndef MESH_PLATFORM_WINDOWS
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
#endif
