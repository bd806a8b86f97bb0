/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files of writers that were ended.
 */
#include "platform/layout_tree.h"
#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>

#define OLD_TICKS (3600ull * 10000000) /* an hour: nobody writes so long */

/* Whether nobody can be writing it any more: one from the future says nothing
 * of its age, so it stays. */
static int is_leftover(const char *name, const WIN32_FIND_DATAW *found)
{
    const FILETIME *written = &found->ftLastWriteTime;
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return strncmp(name, MESH_TEMPORARY_BEGIN, strlen(MESH_TEMPORARY_BEGIN))
               == 0
           && (((uint64_t)written->dwHighDateTime << 32)
               | written->dwLowDateTime)
                      + OLD_TICKS
                  < (((uint64_t)now.dwHighDateTime << 32) | now.dwLowDateTime);
}

static int remove_file(struct mesh_context *ctx, const char *path)
{
    wchar_t *wide = mesh_wide_path(ctx, path);
    int ok = wide != NULL && DeleteFileW(wide);

    if (!ok)
        mesh_trace(ctx, "%s cannot be removed", path);
    OPENSSL_free(wide);
    return ok;
}

/* Those in a folder, and in the folders in it, but not in theirs. */
static size_t sweep(struct mesh_context *ctx, const char *folder, int deeper)
{
    char *all = mesh_path(ctx, "%s\\*", folder);
    wchar_t *wide = all != NULL ? mesh_wide_path(ctx, all) : NULL;
    WIN32_FIND_DATAW found;
    HANDLE search =
        wide != NULL ? FindFirstFileW(wide, &found) : INVALID_HANDLE_VALUE;
    size_t removed = 0;

    if (search != INVALID_HANDLE_VALUE) {
        do {
            const DWORD kind = found.dwFileAttributes;
            char *name = mesh_utf8(ctx, found.cFileName);
            char *path =
                name != NULL ? mesh_path(ctx, "%s\\%s", folder, name) : NULL;

            if (path == NULL || strcmp(name, ".") == 0
                || strcmp(name, "..") == 0
                || (kind & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
                ;
            else if ((kind & FILE_ATTRIBUTE_DIRECTORY) != 0)
                removed += deeper ? sweep(ctx, path, 0) : 0;
            else if (is_leftover(name, &found))
                removed += (size_t)remove_file(ctx, path);
            OPENSSL_free(name);
            OPENSSL_free(path);
        } while (FindNextFileW(search, &found));
        FindClose(search);
    }
    OPENSSL_free(wide);
    OPENSSL_free(all);
    return removed;
}

size_t mesh_layout_remove_leftovers(struct mesh_context *ctx)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char *folder = mesh_files_folder(&quiet);
    size_t removed = folder != NULL ? sweep(&quiet, folder, 1) : 0;

    OPENSSL_free(folder);
    return removed;
}
