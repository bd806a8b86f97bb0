/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl rollover and describe: changes within one profile.
 */
#include "platform/algorithm.h"
#include "store/locate.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/trust.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/target.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define ONLINE_MEMBER "OnlineSignatureKeys"

/* Of an application's keys for several devices, those of others are others' to
 * roll over. */
static int check_device(struct mesh_context *ctx, const struct target *target)
{
    struct mesh_layout *layout;
    struct mesh_udf udf;
    int is_here = 0;

    if (target->key->device == NULL
        || !mesh_udf_decode(target->key->device, &udf))
        return 1;
    if (!mesh_layout_open(ctx, &layout))
        return 0;
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        is_here |= entry->kind == MESH_PROFILE_DEVICE
                   && mesh_udf_may_equal(&entry->udf, &udf);
    }
    mesh_layout_free(layout);
    return is_here
           || mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                         "key %s is device %s's; roll it over there",
                         target->key->udf, target->key->device);
}

/* Whether another key can take its place. */
static int check_key(struct mesh_context *ctx, const char *uri,
                     const struct target *target)
{
    const struct mesh_profile *profile = target->profile;

    if (target->key == NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s' names a profile; name one key, such as "
                          "mesh://device/auth",
                          uri);
    if (mesh_trust_is_identity(ctx, profile, target->key))
        return mesh_raise(
            ctx, MESH_R_USAGE,
            "key %s is the name of %s profile %s, which cannot change; %s",
            target->key->udf, mesh_kind_word(profile->kind),
            profile->identifier,
            profile->kind == MESH_PROFILE_DEVICE
                ? "make a new device profile (meshctl create device), put it "
                  "into the personal one (meshctl add device), take this one "
                  "out (meshctl remove device)"
                : "make a new personal profile (meshctl create personal)");
    if (strcmp(target->key->member, MESH_ROLE_RETIRED) == 0)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "key %s is retired: another one has taken its place "
                          "already",
                          target->key->udf);
    return check_device(ctx, target);
}

/* Puts the new key into the master profile, which the master key signs. */
static int replace_in_master(struct mesh_change *change, struct target *target,
                             EVP_PKEY *new, int online, int *found)
{
    json_t *master = mesh_change_open_master(change, target->profile);
    EVP_PKEY *old = target->key->public;
    int ok = master != NULL;

    *found = ok && mesh_payload_find_key(change->ctx, master, old) != NULL;
    if (*found)
        ok = mesh_payload_replace_key(change->ctx, master, old, new, online)
             && mesh_change_sign_master(change, target->profile, master);
    json_decref(master);
    return ok;
}

/* A new online key signs the personal profile itself: the old one is no
 * longer believed. */
static int replace(struct mesh_change *change, struct target *target,
                   EVP_PKEY *new)
{
    struct mesh_profile *profile = target->profile;
    int online = strcmp(target->key->member, ONLINE_MEMBER) == 0;
    int in_master = 0;

    if (profile->kind == MESH_PROFILE_PERSONAL
        && !replace_in_master(change, target, new, online, &in_master))
        return 0;
    if (!in_master
        && !mesh_payload_replace_key(change->ctx, profile->payload,
                                     target->key->public, new, 0))
        return 0;
    target->key = NULL;
    return in_master && online
               ? mesh_change_resign_by(change, &target->profile, new)
               : mesh_change_resign(change, &target->profile);
}

/* What a profile whose old version stands in others wants done. */
static void note_copies(struct mesh_context *ctx,
                        const struct mesh_profile *device)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *personal;
    struct mesh_layout *layout;

    if (device->kind != MESH_PROFILE_DEVICE
        || !mesh_layout_open(&quiet, &layout))
        return;
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind != MESH_PROFILE_PERSONAL
            || !mesh_locate(&quiet, layout, entry, MESH_LOCATE_QUICK,
                            &personal))
            continue;
        for (size_t d = 0; d < personal->devices_count; d++)
            if (mesh_udf_may_equal(&personal->devices[d]->udf, &device->udf))
                command_note("personal profile %s has the device as it was "
                             "before; meshctl add device mesh://%s --personal "
                             "%s puts it there as it is now",
                             entry->name, device->identifier, entry->name);
        mesh_profile_free(personal);
    }
    mesh_layout_free(layout);
}

/* Opens the key again, in the place of what was opened before. */
static int open_key(struct mesh_context *ctx, const char *uri,
                    struct target *target)
{
    target_clear(target);
    return target_open_uri(ctx, uri, target) && check_key(ctx, uri, target);
}

static void note_old(const struct target *target, const char *udf, int online)
{
    if (online)
        command_note("the old key is out of the profile; its private half, if "
                     "it was here, is deleted by: meshctl delete mesh://%s",
                     udf);
    else
        command_note("the old key stays for what was made with it: "
                     "mesh://%s/%s",
                     target->profile->identifier, udf);
}

int command_rollover(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    struct target target = {NULL, NULL};
    char old[MESH_UDF_TEXT_MAX] = "";
    const char *algorithm = NULL;
    struct mesh_change change;
    EVP_PKEY *new = NULL;
    int ok = 0, online = 0;

    change_begin(&change, ctx);
    if (command_options(ctx, &argc, &argv, options, 1, 1)
        && open_key(ctx, argv[0], &target)) {
        OPENSSL_strlcpy(old, target.key->udf, sizeof(old));
        online = strcmp(target.key->member, ONLINE_MEMBER) == 0;
        algorithm = mesh_algorithm_of(target.key->public);
        /* A key may take seconds: others must not wait for it.  So the profile
         * is read again, locked. */
        ok = (online || mesh_change_can_sign(ctx, target.profile))
             && mesh_algorithm_need(ctx, algorithm) != NULL
             && mesh_change_generate(&change, algorithm, &new)
             && mesh_change_lock(&change) && open_key(ctx, argv[0], &target)
             && (strcmp(old, target.key->udf) == 0
                 || mesh_raise(ctx, MESH_R_IN_USE,
                               "%.100s has become another key meanwhile",
                               argv[0]))
             && replace(&change, &target, new);
    }
    ok = change_end(&change, ok) && command_made(ctx, change.keys[0].udf);
    if (ok) {
        note_old(&target, old, online);
        note_copies(ctx, target.profile);
    }
    EVP_PKEY_free(new);
    target_clear(&target);
    return ok;
}

/* Sets a member to a text, or takes it away if that is empty. */
static int set_text(struct mesh_context *ctx, json_t *object,
                    const char *member, const char *text)
{
    if (text[0] == '\0') {
        json_object_del(object, member);
        return 1;
    }
    return json_object_set_new(object, member, json_string(text)) == 0
           || mesh_raise(ctx, MESH_R_USAGE, "the text must be UTF-8");
}

/* The name that a personal profile has for an application, where that can be
 * changed here.  Without a text that is its type, as of a new one: whoever
 * reads the application takes this name for a description it does not have. */
static int set_friendly(struct mesh_change *change,
                        const struct mesh_profile *application,
                        const char *text)
{
    struct mesh_context quiet = mesh_context_quiet(change->ctx);
    const struct mesh_profile_key *ignored;
    struct mesh_profile *personal = NULL;
    json_t *list, *entry;
    size_t i;
    int ok = 1, found = 0;

    if (text[0] == '\0'
        && (text = mesh_application_type_of(application->type)) == NULL)
        text = "";
    if (!mesh_resolve_profile(&quiet, "personal", &personal, &ignored))
        return 1;
    list =
        json_object_get(mesh_payload_inner(personal->payload), "Applications");
    json_array_foreach (list, i, entry) {
        const char *name =
            json_string_value(json_object_get(entry, "Identifier"));

        if (name != NULL && strcmp(name, application->identifier) == 0) {
            found = 1;
            ok = set_text(change->ctx, entry, "Friendly", text);
        }
    }
    if (found && !mesh_change_can_sign(&quiet, personal))
        command_note("personal profile %s, which cannot be changed here, still "
                     "has the old description",
                     personal->identifier);
    else if (found)
        ok = ok && mesh_change_resign(change, &personal);
    mesh_profile_free(personal);
    return ok;
}

int command_describe(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    const struct mesh_profile_key *key = NULL;
    struct mesh_profile *profile = NULL;
    char name[MESH_URI_PART_MAX];
    struct mesh_change change;
    int ok;

    change_begin(&change, ctx);
    ok = command_options(ctx, &argc, &argv, options, 2, 2)
         && mesh_uri_profile_name(ctx, argv[0], name)
         && mesh_change_lock(&change)
         && mesh_resolve_profile(ctx, name, &profile, &key)
         && (key == NULL
             || mesh_raise(ctx, MESH_R_USAGE,
                           "'%.100s' names a key; profiles have descriptions",
                           argv[0]))
         && set_text(ctx, mesh_payload_inner(profile->payload), "Description",
                     argv[1])
         && mesh_change_resign(&change, &profile)
         && (profile->kind != MESH_PROFILE_APPLICATION
             || set_friendly(&change, profile, argv[1]));
    ok = change_end(&change, ok);
    if (ok)
        note_copies(ctx, profile);
    mesh_profile_free(profile);
    return ok;
}
