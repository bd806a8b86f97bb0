/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl reference: the URI of one key, or a file that stands for it.
 */
#include "platform/reference.h"
#include "platform/key_files.h"
#include "store/resolve.h"
#include "tools/command.h"
#include "tools/input.h"
#include "tools/target.h"

#include <stdio.h>
#include <stdlib.h>
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

/* A private key must not be lost to what only stands for one. */
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

/* The reference file of uri: path, or standard output for "-". */
static int write_reference(struct mesh_context *ctx, const char *uri,
                           const char *path)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    int ok = 0;

    if (out == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "a key reference");
    } else if (mesh_reference_write(ctx, uri, out)) {
        len = BIO_get_mem_data(out, &text);
        if (strcmp(path, "-") != 0 && strcmp(path, "/dev/stdout") != 0)
            ok = replace_file(ctx, path, text, (size_t)len);
        else
            ok = fwrite(text, 1, (size_t)len, stdout) == (size_t)len
                 || mesh_raise(ctx, MESH_R_FILE_IO, "standard output");
    }
    BIO_free(out);
    return ok;
}

/* A file that stands for a key that is elsewhere would be of no use.  Where the
 * key store cannot be asked nobody knows. */
static int check_held(struct mesh_context *ctx, EVP_PKEY *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_key_name name;
    int held;

    if (!mesh_key_name_of(ctx, key, &name))
        return 0;
    return !mesh_keystore_holds(&quiet, &name, &held) || held
           || mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                         "a file that refers to %s would be of no use here",
                         name.udf);
}

int command_reference(struct mesh_context *ctx, int argc, char **argv)
{
    const char *path = NULL;
    const struct command_option options[] = {
        {"out", &path, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_objects objects = {NULL, 0};
    struct mesh_key *key = NULL;
    struct mesh_uri parsed;
    char *uri = NULL;
    int ok = 0;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !target_parse_uri(ctx, argv[0], &parsed)
        || !mesh_resolve(ctx, argv[0], MESH_OBJECT_PUBLIC, NULL, &objects))
        return 0;
    for (size_t i = 0; i < objects.count && key == NULL; i++)
        key = objects.items[i].key;
    if (key == NULL)
        mesh_raise(ctx, MESH_R_NO_ROLE,
                   "'%.100s' names no key; add a role, as in %s", argv[0],
                   "mesh://device/sign");
    else if ((uri = mesh_reference_uri(ctx, mesh_key_uri(key),
                                       mesh_key_public(key)))
             == NULL)
        ok = 0;
    else if (path != NULL)
        ok = check_held(ctx, mesh_key_public(key))
             && write_reference(ctx, uri, path);
    else
        ok = puts(uri) != EOF;
    mesh_objects_free(&objects);
    OPENSSL_free(uri);
    return ok;
}
