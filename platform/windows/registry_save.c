/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writing the layout to the registry: only what changed, so that values of
 * others stay.  Entries come before the defaults that name them and go after
 * them; what is read between two steps is a layout, too.
 */
#include "platform/windows/registry.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>

#define MEMBER_FILE    "File"
#define MEMBER_ARCHIVE "Archive"
#define MEMBER_PORTALS "Portals"
#define OTHER_PORTALS  L"Portal" /* the draft's slip, which we read */

/* Where one section is written. */
struct section {
    struct mesh_context *ctx;
    HKEY key;
    const char *name; /* for errors */
};

static int done(const struct section *section, LSTATUS status)
{
    return status == ERROR_SUCCESS || status == ERROR_FILE_NOT_FOUND
           || mesh_registry_raise(section->ctx, status, section->name,
                                  "write it");
}

/* Sets a value of key, or removes it if text is NULL. */
static int put_text(const struct section *section, HKEY key, const char *name,
                    const char *text)
{
    wchar_t *wide_name = mesh_wide(section->ctx, name), *wide = NULL;
    int ok = wide_name != NULL;

    if (ok && text == NULL) {
        ok = done(section, RegDeleteValueW(key, wide_name));
    } else if (ok) {
        wide = mesh_wide(section->ctx, text);
        ok = wide != NULL
             && done(section, RegSetValueExW(
                                  key, wide_name, 0, REG_SZ, (const BYTE *)wide,
                                  (DWORD)((wcslen(wide) + 1) * sizeof(*wide))));
    }
    OPENSSL_free(wide);
    OPENSSL_free(wide_name);
    return ok;
}

/* The accounts as the registry has them, one after the other, with a NUL at the
 * end of each and of all; *size in octets.  The caller frees. */
static wchar_t *portals_data(struct mesh_context *ctx, const json_t *portals,
                             DWORD *size)
{
    size_t chars = 1, count = json_array_size(portals);
    wchar_t *data, *end;

    for (size_t i = 0; i < count; i++) /* UTF-16 is never longer than UTF-8 */
        chars += json_string_length(json_array_get(portals, i)) + 1;
    if ((data = end = OPENSSL_malloc(chars * sizeof(*data))) == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "accounts of a profile");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *account = json_string_value(json_array_get(portals, i));
        wchar_t *wide = account != NULL && *account != '\0'
                            ? mesh_wide(NULL, account)
                            : NULL;

        if (wide != NULL) {
            memcpy(end, wide, (wcslen(wide) + 1) * sizeof(*wide));
            end += wcslen(wide) + 1;
        }
        OPENSSL_free(wide);
    }
    *end++ = L'\0';
    *size = (DWORD)((size_t)(end - data) * sizeof(*data));
    return data;
}

static int put_portals(const struct section *section, HKEY key,
                       const json_t *portals)
{
    wchar_t *data;
    DWORD size;
    int ok;

    if (!done(section, RegDeleteValueW(key, OTHER_PORTALS)))
        return 0;
    if (json_array_size(portals) == 0)
        return put_text(section, key, MEMBER_PORTALS, NULL);
    if ((data = portals_data(section->ctx, portals, &size)) == NULL)
        return 0;
    ok = done(section, RegSetValueExW(key, L"Portals", 0, REG_MULTI_SZ,
                                      (const BYTE *)data, size));
    OPENSSL_free(data);
    return ok;
}

static const char *text_in(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static int is_same(const json_t *before, const json_t *after,
                   const char *member)
{
    json_t *one = json_object_get(before, member),
           *other = json_object_get(after, member);

    return one == other
           || (one != NULL && other != NULL && json_equal(one, other));
}

/* A personal profile is a key of its own. */
static int put_personal(const struct section *section, const char *name,
                        const json_t *before, const json_t *after)
{
    wchar_t *wide = mesh_wide(section->ctx, name);
    HKEY key = NULL;
    int ok;

    if (wide == NULL)
        return 0;
    if (after == NULL) {
        ok = done(section, RegDeleteTreeW(section->key, wide));
    } else {
        ok = done(section,
                  RegCreateKeyExW(section->key, wide, 0, NULL, 0,
                                  KEY_READ | KEY_WRITE, NULL, &key, NULL))
             && (is_same(before, after, MEMBER_ARCHIVE)
                 || put_text(section, key, MEMBER_ARCHIVE,
                             text_in(after, MEMBER_ARCHIVE)))
             && (is_same(before, after, MEMBER_PORTALS)
                 || put_portals(section, key,
                                json_object_get(after, MEMBER_PORTALS)))
             && (is_same(before, after, MEMBER_FILE)
                 || put_text(section, key, "", text_in(after, MEMBER_FILE)));
        if (key != NULL)
            RegCloseKey(key);
    }
    OPENSSL_free(wide);
    return ok;
}

/* Of others the registry has the file alone. */
static int put_file(const struct section *section, const char *name,
                    const json_t *before, const json_t *after)
{
    return is_same(before, after, MEMBER_FILE)
           || put_text(section, section->key, name,
                       text_in(after, MEMBER_FILE));
}

typedef int put_fn(const struct section *section, const char *name,
                   const json_t *before, const json_t *after);

/* Writes the entries of after that are new or changed, or removes those of
 * before that it lacks. */
static int put_entries(const struct section *section, json_t *before,
                       json_t *after, int removing, put_fn *put)
{
    json_t *all = removing ? before : after, *value;
    const char *name;

    json_object_foreach (all, name, value) {
        json_t *old = json_object_get(before, name),
               *new = json_object_get(after, name);

        if (!json_is_object(value) || json_is_object(new) == removing
            || (!removing && json_is_object(old) && json_equal(old, new)))
            continue;
        if (!put(section, name, json_is_object(old) ? old : NULL,
                 removing ? NULL : new))
            return 0;
    }
    return 1;
}

/* The same for the defaults. */
static int put_defaults(const struct section *section, json_t *before,
                        json_t *after, int removing)
{
    json_t *all = removing ? before : after, *value;
    const char *name;

    json_object_foreach (all, name, value) {
        const char *text = text_in(removing ? after : before, name);

        if (!json_is_string(value)
            || (text != NULL
                && (removing || strcmp(text, json_string_value(value)) == 0)))
            continue;
        if (!put_text(section, section->key,
                      strcmp(name, "Default") == 0 ? "" : name,
                      removing ? NULL : json_string_value(value)))
            return 0;
    }
    return 1;
}

static int put_section(struct mesh_context *ctx, HKEY home, const char *name,
                       json_t *before, json_t *after, put_fn *put)
{
    struct section section = {.ctx = ctx, .name = name};
    wchar_t *wide = mesh_wide(ctx, name);
    int ok;

    if (wide == NULL)
        return 0;
    ok = done(&section,
              RegCreateKeyExW(home, wide, 0, NULL, 0, KEY_READ | KEY_WRITE,
                              NULL, &section.key, NULL))
         && put_entries(&section, before, after, 0, put)
         && put_defaults(&section, before, after, 0)
         && put_defaults(&section, before, after, 1)
         && put_entries(&section, before, after, 1, put);
    if (section.key != NULL)
        RegCloseKey(section.key);
    OPENSSL_free(wide);
    return ok;
}

/* Writes what root says and loaded does not.  own is what the keys have that we
 * write: of devices, loaded may have come from elsewhere. */
static int put_all(struct mesh_context *ctx, HKEY home, const json_t *loaded,
                   const json_t *own, const json_t *root)
{
    static put_fn *const puts[] = {
        [MESH_PROFILE_PERSONAL] = put_personal,
        [MESH_PROFILE_DEVICE] = put_file,
        [MESH_PROFILE_APPLICATION] = put_file,
    };

    for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
        const char *name = mesh_layout_section((enum mesh_profile_kind)i);

        if (!is_same(loaded, root, name)
            && !put_section(ctx, home, name, json_object_get(own, name),
                            json_object_get(root, name), puts[i]))
            return 0;
    }
    return 1;
}

/* After a failure: what was there before, as far as it can be had. */
static void put_back(struct mesh_context *ctx, const char *home, HKEY key,
                     const json_t *before)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    json_t *now;

    if (mesh_registry_read(&quiet, home, 1, &now))
        put_all(&quiet, key, now, now, before);
    json_decref(now);
}

int mesh_tree_save(struct mesh_context *ctx, const char *home,
                   const json_t *root)
{
    json_t *loaded = NULL, *own = NULL;
    HKEY key = NULL;
    LSTATUS status;
    int ok = 0;

    if (!mesh_registry_read(ctx, home, 0, &loaded)
        || !mesh_registry_read(ctx, home, 1, &own)
        || !mesh_registry_open(ctx, home, 1, &key))
        goto end;
    ok = put_all(ctx, key, loaded, own, root);
    if (!ok)
        put_back(ctx, home, key, own);
    else if ((status = RegFlushKey(key)) != ERROR_SUCCESS)
        mesh_trace(ctx, "%s is not on the disk yet: error %ld", home,
                   (long)status);
end:
    if (key != NULL)
        RegCloseKey(key);
    json_decref(loaded);
    json_decref(own);
    return ok;
}
