/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the user means by a URI or a file.
 */
#include "tools/target.h"
#include "platform/reference.h"
#include "store/resolve.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/input.h"

#include <openssl/crypto.h>
#include <string.h>

#define REFERENCE_FILE_MAX (1u << 20) /* octets, with what else is in it */

/* What is meant where a URI stands without its scheme, or there is no such
 * file: the part before the role says it. */
static int names_profile(const char *text)
{
    enum mesh_profile_kind kind;
    char name[MESH_URI_PART_MAX];
    const char *type;

    OPENSSL_strlcpy(name, text, sizeof(name));
    name[strcspn(name, "/?")] = '\0';
    return kind_parse(name, &kind, &type) || mesh_udf_looks_like(name)
           || strchr(name, '@') != NULL;
}

int target_raise_reference(struct mesh_context *ctx, const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    unsigned char *data = NULL;
    char *uri = NULL;
    size_t len = 0;
    int is;

    if (mesh_file_is_regular(ctx, path)
        && input_read(&quiet, path, REFERENCE_FILE_MAX, &data, &len))
        uri = mesh_reference_of_file(ctx, data, len);
    is = uri != NULL;
    if (is)
        mesh_raise(ctx, MESH_R_USAGE,
                   "%.200s is a key-reference file; its URI is %.300s", path,
                   uri);
    OPENSSL_clear_free(data, len);
    OPENSSL_free(uri);
    return is;
}

int target_parse_uri(struct mesh_context *ctx, const char *uri,
                     struct mesh_uri *parsed)
{
    if (!mesh_uri_is(uri))
        return !target_raise_reference(ctx, uri)
               && mesh_raise(ctx, MESH_R_URI_SYNTAX,
                             "'%.200s' is no URI; %s%.200s", uri,
                             names_profile(uri) ? "write mesh://"
                                                : "one is mesh://device/sign",
                             names_profile(uri) ? uri : "");
    return mesh_uri_parse(ctx, uri, parsed);
}

int target_open_uri(struct mesh_context *ctx, const char *uri,
                    struct target *target)
{
    struct mesh_uri parsed;

    memset(target, 0, sizeof(*target));
    if (!target_parse_uri(ctx, uri, &parsed))
        return 0;
    if (parsed.profile[0] == '\0')
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s' names no profile; 'meshctl list' lists "
                          "them",
                          uri);
    if (!mesh_resolve_profile(ctx, parsed.profile, &target->profile,
                              &target->key))
        return 0;
    if (parsed.role[0] == '\0')
        return 1;
    target->key = mesh_profile_one_key(ctx, target->profile, parsed.role);
    if (target->key == NULL)
        target_clear(target);
    return target->key != NULL;
}

int target_open_file(struct mesh_context *ctx, const char *path,
                     struct mesh_profile **profile)
{
    unsigned char *data = NULL;
    size_t len = 0;
    int ok;

    *profile = NULL;
    if (names_profile(path) && !mesh_file_exists(ctx, path))
        return mesh_raise(ctx, MESH_R_FILE_MISSING,
                          "%.200s; the profile is mesh://%.200s", path, path);
    if (target_raise_reference(ctx, path))
        return 0;
    ok = input_read(ctx, path, MESH_PROFILE_FILE_MAX, &data, &len)
         && mesh_profile_parse(ctx, (const char *)data, len, path, profile);
    OPENSSL_clear_free(data, len);
    return ok;
}

void target_clear(struct target *target)
{
    mesh_profile_free(target->profile);
    memset(target, 0, sizeof(*target));
}

int target_find_entry(struct mesh_context *ctx,
                      const struct mesh_layout *layout, const char *fingerprint,
                      const struct mesh_layout_entry **entry)
{
    const struct mesh_layout_entry *other;
    struct mesh_udf udf;

    *entry = NULL;
    if (!mesh_udf_parse(ctx, fingerprint, &udf))
        return 0;
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        other = mesh_layout_entry(layout, i);
        if (!mesh_udf_may_equal(&other->udf, &udf))
            continue;
        if (*entry != NULL)
            return mesh_raise(ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                              "%.100s fits %s and %s; write more of it",
                              fingerprint, (*entry)->name, other->name);
        *entry = other;
    }
    return 1;
}

int target_raise_no_default(struct mesh_context *ctx, const char *word)
{
    return mesh_raise(ctx, MESH_R_NO_DEFAULT,
                      "no default for \"%.64s\" on this device; meshctl "
                      "default sets it, meshctl create makes one",
                      word);
}

const struct mesh_layout_entry *target_entry(struct mesh_context *ctx,
                                             const struct mesh_layout *layout,
                                             const char *text)
{
    const struct mesh_layout_entry *entry;
    char name[MESH_URI_PART_MAX];
    enum mesh_profile_kind kind;
    const char *type;

    if (!mesh_uri_profile_name(ctx, text, name))
        return NULL;
    if (kind_parse(name, &kind, &type)) {
        entry = mesh_layout_default(layout, kind, type);
        if (entry == NULL)
            target_raise_no_default(ctx, name);
    } else if (strchr(name, '@') != NULL) {
        entry = mesh_layout_find_account(layout, name);
        if (entry == NULL)
            mesh_raise(ctx, MESH_R_ACCOUNT,
                       "no personal profile on this device is registered as "
                       "%.100s; 'meshctl refresh %.100s' asks its portal",
                       name, name);
    } else if (target_find_entry(ctx, layout, name, &entry) && entry == NULL) {
        mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN,
                   "%.100s is no profile of this device; 'meshctl list' lists "
                   "them",
                   name);
    }
    return entry;
}
