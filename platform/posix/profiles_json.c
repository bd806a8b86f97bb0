/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * profiles.json: the layout of draft-hallambaker-mesh-platform, section 3, in
 * one file that mirrors the registry of section 3.1.
 */
#include "platform/posix/profiles_json.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>

#define MASTER_FILE     "profiles.json"
#define MASTER_FILE_MAX (64u << 20)
#define DEPTH_MAX       64 /* ours have 3; what we keep of others, too */
#define TYPE_NAME_MAX   10 /* a longer member is a fingerprint */

static const char *const sections[] = {
    [MESH_PROFILE_PERSONAL] = "PersonalProfiles",
    [MESH_PROFILE_DEVICE] = "DeviceProfiles",
    [MESH_PROFILE_APPLICATION] = "ApplicationProfiles",
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static const char *const no_portals[] = {NULL};

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

/* Reads the file into *root; the caller json_decref()s. */
static int load(struct mesh_context *ctx, const char *home, json_t **root)
{
    char *path = mesh_path(ctx, "%s/" MASTER_FILE, home);
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

static int save(struct mesh_context *ctx, const char *home, const json_t *root)
{
    char *path = mesh_path(ctx, "%s/" MASTER_FILE, home), *text = NULL;
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

/* The path that a member says, or the standard place. */
static char *entry_path(struct mesh_context *ctx, const char *home,
                        const char *name, const char *given, const char *ending)
{
    if (given == NULL || *given == '\0')
        return mesh_path(ctx, "%s/%s/%s%s", home, name, name, ending);
    if (mesh_path_climbs(given)) {
        mesh_raise(ctx, MESH_R_UNSAFE_PATH,
                   "%.200s, the file of %.80s in %s/" MASTER_FILE
                   ": \"..\" is not allowed",
                   given, name, home);
        return NULL;
    }
    if (given[0] == '/')
        return mesh_path(ctx, "%s", given);
    return mesh_path(ctx, "%s/%s", home, given);
}

/* The strings of an array, NULL-terminated; anything else is no account. */
static const char *const *read_portals(struct mesh_context *ctx,
                                       const json_t *array)
{
    size_t size = json_array_size(array), count = 0;
    const char **portals;

    if (size == 0)
        return no_portals;
    portals = OPENSSL_zalloc((size + 1) * sizeof(*portals));
    if (portals == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "accounts of a profile");
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        const char *account = json_string_value(json_array_get(array, i));

        if (account != NULL)
            portals[count++] = account;
    }
    return portals;
}

static int read_entry(struct mesh_context *ctx, struct mesh_layout *layout,
                      enum mesh_profile_kind kind, const char *name,
                      const json_t *value)
{
    /* Counted at once, so that it is freed whatever happens. */
    struct mesh_layout_entry *entry = &layout->entries[layout->count++];

    entry->kind = kind;
    entry->name = name;
    if (!mesh_udf_decode(name, &entry->udf))
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "%s/" MASTER_FILE
                          ": \"%.80s\" in %s is no fingerprint",
                          layout->home, name, sections[kind]);
    entry->file = entry_path(ctx, layout->home, name,
                             json_string_value(json_object_get(value, "File")),
                             MESH_FILE_ENDING);
    entry->archive =
        entry->file == NULL
            ? NULL
            : entry_path(ctx, layout->home, name,
                         json_string_value(json_object_get(value, "Archive")),
                         MESH_ARCHIVE_ENDING);
    if (entry->archive == NULL)
        return 0;
    entry->portals = read_portals(ctx, json_object_get(value, "Portals"));
    return entry->portals != NULL;
}

/* What is no object is a default, or nothing that we know; nothing in the file
 * is refused for being new. */
static int read_section(struct mesh_context *ctx, struct mesh_layout *layout,
                        enum mesh_profile_kind kind)
{
    json_t *section = json_object_get(layout->root, sections[kind]), *value;
    const char *name;

    json_object_foreach (section, name, value) {
        if (!json_is_object(value)
            || (kind == MESH_PROFILE_APPLICATION
                && strlen(name) <= TYPE_NAME_MAX))
            continue;
        if (!read_entry(ctx, layout, kind, name, value))
            return 0;
    }
    return 1;
}

/* What file it is, before it is read: one that is replaced meanwhile is then
 * another one. */
static int look(struct mesh_context *ctx, const char *home, struct stat *st)
{
    char *path = mesh_path(ctx, "%s/" MASTER_FILE, home);
    int ok = path != NULL && lstat(path, st) == 0;

    OPENSSL_free(path);
    return ok;
}

int mesh_layout_open(struct mesh_context *ctx, struct mesh_layout **layout)
{
    struct mesh_layout *made = OPENSSL_zalloc(sizeof(*made));
    struct stat st = {0};
    size_t most = 1;

    *layout = NULL;
    if (made == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "layout");
    if ((made->home = mesh_layout_home(ctx)) == NULL)
        goto failed;
    if (ctx->kept != NULL && look(ctx, made->home, &st)
        && (*layout = mesh_layout_take_kept(ctx, made->home, &st)) != NULL) {
        mesh_layout_destroy(made);
        return 1;
    }
    if (!load(ctx, made->home, &made->root))
        goto failed;
    for (size_t i = 0; i < SECTIONS; i++)
        most += json_object_size(json_object_get(made->root, sections[i]));
    made->entries = OPENSSL_zalloc(most * sizeof(*made->entries));
    if (made->entries == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "layout of %zu profiles", most);
        goto failed;
    }
    for (size_t i = 0; i < SECTIONS; i++)
        if (!read_section(ctx, made, (enum mesh_profile_kind)i))
            goto failed;
    if (!mesh_key_files_read(ctx, made))
        goto failed;
    mesh_layout_may_keep(ctx, made, &st);
    *layout = made;
    return 1;

failed:
    mesh_layout_destroy(made);
    return 0;
}

void mesh_layout_free(struct mesh_layout *layout)
{
    if (layout != NULL && !mesh_layout_give_kept(layout))
        mesh_layout_destroy(layout);
}

void mesh_layout_destroy(struct mesh_layout *layout)
{
    if (layout == NULL)
        return;
    for (size_t i = 0; i < layout->count; i++) {
        struct mesh_layout_entry *entry = &layout->entries[i];

        OPENSSL_free((char *)entry->file);
        OPENSSL_free((char *)entry->archive);
        if (entry->portals != no_portals)
            OPENSSL_free((char **)entry->portals);
    }
    OPENSSL_free(layout->entries);
    OPENSSL_free(layout->key_files);
    OPENSSL_free(layout->home);
    json_decref(layout->root);
    OPENSSL_free(layout);
}

size_t mesh_layout_count(const struct mesh_layout *layout)
{
    return layout->count;
}

const struct mesh_layout_entry *
mesh_layout_entry(const struct mesh_layout *layout, size_t i)
{
    return i < layout->count ? &layout->entries[i] : NULL;
}

const struct mesh_layout_entry *
mesh_layout_find(const struct mesh_layout *layout, enum mesh_profile_kind kind,
                 const struct mesh_udf *udf)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->entries[i].kind == kind
            && mesh_udf_may_equal(&layout->entries[i].udf, udf))
            return &layout->entries[i];
    return NULL;
}

const struct mesh_layout_entry *
mesh_layout_find_account(const struct mesh_layout *layout, const char *account)
{
    for (size_t i = 0; i < layout->count; i++) {
        const char *const *portal = layout->entries[i].portals;

        for (; *portal != NULL; portal++)
            if (OPENSSL_strcasecmp(*portal, account) == 0)
                return &layout->entries[i];
    }
    return NULL;
}

/* Member that says the default of a kind; NULL if type does not fit. */
static const char *default_member(enum mesh_profile_kind kind, const char *type)
{
    if (kind != MESH_PROFILE_APPLICATION)
        return type == NULL ? "Default" : NULL;
    return type != NULL && *type != '\0' && strlen(type) <= TYPE_NAME_MAX
               ? type
               : NULL;
}

const struct mesh_layout_entry *
mesh_layout_default(const struct mesh_layout *layout,
                    enum mesh_profile_kind kind, const char *type)
{
    const char *member = default_member(kind, type), *name;
    struct mesh_udf udf;

    if (member == NULL)
        return NULL;
    name = json_string_value(
        json_object_get(json_object_get(layout->root, sections[kind]), member));
    return name != NULL && mesh_udf_decode(name, &udf)
               ? mesh_layout_find(layout, kind, &udf)
               : NULL;
}

int mesh_profiles_change(struct mesh_context *ctx,
                         mesh_profiles_change_fn *change, const void *arg)
{
    char *home = mesh_layout_home(ctx);
    json_t *root = NULL;
    int lock = -1, ok = 0;

    if (home != NULL && mesh_layout_lock_change(ctx, &lock))
        ok = load(ctx, home, &root) && change(ctx, root, arg)
             && save(ctx, home, root);
    mesh_layout_unlock(lock);
    json_decref(root);
    OPENSSL_free(home);
    return ok;
}

json_t *mesh_profiles_section(struct mesh_context *ctx, json_t *root,
                              const char *name)
{
    json_t *section = json_object_get(root, name);

    if (section == NULL) {
        section = json_object();
        if (json_object_set_new(root, name, section) != 0) {
            mesh_raise(ctx, MESH_R_MEMORY, "%s", name);
            return NULL;
        }
    }
    if (!json_is_object(section)) {
        mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                   MASTER_FILE ": %s is no object, so nothing can be added",
                   name);
        return NULL;
    }
    return section;
}

const char *mesh_profiles_member(json_t *section, const struct mesh_udf *udf)
{
    struct mesh_udf other;
    const char *name;
    json_t *value;

    json_object_foreach (section, name, value) {
        if (json_is_object(value) && mesh_udf_decode(name, &other)
            && mesh_udf_may_equal(&other, udf))
            return name;
    }
    return NULL;
}

json_t *mesh_profiles_entry(struct mesh_context *ctx, json_t *root,
                            const char *section, const char *name)
{
    json_t *object = mesh_profiles_section(ctx, root, section), *entry;
    struct mesh_udf udf;
    const char *member;

    if (object == NULL || !mesh_udf_parse(ctx, name, &udf))
        return NULL;
    if ((member = mesh_profiles_member(object, &udf)) != NULL)
        return json_object_get(object, member);
    entry = json_object();
    if (json_object_set_new(object, name, entry) != 0) {
        mesh_raise(ctx, MESH_R_MEMORY, "%s", name);
        return NULL;
    }
    return entry;
}

struct change {
    enum mesh_profile_kind kind;
    const char *udf, *type;
    const char *const *portals;
};

/* The object of a profile's files and accounts, what else it has stays. */
static int set_entry(json_t *entry, const struct change *change)
{
    const char *udf = change->udf;
    json_t *file = json_sprintf("%s/%s" MESH_FILE_ENDING, udf, udf);
    json_t *archive = json_sprintf("%s/%s" MESH_ARCHIVE_ENDING, udf, udf);
    json_t *portals = json_array();
    int failed = json_object_set_new(entry, "File", file)
                 | json_object_set_new(entry, "Archive", archive);

    for (size_t i = 0; change->portals != NULL && change->portals[i] != NULL;
         i++)
        failed |=
            json_array_append_new(portals, json_string(change->portals[i]));
    if (json_array_size(portals) != 0)
        failed |= json_object_set(entry, "Portals", portals);
    else
        json_object_del(entry, "Portals");
    json_decref(portals);
    return failed == 0;
}

static int add(struct mesh_context *ctx, json_t *root, const void *arg)
{
    const struct change *change = arg;
    json_t *entry =
        mesh_profiles_entry(ctx, root, sections[change->kind], change->udf);

    if (entry == NULL)
        return 0;
    if (!set_entry(entry, change))
        return mesh_raise(ctx, MESH_R_USAGE, "an account of %s is not UTF-8",
                          change->udf);
    return 1;
}

static int set_default(struct mesh_context *ctx, json_t *root, const void *arg)
{
    const struct change *change = arg;
    const char *member = default_member(change->kind, change->type), *name;
    json_t *section = mesh_profiles_section(ctx, root, sections[change->kind]);
    struct mesh_udf udf;

    if (section == NULL)
        return 0;
    if (change->udf == NULL) {
        json_object_del(section, member);
        return 1;
    }
    if (!mesh_udf_parse(ctx, change->udf, &udf))
        return 0;
    name = mesh_profiles_member(section, &udf);
    if (name == NULL)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN,
                          "%s is not among the %s", change->udf,
                          sections[change->kind]);
    if (json_object_set_new(section, member, json_string(name)) != 0)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", change->udf);
    return 1;
}

static int forget(struct mesh_context *ctx, json_t *root, const void *arg)
{
    const struct change *change = arg;
    json_t *section = mesh_profiles_section(ctx, root, sections[change->kind]);
    struct mesh_udf udf, other;
    const char *name;
    json_t *value;
    void *next;

    if (section == NULL || !mesh_udf_parse(ctx, change->udf, &udf))
        return 0;
    name = mesh_profiles_member(section, &udf);
    if (name == NULL)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN,
                          "%s is not among the %s", change->udf,
                          sections[change->kind]);
    json_object_del(section, name);
    json_object_foreach_safe(section, next, name, value)
    {
        const char *text = json_string_value(value);

        if (text != NULL && mesh_udf_decode(text, &other)
            && mesh_udf_may_equal(&other, &udf))
            json_object_del(section, name);
    }
    /* undoing the first profile of a section leaves the file as it was */
    if (json_object_size(section) == 0)
        json_object_del(root, sections[change->kind]);
    return 1;
}

int mesh_layout_add(struct mesh_context *ctx, enum mesh_profile_kind kind,
                    const char *udf, const char *const *portals)
{
    struct change change = {.kind = kind, .udf = udf, .portals = portals};

    return mesh_profiles_change(ctx, add, &change);
}

int mesh_layout_set_default(struct mesh_context *ctx,
                            enum mesh_profile_kind kind, const char *type,
                            const char *udf)
{
    struct change change = {.kind = kind, .udf = udf, .type = type};

    if (default_member(kind, type) == NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "a default of %s for the type \"%.80s\": an "
                          "application has a type of at most %d characters, "
                          "the others have none",
                          sections[kind], type == NULL ? "" : type,
                          TYPE_NAME_MAX);
    return mesh_profiles_change(ctx, set_default, &change);
}

int mesh_layout_remove(struct mesh_context *ctx, enum mesh_profile_kind kind,
                       const char *udf)
{
    struct change change = {.kind = kind, .udf = udf};

    return mesh_profiles_change(ctx, forget, &change);
}
