/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that the user wants written.
 */
#include "tools/output.h"
#include "platform/key_files.h"
#include "platform/layout.h"
#include "tools/input.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* Whether mesh-keyd uses the file where it lies; path is a real path. */
static int check_registered(struct mesh_context *ctx, const char *path)
{
    const struct mesh_key_file *file;
    struct mesh_layout *layout = NULL;
    int ok = 1;

    if (!mesh_layout_open(ctx, &layout))
        return 0;
    for (size_t i = 0; ok && (file = mesh_key_file_entry(layout, i)) != NULL;
         i++)
        if (strcmp(file->path, path) == 0)
            ok = mesh_raise(ctx, MESH_R_IN_USE,
                            "%.300s is registered as the private key of %s, "
                            "which is used there; write to another file",
                            path, file->udf);
    mesh_layout_free(layout);
    return ok;
}

/* A private key must not be lost to what is made of it. */
static int check_no_key(struct mesh_context *ctx, const char *path)
{
    unsigned char *data = NULL;
    size_t len = 0;
    int ok;

    if (!input_read(ctx, path, MESH_PROFILE_FILE_MAX, &data, &len))
        return 0;
    ok = !input_is_private_key(ctx, data, len)
         || mesh_raise(ctx, MESH_R_KEY_EXISTS,
                       "%.300s holds a private key, which would be lost; write "
                       "to another file",
                       path);
    OPENSSL_clear_free(data, len);
    return ok;
}

/* A link stays, what it points to is replaced. */
static int replace_file(struct mesh_context *ctx, const char *path,
                        const char *text, size_t len)
{
    char *real = NULL;
    int ok = 1;

    if (mesh_file_is_regular(ctx, path)) {
        real = mesh_file_real_path(ctx, path);
        ok = real != NULL && check_registered(ctx, real)
             && check_no_key(ctx, real);
        path = real;
    }
    ok = ok && mesh_layout_write_file(ctx, path, text, len);
    OPENSSL_free(real);
    return ok;
}

int output_write(struct mesh_context *ctx, const char *path, const char *text,
                 size_t len)
{
    if (strcmp(path, OUTPUT_STANDARD) != 0 && strcmp(path, "/dev/stdout") != 0)
        return replace_file(ctx, path, text, len);
    return fwrite(text, 1, len, stdout) == len
           || mesh_raise(ctx, MESH_R_FILE_IO, "standard output");
}
