/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The member "KeyFiles" of profiles.json.
 */
#include "platform/key_files.h"

#include "platform/layout_tree.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#define SECTION    "KeyFiles"
#define CREDENTIAL "credential:"

int mesh_key_file_check(struct mesh_context *ctx, const char *path,
                        const char *passphrase)
{
    const size_t prefix = sizeof(CREDENTIAL) - 1;

    if (path[0] != '/')
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "key file \"%.200s\": an absolute path is wanted",
                          path);
    if (mesh_path_climbs(path))
        return mesh_raise(ctx, MESH_R_UNSAFE_PATH,
                          "key file %.200s: \"..\" is not allowed", path);
    if (passphrase == NULL || strcmp(passphrase, "secret-service") == 0
        || (strncmp(passphrase, CREDENTIAL, prefix) == 0
            && passphrase[prefix] != '\0' && strchr(passphrase, '/') == NULL))
        return 1;
    return mesh_raise(
        ctx, MESH_R_LAYOUT_MALFORMED,
        "passphrase of key file %.200s: \"%.64s\" is no place for "
        "it, secret-service and credential:NAME are",
        path, passphrase);
}

static int read_digest(const char *text, unsigned char digest[32])
{
    size_t len = 0;
    int ok;

    ERR_set_mark();
    ok = text != NULL && strlen(text) == 64
         && OPENSSL_hexstr2buf_ex(digest, 32, &len, text, '\0') && len == 32;
    ERR_pop_to_mark();
    return ok;
}

static int read_key_file(struct mesh_context *ctx, const char *udf,
                         const json_t *value, struct mesh_key_file *file)
{
    json_t *passphrase = json_object_get(value, "Passphrase");
    struct mesh_udf parsed;

    file->udf = udf;
    file->path = json_string_value(json_object_get(value, "File"));
    file->passphrase = json_string_value(passphrase);
    if (!mesh_udf_decode(udf, &parsed))
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "\"%.80s\" in " SECTION " is no fingerprint", udf);
    if (file->path == NULL)
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "key file of %.80s: no File", udf);
    if (passphrase != NULL && file->passphrase == NULL)
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "key file of %.80s: Passphrase is no string", udf);
    if (!read_digest(json_string_value(json_object_get(value, "SPKI-SHA256")),
                     file->spki_sha256))
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "key file of %.80s: SPKI-SHA256 is not 64 "
                          "hexadecimal digits",
                          udf);
    return mesh_key_file_check(ctx, file->path, file->passphrase);
}

int mesh_key_files_read(struct mesh_context *ctx, struct mesh_layout *layout)
{
    json_t *section = json_object_get(layout->root, SECTION), *value;
    size_t most = json_object_size(section);
    const char *name;

    if (most == 0)
        return 1;
    layout->key_files = OPENSSL_zalloc(most * sizeof(*layout->key_files));
    if (layout->key_files == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%zu key files", most);
    json_object_foreach (section, name, value) {
        if (!json_is_object(value))
            continue;
        if (!read_key_file(ctx, name, value,
                           &layout->key_files[layout->key_files_count++]))
            return 0;
    }
    return 1;
}

const struct mesh_key_file *
mesh_key_file_entry(const struct mesh_layout *layout, size_t i)
{
    return i < layout->key_files_count ? &layout->key_files[i] : NULL;
}

static int add(struct mesh_context *ctx, json_t *root, const void *arg)
{
    const struct mesh_key_file *file = arg;
    json_t *entry = mesh_profiles_entry(ctx, root, SECTION, file->udf);
    char hex[65];
    int failed;

    if (entry == NULL)
        return 0;
    if (!OPENSSL_buf2hexstr_ex(hex, sizeof(hex), NULL, file->spki_sha256,
                               sizeof(file->spki_sha256), '\0'))
        return mesh_raise(ctx, MESH_R_INTERNAL, "key file of %s", file->udf);
    failed = json_object_set_new(entry, "File", json_string(file->path))
             | json_object_set_new(entry, "SPKI-SHA256", json_string(hex));
    if (file->passphrase == NULL)
        json_object_del(entry, "Passphrase");
    else
        failed |= json_object_set_new(entry, "Passphrase",
                                      json_string(file->passphrase));
    if (failed)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "path of the key file of %s is not UTF-8", file->udf);
    return 1;
}

static int forget(struct mesh_context *ctx, json_t *root, const void *arg)
{
    json_t *section = mesh_profiles_section(ctx, root, SECTION);
    struct mesh_udf udf;
    const char *name;

    if (section == NULL || !mesh_udf_parse(ctx, arg, &udf))
        return 0;
    name = mesh_profiles_member(section, &udf);
    if (name == NULL)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN,
                          "%s is not among the key files", (const char *)arg);
    json_object_del(section, name);
    return 1;
}

int mesh_key_file_add(struct mesh_context *ctx,
                      const struct mesh_key_file *file)
{
    return mesh_key_file_check(ctx, file->path, file->passphrase)
           && mesh_profiles_change(ctx, add, file);
}

int mesh_key_file_remove(struct mesh_context *ctx, const char *udf)
{
    return mesh_profiles_change(ctx, forget, udf);
}
