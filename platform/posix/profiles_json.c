/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * profiles.json: the tree of the layout in one file, ours for systems without a
 * registry.
 */
#include "platform/layout_tree.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MASTER_FILE_MAX (64u << 20)
#define DEPTH_MAX       64 /* ours have 3; what we keep of others, too */

/* A file that was changed less than this before it is read may be changed again
 * without getting another time. */
#define SETTLED_SECONDS 2

/* Whether a parser that recurses may read it on an application's stack. */
static int is_flat(const unsigned char *text, size_t len)
{
    size_t depth = 0;
    int inside = 0;

    for (size_t i = 0; i < len && depth <= DEPTH_MAX; i++) {
        if (inside && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            inside = !inside;
        else if (!inside && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!inside && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
    }
    return depth <= DEPTH_MAX;
}

int mesh_tree_load(struct mesh_context *ctx, const char *home, json_t **root)
{
    char *path = mesh_path(ctx, "%s" MESH_LAYOUT_MASTER, home);
    unsigned char *text = NULL;
    size_t len;
    json_error_t error;
    struct stat st;

    *root = NULL;
    if (path == NULL)
        return 0;
    if (lstat(path, &st) != 0 && errno == ENOENT) {
        *root = json_object();
        if (*root == NULL)
            mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
        goto end;
    }
    if (!mesh_layout_read_file(ctx, path, MASTER_FILE_MAX, &text, &len))
        goto end;
    if (!is_flat(text, len)) {
        mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED, "%s: nested too deeply", path);
        goto end;
    }
    *root = json_loadb((char *)text, len, JSON_REJECT_DUPLICATES, &error);
    if (*root == NULL)
        mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED, "%s, line %d, column %d: %s",
                   path, error.line, error.column, error.text);
    if (*root != NULL && !json_is_object(*root)) {
        mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                   "%s, line 1, column 1: an object is wanted", path);
        json_decref(*root);
        *root = NULL;
    }

end:
    OPENSSL_free(text);
    OPENSSL_free(path);
    return *root != NULL;
}

int mesh_tree_save(struct mesh_context *ctx, const char *home,
                   const json_t *root)
{
    char *path = mesh_path(ctx, "%s" MESH_LAYOUT_MASTER, home), *text = NULL;
    size_t len = json_dumpb(root, NULL, 0, JSON_INDENT(2));
    int ok = 0;

    if (path == NULL)
        return 0;
    if (len == 0 || len >= MASTER_FILE_MAX) {
        mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                   "%s would have %zu octets, at most %u are read; it is as it "
                   "was",
                   path, len + 1, MASTER_FILE_MAX);
        goto end;
    }
    /* Our own memory: the application may have given jansson its own. */
    if ((text = OPENSSL_malloc(len + 1)) == NULL
        || json_dumpb(root, text, len, JSON_INDENT(2)) != len) {
        mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
        goto end;
    }
    text[len] = '\n';
    ok = mesh_layout_write_file(ctx, path, text, len + 1);

end:
    OPENSSL_free(text);
    OPENSSL_free(path);
    return ok;
}

void mesh_tree_look(struct mesh_context *ctx, const char *home,
                    struct mesh_layout_stamp *stamp)
{
    char *path = mesh_path(ctx, "%s" MESH_LAYOUT_MASTER, home);
    struct timespec now;
    struct stat st;

    memset(stamp, 0, sizeof(*stamp));
    if (path != NULL && clock_gettime(CLOCK_REALTIME, &now) == 0
        && lstat(path, &st) == 0
        && now.tv_sec >= st.MESH_CTIM.tv_sec + SETTLED_SECONDS)
        *stamp = (struct mesh_layout_stamp){
            {st.st_dev, st.st_ino, (uint64_t)st.st_size,
             (uint64_t)st.MESH_MTIM.tv_sec, (uint64_t)st.MESH_MTIM.tv_nsec,
             (uint64_t)st.MESH_CTIM.tv_sec, (uint64_t)st.MESH_CTIM.tv_nsec}};
    OPENSSL_free(path);
}

/* The path that a member says, or the standard place. */
static char *tree_path(struct mesh_context *ctx, const char *home,
                       const char *name, const char *given, const char *ending)
{
    if (given == NULL || *given == '\0')
        return mesh_path(ctx, "%s/%s/%s%s", home, name, name, ending);
    if (mesh_path_climbs(given)) {
        mesh_raise(ctx, MESH_R_UNSAFE_PATH,
                   "%.200s, the file of %.80s in %s" MESH_LAYOUT_MASTER
                   ": \"..\" is not allowed",
                   given, name, home);
        return NULL;
    }
    if (given[0] == '/')
        return mesh_path(ctx, "%s", given);
    return mesh_path(ctx, "%s/%s", home, given);
}

char *mesh_tree_file(struct mesh_context *ctx, const char *home,
                     const char *name, const char *given)
{
    return tree_path(ctx, home, name, given, MESH_FILE_ENDING);
}

char *mesh_tree_archive(struct mesh_context *ctx, const char *home,
                        const char *name, const char *given, const char *file)
{
    (void)file;
    return tree_path(ctx, home, name, given, MESH_ARCHIVE_ENDING);
}

char *mesh_tree_entered(struct mesh_context *ctx, const char *udf,
                        const char *ending)
{
    return mesh_path(ctx, "%s/%s%s", udf, udf, ending);
}
