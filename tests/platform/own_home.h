/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A place for a layout that nobody else has, on each system: a temporary
 * folder, or a key of the registry with the folder that belongs to it.
 */
#ifndef MESH_TESTS_PLATFORM_OWN_HOME_H
#define MESH_TESTS_PLATFORM_OWN_HOME_H

#include "tests/platform/capture.h"

#include <stdlib.h>

#define OWN_HOME_MAX 64

#ifdef MESH_PLATFORM_WINDOWS

#include "tests/windows/tree.h"

/* What is said of a file that others may write. */
#define SHARED_SAYS "may write it"

/* A value for the setting `home`, and the folder in which its files will be.
 * 0 without one. */
static inline int own_home(char home[OWN_HOME_MAX], char folder[MAX_PATH])
{
    static unsigned count;
    struct capture ignored = {0};
    struct mesh_context *ctx = mesh_context_new(NULL, capture_raise, &ignored);
    char *files = NULL;

    snprintf(home, OWN_HOME_MAX, "SOFTWARE\\CryptoMeshTest-%lu-%u",
             GetCurrentProcessId(), count++);
    if (ctx != NULL && mesh_context_configure(ctx, "home", home))
        files = mesh_files_folder(ctx);
    snprintf(folder, MAX_PATH, "%s", files != NULL ? files : "");
    OPENSSL_free(files);
    mesh_context_free(ctx);
    return *folder != '\0';
}

static inline int remove_own_home(const char *home, const char *folder)
{
    wchar_t wide[MAX_PATH * 2];

    to_wide(home, wide);
    RegDeleteTreeW(HKEY_CURRENT_USER, wide);
    remove_tree(folder);
    return 1;
}

/* Lets others write a file, or the user alone. */
static inline void share(const char *path, int shared)
{
    set_rights(path, shared ? "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;WD)"
                            : "D:P(A;;FA;;;OW)(A;;FA;;;SY)");
}

/* NULL: no such variable. */
static inline void set_variable(const char *name, const char *value)
{
    assert_true(SetEnvironmentVariableA(name, value));
}

#else

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PATH    260
#define SHARED_SAYS "0622"

static inline int own_home(char home[OWN_HOME_MAX], char folder[MAX_PATH])
{
    strcpy(home, "/tmp/mesh-test-XXXXXX");
    strcpy(folder, mkdtemp(home) != NULL ? home : "");
    return *folder != '\0';
}

static inline int remove_one(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int remove_own_home(const char *home, const char *folder)
{
    (void)folder;
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0;
}

static inline void share(const char *path, int shared)
{
    assert_int_equal(chmod(path, shared ? 0622 : 0600), 0);
}

static inline void set_variable(const char *name, const char *value)
{
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name),
                     0);
}

#endif
#endif
