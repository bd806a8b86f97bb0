/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl add device, remove device and remove application: what a personal
 * profile lists.
 */
#include "store/payload.h"
#include "store/resolve.h"
#include "store/trust.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/target.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* The lists of devices in an application's entry: of today, and of 2017. */
static const char *const admin_lists[] = {"AdminDeviceUDF", "SignID"};
static const char *const all_lists[] = {"AdminDeviceUDF", "DecryptDeviceUDF",
                                        "SignID", "DecryptID"};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int open_personal(struct mesh_context *ctx, const char *profile,
                         struct mesh_profile **personal)
{
    const struct mesh_profile_key *ignored;
    char name[MESH_URI_PART_MAX];

    *personal = NULL;
    if (!mesh_uri_profile_name(ctx, profile, name)
        || !mesh_resolve_profile(ctx, name, personal, &ignored))
        return 0;
    if ((*personal)->kind == MESH_PROFILE_PERSONAL)
        return 1;
    mesh_raise(ctx, MESH_R_PROFILE_KIND,
               "'%.100s' is a profile of kind %s, which lists no devices",
               profile, mesh_kind_word((*personal)->kind));
    mesh_profile_free(*personal);
    *personal = NULL;
    return 0;
}

/* The list of a personal profile's payload, made if it is missing; NULL is
 * raised. */
static json_t *list_of(struct mesh_context *ctx,
                       const struct mesh_profile *personal, const char *member)
{
    json_t *inner = mesh_payload_inner(personal->payload);

    if (json_object_get(inner, member) == NULL)
        json_object_set_new(inner, member, json_array());
    if (json_is_array(json_object_get(inner, member)))
        return json_object_get(inner, member);
    mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
               "%s of personal profile %s is "
               "no list",
               member, personal->identifier);
    return NULL;
}

/* Whether text, of a list, is the fingerprint of a device. */
static int names(struct mesh_context *ctx, const json_t *text,
                 const struct mesh_profile *device)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_udf udf;
    int named;

    return json_is_string(text)
           && mesh_udf_decode(json_string_value(text), &udf)
           && mesh_trust_name(&quiet, device, &udf, &named) && named;
}

static int lists(struct mesh_context *ctx, const json_t *list,
                 const struct mesh_profile *device)
{
    const json_t *item;
    size_t i;

    json_array_foreach (list, i, item)
        if (names(ctx, item, device))
            return 1;
    return 0;
}

/* Makes a device an administrator of all applications. */
static int make_admin(struct mesh_context *ctx,
                      const struct mesh_profile *personal,
                      const struct mesh_profile *device)
{
    json_t *applications = list_of(ctx, personal, "Applications"), *entry;
    json_t *list;
    size_t i;

    json_array_foreach (applications, i, entry) {
        list = json_object_get(entry, admin_lists[0]);
        if (list == NULL)
            list = json_object_get(entry, admin_lists[1]);
        if (!lists(ctx, list, device)
            && json_array_append_new(list, json_string(device->identifier))
                   != 0)
            return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                              "an application of personal profile %s has no "
                              "list of administrators",
                              personal->identifier);
    }
    return applications != NULL;
}

/* Puts a device into the payload, or its newer version in the place of an older
 * one; *same: that version is there. */
static int enter_device(struct mesh_context *ctx,
                        const struct mesh_profile *personal,
                        const struct mesh_profile *device, int *same)
{
    json_t *list = list_of(ctx, personal, "Devices");
    json_t *object = mesh_document_object(device->document);

    *same = 0;
    if (list == NULL)
        return 0;
    /* they are read in their order */
    for (size_t i = 0; i < personal->devices_count; i++) {
        const struct mesh_profile *there = personal->devices[i];

        if (!mesh_udf_may_equal(&there->udf, &device->udf))
            continue;
        if (object == NULL || json_equal(there->payload, device->payload)) {
            *same = 1;
            return 1;
        }
        if (mesh_profile_is_older(device, there))
            return mesh_raise(ctx, MESH_R_PROFILE_OLDER,
                              "device profile %s was updated %s; personal "
                              "profile %s has the one of %s",
                              device->identifier, device->updated,
                              personal->identifier, there->updated);
        return json_array_set(list, i, object) == 0
               || mesh_raise(ctx, MESH_R_MEMORY, "Devices");
    }
    if (object == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_MISSING,
                          "device profile %s is only in another personal "
                          "profile here; add it from its file",
                          device->identifier);
    return json_array_append(list, object) == 0
           || mesh_raise(ctx, MESH_R_MEMORY, "Devices");
}

/* The device profile that an argument of the user's means. */
static int open_device(struct mesh_context *ctx, const char *text,
                       struct target *device)
{
    memset(device, 0, sizeof(*device));
    if (!(mesh_uri_is(text) ? target_open_uri(ctx, text, device)
                            : target_open_file(ctx, text, &device->profile)))
        return 0;
    if (device->key != NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s' names a key; name the device's profile",
                          text);
    return device->profile->kind == MESH_PROFILE_DEVICE
           || mesh_raise(ctx, MESH_R_PROFILE_KIND,
                         "'%.200s' is no device profile but of kind %s", text,
                         mesh_kind_word(device->profile->kind));
}

int command_add_device(struct mesh_context *ctx, int argc, char **argv)
{
    const char *profile = "personal";
    int admin = 0, ok = 0, same = 0;
    const struct command_option options[] = {
        {"personal", &profile, NULL, 0},
        {"admin", NULL, &admin, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_profile *personal = NULL;
    struct target device = {NULL, NULL};
    struct mesh_change change;

    change_begin(&change, ctx);
    if (command_options(ctx, &argc, &argv, options, 1, 1)
        && mesh_change_lock(&change) && open_device(ctx, argv[0], &device)
        && open_personal(ctx, profile, &personal)
        && enter_device(ctx, personal, device.profile, &same)
        && (!admin || make_admin(ctx, personal, device.profile)))
        ok = (same && !admin) || mesh_change_resign(&change, &personal);
    ok = change_end(&change, ok);
    if (ok && same)
        command_note("this version of the device was in personal profile %s "
                     "already",
                     personal->identifier);
    target_clear(&device);
    mesh_profile_free(personal);
    return ok;
}

/* Which device of a personal profile, or application of its payload, the user
 * means: a URI or a fingerprint, or a word for a default. */
static int parse_name(struct mesh_context *ctx, const char *text,
                      struct mesh_udf *udf)
{
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout = NULL;
    char name[MESH_URI_PART_MAX];
    enum mesh_profile_kind kind;
    const char *type;
    int ok;

    if (!mesh_uri_profile_name(ctx, text, name))
        return 0;
    if (!kind_parse(name, &kind, &type))
        return mesh_udf_parse(ctx, name, udf);
    ok = mesh_layout_open(ctx, &layout);
    if (ok) {
        entry = mesh_layout_default(layout, kind, type);
        if (entry != NULL)
            *udf = entry->udf;
        else
            ok = mesh_raise(ctx, MESH_R_NO_DEFAULT, "%.100s", name);
    }
    mesh_layout_free(layout);
    return ok;
}

static int raise_not_listed(struct mesh_context *ctx,
                            const struct mesh_profile *personal,
                            const char *what, const char *name)
{
    return mesh_raise(ctx, MESH_R_PROFILE_MISSING,
                      "personal profile %s lists no %s %.100s; 'meshctl show "
                      "mesh://%s' says what it lists",
                      personal->identifier, what, name, personal->identifier);
}

/* The place of a device in the list of a personal profile. */
static int find_device(struct mesh_context *ctx,
                       const struct mesh_profile *personal, const char *text,
                       size_t *at)
{
    size_t count = personal->devices_count;
    struct mesh_udf udf;

    if (!parse_name(ctx, text, &udf))
        return 0;
    *at = count;
    for (size_t i = 0; i < count; i++) {
        if (!mesh_udf_may_equal(&personal->devices[i]->udf, &udf))
            continue;
        if (*at != count)
            return mesh_raise(ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                              "%.100s fits %s and %s; write more of it", text,
                              personal->devices[*at]->identifier,
                              personal->devices[i]->identifier);
        *at = i;
    }
    return *at < count || raise_not_listed(ctx, personal, "device", text);
}

static void drop_from(struct mesh_context *ctx, json_t *list,
                      const struct mesh_profile *device)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (names(ctx, json_array_get(list, i), device))
            json_array_remove(list, i);
}

/* Takes a device out of the lists of the applications; refused if one would
 * have no administrator any more. */
static int drop_from_applications(struct mesh_context *ctx,
                                  const struct mesh_profile *personal,
                                  const struct mesh_profile *device)
{
    json_t *applications = list_of(ctx, personal, "Applications"), *entry;
    char orphans[300] = "";
    size_t i;

    json_array_foreach (applications, i, entry) {
        size_t before = 0, after = 0;

        for (size_t l = 0; l < COUNT(admin_lists); l++)
            before += json_array_size(json_object_get(entry, admin_lists[l]));
        for (size_t l = 0; l < COUNT(all_lists); l++)
            drop_from(ctx, json_object_get(entry, all_lists[l]), device);
        for (size_t l = 0; l < COUNT(admin_lists); l++)
            after += json_array_size(json_object_get(entry, admin_lists[l]));
        if (before == 0 || after > 0)
            continue;
        OPENSSL_strlcat(orphans, orphans[0] != '\0' ? ", " : "",
                        sizeof(orphans));
        OPENSSL_strlcat(orphans,
                        json_string_value(json_object_get(entry, "Identifier")),
                        sizeof(orphans));
    }
    if (orphans[0] == '\0')
        return applications != NULL;
    return mesh_raise(ctx, MESH_R_IN_USE,
                      "device %s is the only administrator of %s; before, make "
                      "another device one (meshctl add device DEVICE --admin) "
                      "or take these out (meshctl remove application)",
                      device->identifier, orphans);
}

/* The administrators that the payload of a personal profile gives an
 * application. */
static json_t *admins_of(const struct mesh_profile *personal,
                         const struct mesh_profile *application)
{
    json_t *list =
        json_object_get(mesh_payload_inner(personal->payload), "Applications");
    json_t *entry, *admins;
    size_t i;

    json_array_foreach (list, i, entry) {
        const char *name =
            json_string_value(json_object_get(entry, "Identifier"));
        struct mesh_udf udf;

        if (name == NULL || !mesh_udf_decode(name, &udf)
            || !mesh_udf_may_equal(&udf, &application->udf))
            continue;
        admins = json_object_get(entry, admin_lists[0]);
        return admins != NULL ? admins : json_object_get(entry, admin_lists[1]);
    }
    return NULL;
}

/* Whether the default device, which is going to sign, stays an administrator.
 */
static int check_heir(struct mesh_context *ctx,
                      const struct mesh_profile *personal,
                      const struct mesh_profile *application)
{
    const struct mesh_profile_key *ignored;
    struct mesh_profile *heir;
    int ok;

    if (!mesh_resolve_profile(ctx, "device", &heir, &ignored))
        return 0;
    ok = lists(ctx, admins_of(personal, application), heir)
         || mesh_raise(ctx, MESH_R_IN_USE,
                       "application profile %s is signed by the device that is "
                       "to go, and the default device %s is no other "
                       "administrator of it that could sign; remove the device "
                       "on one that is, or take the application out (meshctl "
                       "remove application)",
                       application->identifier, heir->identifier);
    mesh_profile_free(heir);
    return ok;
}

/* Signs an application profile of this device again that the device signed:
 * without it in the personal profile nobody would believe that one. */
static int take_over(struct mesh_change *change, const char *udf,
                     const struct mesh_profile *personal,
                     const struct mesh_profile *device)
{
    struct mesh_context quiet = mesh_context_quiet(change->ctx);
    struct mesh_profile *application = NULL;
    const struct mesh_profile_key *ignored;
    json_t *signer;
    int ok = 1;

    /* what does not verify now is not made worse */
    if (!mesh_resolve_profile(&quiet, udf, &application, &ignored))
        return 1;
    signer = json_string(application->signer);
    if (names(change->ctx, signer, device))
        ok = check_heir(change->ctx, personal, application)
             && mesh_change_resign(change, &application);
    json_decref(signer);
    mesh_profile_free(application);
    return ok;
}

static int take_over_all(struct mesh_change *change,
                         const struct mesh_profile *personal,
                         const struct mesh_profile *device)
{
    struct mesh_layout *layout;
    struct mesh_udf udf;
    int ok = mesh_layout_open(change->ctx, &layout);

    for (size_t i = 0; ok && i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind != MESH_PROFILE_APPLICATION)
            continue;
        for (size_t a = 0; ok && a < personal->applications_count; a++)
            if (mesh_udf_decode(personal->applications[a].identifier, &udf)
                && mesh_udf_may_equal(&udf, &entry->udf)) {
                ok = take_over(change, entry->name, personal, device);
                break;
            }
    }
    mesh_layout_free(layout);
    return ok;
}

/* The applications first: signed by another administrator they are believed
 * with the device and without it. */
static int remove_device(struct mesh_change *change,
                         struct mesh_profile **personal, size_t at)
{
    const struct mesh_profile *device = (*personal)->devices[at];
    json_t *list = list_of(change->ctx, *personal, "Devices");

    return list != NULL && json_array_remove(list, at) == 0
           && drop_from_applications(change->ctx, *personal, device)
           && take_over_all(change, *personal, device)
           && mesh_change_resign(change, personal);
}

int command_remove_device(struct mesh_context *ctx, int argc, char **argv)
{
    const char *profile = "personal";
    const struct command_option options[] = {
        {"personal", &profile, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_profile *personal = NULL;
    struct mesh_change change;
    size_t at, files;
    int ok;

    change_begin(&change, ctx);
    ok = command_options(ctx, &argc, &argv, options, 1, 1)
         && mesh_change_lock(&change) && open_personal(ctx, profile, &personal)
         && find_device(ctx, personal, argv[0], &at)
         && remove_device(&change, &personal, at);
    files = change.files_count;
    ok = change_end(&change, ok);
    if (ok && files > 1)
        command_note("application profiles that the default device has signed "
                     "in its place: %zu",
                     files - 1);
    mesh_profile_free(personal);
    return ok;
}

/* Takes an application out of the payload of a personal profile. */
static int drop_application(struct mesh_context *ctx,
                            const struct mesh_profile *personal,
                            const char *text)
{
    json_t *list = list_of(ctx, personal, "Applications"), *entry;
    struct mesh_udf udf, other;
    size_t i, at = 0, found = 0;

    if (list == NULL || !parse_name(ctx, text, &udf))
        return 0;
    json_array_foreach (list, i, entry) {
        const char *name =
            json_string_value(json_object_get(entry, "Identifier"));

        if (name != NULL && mesh_udf_decode(name, &other)
            && mesh_udf_may_equal(&other, &udf)) {
            at = i;
            found++;
        }
    }
    if (found == 0)
        return raise_not_listed(ctx, personal, "application", text);
    if (found > 1)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                          "%.100s fits several applications; write more of it",
                          text);
    json_array_remove(list, at);
    return 1;
}

int command_remove_application(struct mesh_context *ctx, int argc, char **argv)
{
    const char *profile = "personal";
    const struct command_option options[] = {
        {"personal", &profile, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_profile *personal = NULL;
    struct mesh_change change;
    int ok;

    change_begin(&change, ctx);
    ok = command_options(ctx, &argc, &argv, options, 1, 1)
         && mesh_change_lock(&change) && open_personal(ctx, profile, &personal)
         && drop_application(ctx, personal, argv[0])
         && mesh_change_resign(&change, &personal);
    ok = change_end(&change, ok);
    mesh_profile_free(personal);
    return ok;
}
