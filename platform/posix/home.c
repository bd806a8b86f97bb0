/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where the files of the layout are.
 */
#include "platform/layout_tree.h"
#include "platform/posix/portable.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define HOME_FOLDER    ".cryptomesh"
#define BELOW_HOME_MAX 256 /* octets of the longest path in it */

int mesh_path_climbs(const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");

        if (len == 2 && memcmp(path, "..", 2) == 0)
            return 1;
        path += len + (path[len] == '/');
    }
    return 0;
}

/* Errors repeat paths, and would say nothing else of one of this length. */
static int check_length(struct mesh_context *ctx, const char *home)
{
    return strlen(home) < PATH_MAX - BELOW_HOME_MAX
           || mesh_raise(ctx, MESH_R_CONFIGURATION,
                         "home %.60s…: %zu octets are more than a path can "
                         "have: set HOME or CRYPTOMESH_HOME",
                         home, strlen(home));
}

char *mesh_layout_home(struct mesh_context *ctx)
{
    const char *home = ctx->config.home;
    char buffer[16384];
    struct passwd entry, *found = NULL;

    if (home != NULL) {
        size_t len = strlen(home);

        if (home[0] != '/') {
            mesh_raise(ctx, MESH_R_CONFIGURATION,
                       "home %.200s: an absolute path is wanted", home);
            return NULL;
        }
        while (len > 1 && home[len - 1] == '/')
            len--;
        return check_length(ctx, home) ? mesh_path(ctx, "%.*s", (int)len, home)
                                       : NULL;
    }
    home = mesh_getenv("HOME");
    if ((home == NULL || home[0] != '/')
        && getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0
        && found != NULL)
        home = found->pw_dir;
    if (home == NULL || home[0] != '/') {
        mesh_raise(ctx, MESH_R_CONFIGURATION,
                   "no home directory: set HOME or CRYPTOMESH_HOME");
        return NULL;
    }
    return check_length(ctx, home) ? mesh_path(ctx, "%s/" HOME_FOLDER, home)
                                   : NULL;
}

static char *standard_path(struct mesh_context *ctx, const char *udf,
                           const char *ending)
{
    struct mesh_udf parsed; /* so udf is no path */
    char *home, *file = NULL;

    if (mesh_udf_parse(ctx, udf, &parsed)
        && (home = mesh_layout_home(ctx)) != NULL) {
        file = mesh_path(ctx, "%s/%s/%s%s", home, udf, udf, ending);
        OPENSSL_free(home);
    }
    return file;
}

char *mesh_layout_standard_file(struct mesh_context *ctx, const char *udf)
{
    return standard_path(ctx, udf, MESH_FILE_ENDING);
}

char *mesh_layout_standard_archive(struct mesh_context *ctx, const char *udf)
{
    return standard_path(ctx, udf, MESH_ARCHIVE_ENDING);
}
