/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout of draft-hallambaker-mesh-platform, section 3: a tree that has the
 * shape of the registry of section 3.1, wherever the system keeps it.
 */
#include "platform/layout.h"

#include "platform/layout_tree.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const sections[] = {
    [MESH_PROFILE_PERSONAL] = "PersonalProfiles",
    [MESH_PROFILE_DEVICE] = "DeviceProfiles",
    [MESH_PROFILE_APPLICATION] = "ApplicationProfiles",
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static const char *const no_portals[] = {NULL};

const char *mesh_layout_section(enum mesh_profile_kind kind)
{
    return sections[kind];
}

char *mesh_path(struct mesh_context *ctx, const char *fmt, ...)
{
    va_list args;
    char *path;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    path = len < 0 ? NULL : OPENSSL_malloc((size_t)len + 1);
    if (path == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "path");
        return NULL;
    }
    va_start(args, fmt);
    vsnprintf(path, (size_t)len + 1, fmt, args);
    va_end(args);
    return path;
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
                          "%s" MESH_LAYOUT_MASTER
                          ": \"%.80s\" in %s is no fingerprint",
                          layout->home, name, sections[kind]);
    entry->file =
        mesh_tree_file(ctx, layout->home, name,
                       json_string_value(json_object_get(value, "File")));
    if (entry->file == NULL)
        return 0;
    entry->archive = mesh_tree_archive(
        ctx, layout->home, name,
        json_string_value(json_object_get(value, "Archive")), entry->file);
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
                && strlen(name) <= MESH_TYPE_NAME_MAX))
            continue;
        if (!read_entry(ctx, layout, kind, name, value))
            return 0;
    }
    return 1;
}

int mesh_layout_open(struct mesh_context *ctx, struct mesh_layout **layout)
{
    struct mesh_layout *made = OPENSSL_zalloc(sizeof(*made));
    struct mesh_layout_stamp stamp = {{0}};
    size_t most = 1;

    *layout = NULL;
    if (made == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "layout");
    if ((made->home = mesh_layout_home(ctx)) == NULL)
        goto failed;
    if (ctx->kept != NULL) {
        mesh_tree_look(ctx, made->home, &stamp);
        *layout = mesh_layout_take_kept(ctx, made->home, &stamp);
        if (*layout != NULL) {
            mesh_layout_destroy(made);
            return 1;
        }
    }
    if (!mesh_tree_load(ctx, made->home, &made->root))
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
    mesh_layout_may_keep(ctx, made, &stamp);
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

        if (layout->entries[i].kind != MESH_PROFILE_PERSONAL)
            continue;
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
    return type != NULL && *type != '\0' && strlen(type) <= MESH_TYPE_NAME_MAX
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
    mesh_lock lock = MESH_LOCK_NONE;
    int ok = 0;

    if (home != NULL && mesh_layout_lock_change(ctx, &lock))
        ok = mesh_tree_load(ctx, home, &root) && change(ctx, root, arg)
             && mesh_tree_save(ctx, home, root);
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
                   "%s is no object, so nothing can be added to the layout",
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

/* A member that says the standard place of a file; 0 with the error raised. */
static int set_path(struct mesh_context *ctx, json_t *entry, const char *udf,
                    const char *member, const char *ending)
{
    char *path = mesh_tree_entered(ctx, udf, ending);
    int ok = path != NULL
             && (json_object_set_new(entry, member, json_string(path)) == 0
                 || mesh_raise(ctx, MESH_R_MEMORY, "%s", path));

    OPENSSL_free(path);
    return ok;
}

/* The accounts of a profile; none are no member. */
static int set_portals(json_t *entry, const struct change *change)
{
    json_t *portals = json_array();
    int failed = portals == NULL;

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
    if (!set_path(ctx, entry, change->udf, "File", MESH_FILE_ENDING)
        || !set_path(ctx, entry, change->udf, "Archive", MESH_ARCHIVE_ENDING))
        return 0;
    if (!set_portals(entry, change))
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

/* The entry of the profile that a change is of; NULL is raised. */
static json_t *changed_entry(struct mesh_context *ctx, json_t *root,
                             const struct change *change)
{
    const char *section = sections[change->kind], *name;
    json_t *object = mesh_profiles_section(ctx, root, section);
    struct mesh_udf udf;

    if (object == NULL || !mesh_udf_parse(ctx, change->udf, &udf))
        return NULL;
    if ((name = mesh_profiles_member(object, &udf)) != NULL)
        return json_object_get(object, name);
    mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN, "%s is not among the %s",
               change->udf, section);
    return NULL;
}

static int is_account(const json_t *item, const char *account)
{
    const char *text = json_string_value(item);

    return text != NULL && OPENSSL_strcasecmp(text, account) == 0;
}

/* Behind those that it has. */
static int add_account(struct mesh_context *ctx, json_t *root, const void *arg)
{
    const struct change *change = arg;
    const char *account = change->portals[0];
    json_t *entry = changed_entry(ctx, root, change), *list, *item;
    size_t i;

    if (entry == NULL)
        return 0;
    if (!json_is_array(json_object_get(entry, "Portals")))
        json_object_set_new(entry, "Portals", json_array());
    list = json_object_get(entry, "Portals");
    json_array_foreach (list, i, item)
        if (is_account(item, account))
            return 1;
    return json_array_append_new(list, json_string(account)) == 0
           || mesh_raise(ctx, MESH_R_USAGE, "account %.100s is not UTF-8",
                         account);
}

/* However often it is there; none that are left are no member. */
static int remove_account(struct mesh_context *ctx, json_t *root,
                          const void *arg)
{
    const struct change *change = arg;
    const char *account = change->portals[0];
    json_t *entry = changed_entry(ctx, root, change), *list;
    size_t before;

    if (entry == NULL)
        return 0;
    list = json_object_get(entry, "Portals");
    before = json_array_size(list);
    for (size_t i = before; i-- > 0;)
        if (is_account(json_array_get(list, i), account))
            json_array_remove(list, i);
    if (json_array_size(list) == before)
        return mesh_raise(ctx, MESH_R_ACCOUNT,
                          "personal profile %s is not registered as %.100s; "
                          "'meshctl show' shows its accounts",
                          change->udf, account);
    if (json_array_size(list) == 0)
        json_object_del(entry, "Portals");
    return 1;
}

static int change_account(struct mesh_context *ctx,
                          mesh_profiles_change_fn *how, const char *udf,
                          const char *account)
{
    const char *const portals[] = {account, NULL};
    struct change change = {
        .kind = MESH_PROFILE_PERSONAL, .udf = udf, .portals = portals};

    return mesh_profiles_change(ctx, how, &change);
}

int mesh_layout_add_account(struct mesh_context *ctx, const char *udf,
                            const char *account)
{
    return change_account(ctx, add_account, udf, account);
}

int mesh_layout_remove_account(struct mesh_context *ctx, const char *udf,
                               const char *account)
{
    return change_account(ctx, remove_account, udf, account);
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
                          MESH_TYPE_NAME_MAX);
    return mesh_profiles_change(ctx, set_default, &change);
}

int mesh_layout_remove(struct mesh_context *ctx, enum mesh_profile_kind kind,
                       const char *udf)
{
    struct change change = {.kind = kind, .udf = udf};

    return mesh_profiles_change(ctx, forget, &change);
}
