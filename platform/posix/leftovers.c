/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files of writers that were killed.
 */
#include "platform/layout_tree.h"
#include "platform/posix/portable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OLD_SECONDS 3600 /* nobody writes a file for so long */

/* Whether nobody can be writing it any more: one from the future says nothing
 * of its age, so it stays. */
static int is_leftover(const char *name, const struct stat *st, time_t now)
{
    return strncmp(name, MESH_TEMPORARY_BEGIN, strlen(MESH_TEMPORARY_BEGIN))
               == 0
           && S_ISREG(st->st_mode) && st->st_uid == geteuid()
           && st->MESH_MTIM.tv_sec + OLD_SECONDS < now;
}

static DIR *open_folder(int above, const char *path)
{
    int fd =
        openat(above, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (folder == NULL && fd >= 0)
        close(fd);
    return folder;
}

/* Those in a folder, and in the folders in it, but not in theirs. */
static size_t sweep(struct mesh_context *ctx, DIR *folder, const char *path,
                    int deeper)
{
    const time_t now = time(NULL);
    struct dirent *found;
    size_t removed = 0;
    struct stat st;
    DIR *below;

    while ((found = readdir(folder)) != NULL) {
        const char *name = found->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0
            || fstatat(dirfd(folder), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (deeper && S_ISDIR(st.st_mode)
            && (below = open_folder(dirfd(folder), name)) != NULL) {
            removed += sweep(ctx, below, name, 0);
            closedir(below);
        } else if (is_leftover(name, &st, now)) {
            if (unlinkat(dirfd(folder), name, 0) == 0)
                removed++;
            else
                mesh_trace(ctx, "%s/%s: %s", path, name, strerror(errno));
        }
    }
    return removed;
}

size_t mesh_layout_remove_leftovers(struct mesh_context *ctx)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char *home = mesh_layout_home(&quiet);
    DIR *folder = home != NULL ? open_folder(AT_FDCWD, home) : NULL;
    size_t removed = 0;

    if (folder != NULL) {
        removed = sweep(&quiet, folder, home, 1);
        closedir(folder);
    }
    OPENSSL_free(home);
    return removed;
}
