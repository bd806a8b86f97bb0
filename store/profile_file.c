/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles and the text of their files.
 */
#include "store/profile.h"

#include <openssl/crypto.h>
#include <string.h>

static int parse(struct mesh_context *ctx, const char *text, size_t len,
                 const char *where, int all_keys, struct mesh_profile **profile)
{
    json_t *document = mesh_json_parse(ctx, text, len, where);
    int ok;

    *profile = NULL;
    ok = document != NULL
         && mesh_profile_parse_json(ctx, document, where, profile);
    json_decref(document);
    if (!ok || !all_keys || mesh_profile_open_keys(ctx, *profile))
        return ok;
    mesh_profile_free(*profile);
    *profile = NULL;
    return 0;
}

int mesh_profile_parse(struct mesh_context *ctx, const char *text, size_t len,
                       const char *where, struct mesh_profile **profile)
{
    return parse(ctx, text, len, where, 1, profile);
}

static int read_profile(struct mesh_context *ctx, const char *path,
                        int all_keys, struct mesh_profile **profile)
{
    unsigned char *text;
    size_t len;
    int ok;

    *profile = NULL;
    if (!mesh_file_exists(ctx, path))
        return mesh_raise(ctx, MESH_R_PROFILE_MISSING, "%s: no such file",
                          path);
    if (!mesh_layout_read_file(ctx, path, MESH_PROFILE_FILE_MAX, &text, &len))
        return 0;
    ok = parse(ctx, (char *)text, len, path, all_keys, profile);
    OPENSSL_free(text);
    return ok;
}

int mesh_profile_read(struct mesh_context *ctx, const char *path,
                      struct mesh_profile **profile)
{
    return read_profile(ctx, path, 1, profile);
}

int mesh_profile_read_chain(struct mesh_context *ctx, const char *path,
                            struct mesh_profile **profile)
{
    return read_profile(ctx, path, 0, profile);
}

char *mesh_profile_text(struct mesh_context *ctx, const char *tag,
                        const json_t *signed_object, size_t *len)
{
    json_t *document = json_object();
    char *text = NULL;

    /* Only its reference count changes. */
    if (document != NULL
        && json_object_set(document, tag, (json_t *)signed_object) == 0)
        text = mesh_json_print(document, JSON_INDENT(2));
    if (text == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "writing a profile");
    else
        *len = strlen(text);
    json_decref(document);
    return text;
}
