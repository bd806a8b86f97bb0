/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl reference: the URI of one key, or a file that stands for it.
 */
#include "platform/reference.h"
#include "store/resolve.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        ok = output_write(ctx, path, text, (size_t)len);
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
