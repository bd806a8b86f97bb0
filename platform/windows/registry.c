/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading the layout from the registry.  Whatever another program wrote there
 * is ignored if it is of no use, with a line in the trace.
 */
#include "platform/windows/registry.h"

#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>

#define NAME_CHARS  16384           /* of a value, the registry's limit */
#define VALUE_CHARS (64 * 1024 / 2) /* no path is longer */

static const wchar_t *const device_keys[] = {
    L"DeviceProfiles", L"ThisDevice", /* the reference's name */
};

/* The types that have a default; the registry knows no case. */
static const char *const types[] = {"Web", "SSH", "Network", "Mail"};

/* A value of the registry, and room for the largest one. */
struct value {
    struct mesh_context *ctx;
    struct mesh_context quiet;
    const char *home;
    const char *key; /* below home, for the trace */
    wchar_t name[NAME_CHARS];
    DWORD type;
    DWORD chars;                   /* that data has */
    wchar_t data[VALUE_CHARS + 2]; /* with two NULs after them */
};

int mesh_registry_raise(struct mesh_context *ctx, LSTATUS status,
                        const char *key, const char *what)
{
    char text[MESH_WINDOWS_TEXT_MAX];

    return mesh_raise(ctx, MESH_R_FILE_IO, "%.400s: cannot %s: %s", key, what,
                      mesh_windows_text((DWORD)status, text));
}

int mesh_registry_open(struct mesh_context *ctx, const char *home, int write,
                       HKEY *key)
{
    const REGSAM access = write ? KEY_READ | KEY_WRITE : KEY_READ;
    wchar_t *path = mesh_wide(ctx, mesh_registry_path(home));
    HKEY user = NULL;
    LSTATUS status;

    *key = NULL;
    if (path == NULL)
        return 0;
    /* Of this thread's user: HKEY_CURRENT_USER is that of the first one. */
    status = RegOpenCurrentUser(access, &user);
    if (status == ERROR_SUCCESS) {
        status = write ? RegCreateKeyExW(user, path, 0, NULL, 0, access, NULL,
                                         key, NULL)
                       : RegOpenKeyExW(user, path, 0, access, key);
        RegCloseKey(user);
    }
    OPENSSL_free(path);
    if (status == ERROR_SUCCESS)
        return 1;
    *key = NULL;
    return status == ERROR_FILE_NOT_FOUND
           || mesh_registry_raise(ctx, status, home,
                                  write ? "make it" : "open it");
}

/* Opens a key below another; NULL: there is none that can be read. */
static HKEY open_below(struct value *value, HKEY above, const wchar_t *name)
{
    HKEY key = NULL;
    LSTATUS status = RegOpenKeyExW(above, name, 0, KEY_READ, &key);

    if (status == ERROR_SUCCESS)
        return key;
    if (status != ERROR_FILE_NOT_FOUND)
        mesh_registry_raise(&value->quiet, status, value->key, "open it");
    return NULL;
}

static void ignore(struct value *value, const char *why)
{
    char *name = mesh_utf8(NULL, value->name);

    mesh_trace(value->ctx, "%s\\%s: value \"%.100s\" ignored, %s", value->home,
               value->key, name != NULL ? name : "?", why);
    OPENSSL_free(name);
}

/* Reads the i-th value of a key; 0 at the end.  One that is too long is of type
 * REG_NONE, which nobody wants. */
static int read_value(struct value *value, HKEY key, DWORD i)
{
    DWORD name_chars = NAME_CHARS, size = VALUE_CHARS * sizeof(wchar_t);
    LSTATUS status;

    value->name[0] = L'\0';
    status = RegEnumValueW(key, i, value->name, &name_chars, NULL, &value->type,
                           (BYTE *)value->data, &size);
    if (status == ERROR_MORE_DATA) {
        value->type = REG_NONE;
        size = 0;
        mesh_trace(value->ctx,
                   "%s\\%s: the value number %lu is longer than any path",
                   value->home, value->key, i);
    } else if (status != ERROR_SUCCESS) {
        return 0;
    }
    /* whoever wrote it may have left out what ends it */
    value->chars = size / sizeof(wchar_t);
    value->data[value->chars] = value->data[value->chars + 1] = L'\0';
    return 1;
}

/* The string of a value, expanded if it is to be; the caller frees.  NULL: it
 * is none. */
static char *text_of(struct value *value)
{
    wchar_t *expanded = NULL;
    DWORD size = 0;
    char *text;

    if (value->type != REG_SZ && value->type != REG_EXPAND_SZ) {
        ignore(value, "it is no string");
        return NULL;
    }
    if (value->type == REG_EXPAND_SZ) {
        size = ExpandEnvironmentStringsW(value->data, NULL, 0);
        if (size > 0)
            expanded = OPENSSL_zalloc((size + 1) * sizeof(*expanded));
        if (expanded == NULL
            || ExpandEnvironmentStringsW(value->data, expanded, size) != size) {
            ignore(value, "its variables cannot be expanded");
            OPENSSL_free(expanded);
            return NULL;
        }
    }
    text = mesh_utf8(NULL, expanded != NULL ? expanded : value->data);
    OPENSSL_free(expanded);
    if (text == NULL)
        ignore(value, "it is no UTF-16");
    else if (*text == '\0') {
        ignore(value, "it is empty");
        OPENSSL_free(text);
        text = NULL;
    }
    return text;
}

static int is_named(const struct value *value, const wchar_t *name)
{
    return CompareStringOrdinal(value->name, -1, name, -1, TRUE) == CSTR_EQUAL;
}

/* Sets a member to the string of a value, if it is one and not unset, which
 * stands for none. */
static void set_text(json_t *object, const char *member, struct value *value,
                     const char *unset)
{
    char *text = text_of(value);

    if (text != NULL && (unset == NULL || strcmp(text, unset) != 0))
        json_object_set_new(object, member, json_string(text));
    OPENSSL_free(text);
}

static void set_portals(json_t *entry, struct value *value)
{
    const wchar_t *one = value->data, *end = value->data + value->chars;
    json_t *portals;

    if (value->type != REG_MULTI_SZ) {
        ignore(value, "it is no list of strings");
        return;
    }
    portals = json_array();
    for (; one < end && *one != L'\0'; one += wcslen(one) + 1) {
        char *account = mesh_utf8(NULL, one);

        if (account == NULL)
            ignore(value, "an account is no UTF-16");
        else
            json_array_append_new(portals, json_string(account));
        OPENSSL_free(account);
    }
    if (json_array_size(portals) > 0)
        json_object_set(entry, "Portals", portals);
    json_decref(portals);
}

/* Reads a value name, or a key's, that is to be a fingerprint; the caller
 * frees.  NULL: it is none. */
static char *fingerprint_of(struct value *value)
{
    char *name = mesh_utf8(NULL, value->name);
    struct mesh_udf udf;

    if (name != NULL && mesh_udf_decode(name, &udf))
        return name;
    ignore(value, "its name is no fingerprint");
    OPENSSL_free(name);
    return NULL;
}

/* A personal profile, whose name is value->name. */
static void read_personal(struct value *value, HKEY above, json_t *section)
{
    HKEY key = open_below(value, above, value->name);
    char *name = key != NULL ? fingerprint_of(value) : NULL;
    json_t *entry = name != NULL ? json_object() : NULL;
    int in_draft = 0; /* "Portals", which the draft also calls "Portal" */

    for (DWORD i = 0; entry != NULL && read_value(value, key, i); i++) {
        if (value->name[0] == L'\0') {
            set_text(entry, "File", value, NULL);
        } else if (is_named(value, L"Archive")) {
            set_text(entry, "Archive", value, "TBS");
        } else if (is_named(value, L"Portals")) {
            set_portals(entry, value);
            in_draft = 1;
        } else if (is_named(value, L"Portal") && !in_draft) {
            set_portals(entry, value);
        }
    }
    if (entry != NULL && json_object_get(entry, "File") != NULL)
        json_object_set(section, name, entry);
    else if (entry != NULL)
        mesh_trace(value->ctx, "%s\\%s\\%s: ignored, it names no file",
                   value->home, value->key, name);
    json_decref(entry);
    OPENSSL_free(name);
    if (key != NULL)
        RegCloseKey(key);
}

static void read_personals(struct value *value, HKEY key, json_t *section)
{
    for (DWORD i = 0; read_value(value, key, i); i++)
        if (value->name[0] == L'\0')
            set_text(section, "Default", value, NULL);
    for (DWORD i = 0;; i++) {
        DWORD chars = NAME_CHARS;

        if (RegEnumKeyExW(key, i, value->name, &chars, NULL, NULL, NULL, NULL)
            != ERROR_SUCCESS)
            break;
        read_personal(value, key, section);
    }
}

/* An entry that is one value: its name the fingerprint, its data the file. */
static void read_file(struct value *value, json_t *section)
{
    char *name = fingerprint_of(value);
    json_t *entry = name != NULL ? json_object() : NULL;

    if (entry != NULL) {
        set_text(entry, "File", value, NULL);
        if (json_object_size(entry) > 0)
            json_object_set(section, name, entry);
    }
    json_decref(entry);
    OPENSSL_free(name);
}

static void read_devices(struct value *value, HKEY key, json_t *section)
{
    for (DWORD i = 0; read_value(value, key, i); i++) {
        if (value->name[0] == L'\0')
            set_text(section, "Default", value, NULL);
        else
            read_file(value, section);
    }
}

/* The default of a type, spelled as we do. */
static void read_type(struct value *value, json_t *section)
{
    char *type = mesh_utf8(NULL, value->name);
    const char *member = type;

    for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]);
         i++)
        if (OPENSSL_strcasecmp(type, types[i]) == 0)
            member = types[i];
    if (member != NULL && *member != '\0')
        set_text(section, member, value, NULL);
    OPENSSL_free(type);
}

static void read_applications(struct value *value, HKEY key, json_t *section)
{
    for (DWORD i = 0; read_value(value, key, i); i++) {
        if (wcslen(value->name) <= MESH_TYPE_NAME_MAX)
            read_type(value, section);
        else
            read_file(value, section);
    }
}

/* Reads the first of some keys that is there into a section of root. */
static int read_section(struct value *value, HKEY home, json_t *root,
                        enum mesh_profile_kind kind,
                        const wchar_t *const *names, size_t count,
                        void (*read)(struct value *value, HKEY key,
                                     json_t *section))
{
    const char *name = mesh_layout_section(kind);
    json_t *section;
    HKEY key = NULL;

    value->key = name;
    while (key == NULL && count-- > 0)
        key = open_below(value, home, *names++);
    if (key == NULL)
        return 1;
    section = json_object();
    read(value, key, section);
    RegCloseKey(key);
    return json_object_set_new(root, name, section) == 0
           || mesh_raise(value->ctx, MESH_R_MEMORY, "%s", name);
}

int mesh_registry_read(struct mesh_context *ctx, const char *home, int own,
                       json_t **root)
{
    static const wchar_t *const personal[] = {L"PersonalProfiles"},
                                *const application[] = {L"ApplicationProfiles"};
    struct value *value = NULL;
    HKEY key;
    int ok = 0;

    *root = NULL;
    if (!mesh_registry_open(ctx, home, 0, &key))
        return 0;
    *root = json_object();
    value = OPENSSL_malloc(sizeof(*value));
    if (*root == NULL || value == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "%.300s", home);
    } else {
        value->ctx = ctx;
        value->quiet = mesh_context_quiet(ctx);
        value->home = home;
        ok = key == NULL
             || (read_section(value, key, *root, MESH_PROFILE_PERSONAL,
                              personal, 1, read_personals)
                 && read_section(value, key, *root, MESH_PROFILE_APPLICATION,
                                 application, 1, read_applications)
                 && read_section(value, key, *root, MESH_PROFILE_DEVICE,
                                 device_keys, own ? 1 : 2, read_devices));
    }
    if (!ok) {
        json_decref(*root);
        *root = NULL;
    }
    if (key != NULL)
        RegCloseKey(key);
    OPENSSL_free(value);
    return ok;
}

int mesh_tree_load(struct mesh_context *ctx, const char *home, json_t **root)
{
    return mesh_registry_read(ctx, home, 0, root);
}

/* The registry tells no time of a change below a key, so nothing is kept. */
void mesh_tree_look(struct mesh_context *ctx, const char *home,
                    struct mesh_layout_stamp *stamp)
{
    (void)ctx, (void)home;
    memset(stamp, 0, sizeof(*stamp));
}
