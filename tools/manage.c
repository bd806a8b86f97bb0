/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl default, delete and lock.
 */
#include "store/locate.h"
#include "store/make_key.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/role.h"
#include "store/trust.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/host.h"
#include "tools/target.h"

#include <stdio.h>
#include <string.h>

static int add_default(json_t *defaults, const struct mesh_layout *layout,
                       enum mesh_profile_kind kind, const char *type)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_default(layout, kind, type);

    return entry == NULL
           || json_object_set_new(defaults,
                                  type != NULL ? type : mesh_kind_word(kind),
                                  json_string(entry->name))
                  == 0;
}

/* {"device": fingerprint, …}; NULL is raised. */
static json_t *all_defaults(struct mesh_context *ctx,
                            const struct mesh_layout *layout)
{
    json_t *defaults = json_object();
    const char *type;
    int ok = add_default(defaults, layout, MESH_PROFILE_DEVICE, NULL)
             && add_default(defaults, layout, MESH_PROFILE_PERSONAL, NULL);

    for (size_t i = 0; ok && (type = mesh_application_type(i)) != NULL; i++)
        ok = add_default(defaults, layout, MESH_PROFILE_APPLICATION, type);
    if (ok)
        return defaults;
    json_decref(defaults);
    mesh_raise(ctx, MESH_R_MEMORY, "defaults");
    return NULL;
}

static int print_defaults(struct mesh_context *ctx,
                          const struct mesh_layout *layout, int json)
{
    json_t *defaults = all_defaults(ctx, layout), *value;
    const char *name;
    int ok = defaults != NULL;

    if (ok && json)
        ok = command_json(ctx, defaults);
    else
        json_object_foreach (defaults, name, value)
            printf("%-8s  %s\n", name, json_string_value(value));
    json_decref(defaults);
    return ok;
}

static int set_default(struct mesh_context *ctx,
                       const struct mesh_layout *layout,
                       enum mesh_profile_kind kind, const char *type,
                       const char *profile_name)
{
    const struct mesh_layout_entry *entry =
        target_entry(ctx, layout, profile_name);
    struct mesh_profile *profile = NULL;
    const char *is = NULL;
    int ok;

    if (entry == NULL)
        return 0;
    if (entry->kind != kind)
        return mesh_raise(ctx, MESH_R_PROFILE_KIND,
                          "%s is of kind %s and cannot be the default for %s",
                          entry->name, mesh_kind_word(entry->kind),
                          type != NULL ? type : mesh_kind_word(kind));
    if (type != NULL) {
        if (!mesh_locate(ctx, layout, entry, MESH_LOCATE_QUICK, &profile))
            return 0;
        is = mesh_application_type_of(profile->type);
        ok = is != NULL && strcmp(is, type) == 0
                 ? 1
                 : mesh_raise(ctx, MESH_R_PROFILE_KIND,
                              "%s is a %.50s and cannot be the default for %s",
                              entry->name, profile->type, type);
        mesh_profile_free(profile);
        if (!ok)
            return 0;
    }
    return mesh_layout_set_default(ctx, kind, type, entry->name);
}

int command_default(struct mesh_context *ctx, int argc, char **argv)
{
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout = NULL;
    enum mesh_profile_kind kind = MESH_PROFILE_DEVICE;
    const char *type;
    int none = 0, json = 0, ok = 1;
    const struct command_option options[] = {
        {"none", NULL, &none, 0},
        {"json", NULL, &json, 0},
        {NULL, NULL, NULL, 0},
    };

    if (!command_options(ctx, &argc, &argv, options, 0, 2))
        return 0;
    if (none && argc != 1)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--none wants a kind or type, and no profile");
    if (json && argc > 0)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--json is for the list of all defaults");
    if (argc > 0 && !kind_parse(argv[0], &kind, &type))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s'; there are device, personal, web, ssh, "
                          "network, mail",
                          argv[0]);
    if (!mesh_layout_open(ctx, &layout))
        return 0;
    if (argc == 0)
        ok = print_defaults(ctx, layout, json);
    else if (none)
        ok = mesh_layout_set_default(ctx, kind, type, NULL);
    else if (argc == 2)
        ok = set_default(ctx, layout, kind, type, argv[1]);
    else if ((entry = mesh_layout_default(layout, kind, type)) != NULL)
        puts(entry->name);
    else
        ok = mesh_raise(ctx, MESH_R_NO_DEFAULT,
                        "%.100s; set one: meshctl default %.100s PROFILE",
                        argv[0], argv[0]);
    mesh_layout_free(layout);
    return ok;
}

/* Asks on the terminal whether to go on. */
static int confirm(struct mesh_context *ctx, const char *what, const char *name,
                   const char *with)
{
    char answer[8] = "";

    if (!host_is_terminal(stdin))
        return mesh_raise(ctx, MESH_R_NO_TERMINAL,
                          "nobody can be asked whether to delete the %s %s; "
                          "use --yes",
                          what, name);
    fprintf(stderr, "Delete the %s %s%s for ever? Type yes: ", what, name,
            with);
    if (fgets(answer, sizeof(answer), stdin) == NULL
        || strcmp(answer, "yes\n") != 0) {
        command_note("nothing was deleted");
        return 0;
    }
    return 1;
}

/* Deletes the private keys of a profile that this device holds; never those of
 * another one, whose file lies in its place. */
static int delete_keys(struct mesh_context *ctx,
                       const struct mesh_layout_entry *entry)
{
    struct mesh_profile *profile = NULL;
    struct mesh_key_name name;
    int named = 0, held;
    int ok =
        mesh_profile_read(ctx, entry->file, &profile)
        && mesh_trust_name(ctx, profile, &entry->udf, &named)
        && (named
            || mesh_raise(ctx, MESH_R_PROFILE_NAME,
                          "%s: the profile is %.64s, the layout says %.64s",
                          entry->file, profile->identifier, entry->name));

    if (!ok)
        command_note("so its keys are not known; without --keys it can be "
                     "deleted, after 'meshctl repair' perhaps with them");
    for (size_t i = 0; ok && i < profile->keys_count; i++)
        ok = mesh_key_name_of(ctx, profile->keys[i].public, &name)
             && mesh_keystore_holds(ctx, &name, &held)
             && (!held || mesh_keystore_delete(ctx, &name));
    mesh_profile_free(profile);
    return ok;
}

/* Whether a personal profile lists an application. */
static int lists(const struct mesh_profile *personal,
                 const struct mesh_layout_entry *application)
{
    struct mesh_udf udf;

    for (size_t i = 0; i < personal->applications_count; i++)
        if (mesh_udf_decode(personal->applications[i].identifier, &udf)
            && mesh_udf_may_equal(&udf, &application->udf))
            return 1;
    return 0;
}

/* A personal profile is what the applications that it lists are verified by. */
static int check_in_use(struct mesh_context *ctx,
                        const struct mesh_layout *layout,
                        const struct mesh_layout_entry *entry)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *profile = NULL;
    char names[300] = "";

    /* A broken one verifies nothing any more. */
    if (entry->kind != MESH_PROFILE_PERSONAL
        || !mesh_locate(&quiet, layout, entry, MESH_LOCATE_QUICK, &profile))
        return 1;
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *other = mesh_layout_entry(layout, i);

        if (other->kind != MESH_PROFILE_APPLICATION || !lists(profile, other))
            continue;
        OPENSSL_strlcat(names, names[0] != '\0' ? ", " : "", sizeof(names));
        OPENSSL_strlcat(names, other->name, sizeof(names));
    }
    mesh_profile_free(profile);
    return names[0] == '\0'
           || mesh_raise(ctx, MESH_R_IN_USE,
                         "personal profile %s proves the application profiles "
                         "of this device; delete these first: %s",
                         entry->name, names);
}

/* Keys first: as long as the profile is there a failure can be repeated. */
static int delete_profile(struct mesh_context *ctx,
                          const struct mesh_layout_entry *entry, int keys)
{
    char *standard = mesh_layout_standard_file(ctx, entry->name);
    int ok = standard != NULL && (!keys || delete_keys(ctx, entry))
             && mesh_layout_remove(ctx, entry->kind, entry->name);

    if (ok) {
        ok = mesh_file_remove(ctx, entry->file);
        ok &= mesh_file_remove(ctx, entry->archive);
        /* Its folder, if it is ours and nothing else is in it. */
        if (strcmp(standard, entry->file) == 0)
            mesh_file_remove_folder(ctx, standard);
    }
    OPENSSL_free(standard);
    return ok;
}

/* The key store's own name of a key that no profile here has.  0, and nothing
 * raised, if it does not hold such a key, or several. */
static int find_stored_key(struct mesh_context *ctx, const char *fingerprint,
                           struct mesh_key_name *name)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_keystore_item *items = NULL;
    struct mesh_udf udf, own;
    size_t count = 0, found = 0;

    if (!mesh_udf_parse(&quiet, fingerprint, &udf)
        || !mesh_keystore_list(&quiet, &items, &count))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (mesh_udf_parse(&quiet, items[i].name.udf, &own)
            && mesh_udf_may_equal(&own, &udf)) {
            *name = items[i].name;
            found++;
        }
    OPENSSL_free(items);
    return found == 1;
}

/* Finds the key that a URI names: of a profile, *target, or of the key store
 * alone. */
static int find_key(struct mesh_context *ctx, const char *uri,
                    const struct mesh_uri *parsed, struct target *target,
                    struct mesh_key_name *name)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);

    if (!target_open_uri(&quiet, uri, target)) {
        if (failure.reason == MESH_R_FINGERPRINT_UNKNOWN
            && parsed->role[0] == '\0'
            && find_stored_key(ctx, parsed->profile, name))
            return 1;
        return mesh_raise(ctx, failure.reason, "%s", failure.text);
    }
    return target->key != NULL
               ? mesh_key_name_of(ctx, target->key->public, name)
               : mesh_raise(ctx, MESH_R_PROFILE_MISSING,
                            "%s profile %s is not in the layout of this device",
                            mesh_kind_word(target->profile->kind),
                            target->profile->identifier);
}

/* The private half, then the public one where that was entered under a role:
 * the role is free again.  Of a dead key, the public half alone. */
static int delete_key(struct mesh_context *ctx, const struct target *target,
                      const struct mesh_key_name *name)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);
    int listed =
        target->key != NULL
        && mesh_payload_lists_key(ctx, target->profile, target->key->public);
    int held = 1;

    if (listed && !mesh_keystore_holds(&quiet, name, &held))
        held = 1; /* deleting it will tell */
    if (held && !mesh_keystore_delete(ctx, name))
        return 0;
    if (!listed)
        return 1;
    quiet = failure_catch(ctx, &failure);
    if (mesh_forget_key(held ? &quiet : ctx, target->key->public,
                        target->profile->identifier))
        return 1;
    if (held)
        command_note("the private key is deleted, but %s profile %s still has "
                     "the public one: %s: %s",
                     mesh_kind_word(target->profile->kind),
                     target->profile->identifier,
                     mesh_reason_text(failure.reason), failure.text);
    return held;
}

/* The entry of the profile that a URI names, without reading its file: broken
 * ones can be deleted, too.  *entry is NULL if it names something else. */
static int entry_of_uri(struct mesh_context *ctx,
                        const struct mesh_layout *layout,
                        const struct mesh_uri *uri,
                        const struct mesh_layout_entry **entry)
{
    enum mesh_profile_kind kind;
    const char *type;

    *entry = NULL;
    if (uri->role[0] != '\0')
        return 1;
    if (kind_parse(uri->profile, &kind, &type)) {
        *entry = mesh_layout_default(layout, kind, type);
        return *entry != NULL
               || mesh_raise(ctx, MESH_R_NO_DEFAULT, "%s", uri->profile);
    }
    return !mesh_udf_looks_like(uri->profile)
           || target_find_entry(ctx, layout, uri->profile, entry);
}

/* Whether a personal profile has a device in it. */
static int contains(const struct mesh_profile *personal,
                    const struct mesh_layout_entry *device)
{
    for (size_t i = 0; i < personal->devices_count; i++)
        if (mesh_udf_may_equal(&personal->devices[i]->udf, &device->udf))
            return 1;
    return 0;
}

/* What goes with a profile, and what does not come back. */
static void explain_profile(struct mesh_context *ctx,
                            const struct mesh_layout *layout,
                            const struct mesh_layout_entry *entry, int keys)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *profile = NULL, *personal = NULL;
    size_t count = 0;
    int held;

    if (!mesh_profile_read(&quiet, entry->file, &profile))
        return; /* a broken one */
    for (size_t i = 0; i < profile->keys_count; i++)
        count += mesh_role_holds(&quiet, &profile->keys[i], &held) && held;
    command_note("%zu private keys of %s profile %s are here: %s", count,
                 mesh_kind_word(entry->kind), entry->name,
                 keys ? "they go, too"
                      : "they stay in the key store, without --keys");
    mesh_profile_free(profile);
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *other = mesh_layout_entry(layout, i);

        if (entry->kind != MESH_PROFILE_DEVICE
            || other->kind != MESH_PROFILE_PERSONAL
            || !mesh_locate(&quiet, layout, other, MESH_LOCATE_QUICK,
                            &personal))
            continue;
        if (contains(personal, entry))
            command_note("personal profile %s contains this device, and no "
                         "other one can take its place there",
                         other->name);
        mesh_profile_free(personal);
    }
}

/* What cannot be done without a key. */
static void explain_key(struct mesh_context *ctx, const struct target *target)
{
    const struct mesh_profile *profile = target->profile;
    const struct mesh_profile_key *keys[2];
    const char *signer =
        profile != NULL && profile->kind == MESH_PROFILE_PERSONAL ? "online"
                                                                  : "sign";

    if (profile == NULL || profile->kind == MESH_PROFILE_APPLICATION)
        return;
    if (mesh_profile_find_keys(ctx, profile, signer, keys, 2) == 1
        && keys[0] == target->key)
        command_note("this key signs %s profile %s, which can never be changed "
                     "again without it",
                     mesh_kind_word(profile->kind), profile->identifier);
    else if (strcmp(mesh_profile_role(target->key), "master") == 0)
        command_note("this key signs the master profile in personal profile "
                     "%s, which can never be changed again without it",
                     profile->identifier);
}

static int confirm_profile(struct mesh_context *ctx,
                           const struct mesh_layout *layout,
                           const struct mesh_layout_entry *entry, int keys)
{
    if (host_is_terminal(stdin))
        explain_profile(ctx, layout, entry, keys);
    return confirm(ctx, "profile", entry->name,
                   keys ? " with its private keys" : "");
}

static int confirm_key(struct mesh_context *ctx, const struct target *target,
                       const struct mesh_key_name *name)
{
    if (host_is_terminal(stdin))
        explain_key(ctx, target);
    return confirm(ctx, "private key", name->udf, "");
}

/* With the lock of the layout: what is deleted must not come back by a change
 * that was under way. */
static int delete_profile_locked(struct mesh_context *ctx,
                                 const struct mesh_layout_entry *entry,
                                 int keys)
{
    mesh_lock lock;
    int ok;

    if (!mesh_layout_lock(ctx, &lock))
        return 0;
    ok = delete_profile(ctx, entry, keys);
    mesh_layout_unlock(lock);
    return ok;
}

int command_delete(struct mesh_context *ctx, int argc, char **argv)
{
    int keys = 0, yes = 0, ok = 0;
    const struct command_option options[] = {
        {"keys", NULL, &keys, 0},
        {"yes", NULL, &yes, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_layout_entry *entry;
    struct target target = {NULL, NULL};
    struct mesh_layout *layout = NULL;
    struct mesh_key_name name;
    struct mesh_uri uri;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !target_parse_uri(ctx, argv[0], &uri))
        return 0;
    if (uri.type != MESH_OBJECT_ANY)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s': a profile or a key is deleted, not its "
                          "certificates or public half alone; leave out type=",
                          argv[0]);
    if (!mesh_layout_open(ctx, &layout))
        return 0;
    if (!entry_of_uri(ctx, layout, &uri, &entry))
        goto end;
    if (entry != NULL)
        ok = check_in_use(ctx, layout, entry)
             && (yes || confirm_profile(ctx, layout, entry, keys))
             && delete_profile_locked(ctx, entry, keys);
    else
        ok = find_key(ctx, argv[0], &uri, &target, &name)
             && (yes || confirm_key(ctx, &target, &name))
             && delete_key(ctx, &target, &name);
end:
    target_clear(&target);
    mesh_layout_free(layout);
    return ok;
}

int command_lock(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};

    return command_options(ctx, &argc, &argv, options, 0, 0)
           && mesh_keystore_lock(ctx);
}
