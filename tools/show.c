/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl list and show.  What there is to say is put together as
 * JSON once; the text is printed from that.
 */
#include "platform/algorithm.h"
#include "store/locate.h"
#include "store/resolve.h"
#include "tools/command.h"
#include "tools/host.h"
#include "tools/owner.h"
#include "tools/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string member, or another text if it is missing or null. */
static const char *text_of(const json_t *object, const char *member,
                           const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : otherwise;
}

/* Whether an entry is the default, of its kind or of any application type. */
static int is_default(const struct mesh_layout *layout,
                      const struct mesh_layout_entry *entry)
{
    const char *type = NULL;
    size_t i = 0;

    do {
        if (entry->kind == MESH_PROFILE_APPLICATION
            && (type = mesh_application_type(i)) == NULL)
            return 0;
        if (mesh_layout_default(layout, entry->kind, type) == entry)
            return 1;
        i++;
    } while (type != NULL);
    return 0;
}

static json_t *make_list(const char *const *texts)
{
    json_t *list = json_array();

    for (; *texts != NULL; texts++)
        json_array_append_new(list, json_string(*texts));
    return list;
}

static json_t *describe_entry(struct mesh_context *ctx,
                              const struct mesh_layout *layout,
                              const struct mesh_layout_entry *entry)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);
    struct mesh_profile *profile = NULL;
    json_t *object;

    /* of a bad one, too, what it says of itself */
    if (!mesh_locate(&quiet, layout, entry, MESH_LOCATE_LATEST, &profile)
        && !mesh_locate(&quiet, layout, entry, MESH_LOCATE_QUICK, &profile))
        (void)mesh_profile_read(&quiet, entry->file, &profile);
    object =
        json_pack("{s:s, s:s, s:b, s:o, s:o, s:s*, s:s*, s:o*}", "kind",
                  mesh_kind_word(entry->kind), "udf", entry->name, "default",
                  is_default(layout, entry), "file", command_text(entry->file),
                  "portals", make_list(entry->portals), "type",
                  profile != NULL ? profile->type : NULL, "description",
                  profile != NULL ? profile->description : NULL, "problem",
                  failure_json(&failure));
    mesh_profile_free(profile);
    if (object == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", entry->name);
    return object;
}

/* A key of the key store, with the profile and the role that it has there. */
static json_t *describe_item(const struct mesh_keystore_item *item,
                             const struct owners *owners)
{
    const struct mesh_profile *profile = NULL;
    const struct mesh_profile_key *key =
        owners_find(owners, &item->name, &profile);

    return json_pack(
        "{s:s, s:s*, s:s, s:s*, s:s*}", "udf", item->name.udf, "algorithm",
        item->algorithm[0] != '\0' ? item->algorithm : NULL, "source",
        item->source, "profile", key != NULL ? profile->identifier : NULL,
        "role", key != NULL ? mesh_profile_role(key) : NULL);
}

static json_t *describe_store(struct mesh_context *ctx,
                              const struct owners *owners)
{
    struct mesh_keystore_item *items = NULL;
    size_t count = 0;
    json_t *list;

    if (!mesh_keystore_list(ctx, &items, &count))
        return NULL;
    list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, describe_item(&items[i], owners));
    OPENSSL_free(items);
    return list;
}

/* Cleans every string before it is printed as text. */
static int clean(json_t *value)
{
    const char *name;
    json_t *member;
    char *copy;
    size_t i;
    int ok = 1;

    if (json_is_string(value)) {
        if ((copy = OPENSSL_strdup(json_string_value(value))) == NULL)
            return 0;
        mesh_text_clean(copy);
        ok = json_string_set(value, copy) == 0;
        OPENSSL_free(copy);
    }
    json_object_foreach (value, name, member)
        ok &= clean(member);
    json_array_foreach (value, i, member)
        ok &= clean(member);
    return ok;
}

/* A key by what other commands take: its role, if that names it alone. */
static void print_key_uri(struct mesh_context *ctx, const json_t *entry,
                          const struct owners *owners)
{
    const char *udf = text_of(entry, "udf", "");
    const char *role = text_of(entry, "role", "");
    const struct mesh_profile *profile = NULL;
    const struct mesh_profile_key *keys[2];
    struct mesh_key_name name = {.udf = ""};

    OPENSSL_strlcpy(name.udf, udf, sizeof(name.udf));
    if (owners_find(owners, &name, &profile) == NULL)
        printf("mesh://%s  %s\n", udf,
               owners->unread > 0 ? "no profile that can be read"
                                  : "no profile");
    else
        printf("mesh://%s/%s\n", text_of(entry, "profile", ""),
               mesh_profile_find_keys(ctx, profile, role, keys, 2) == 1 ? role
                                                                        : udf);
}

static void print_list(struct mesh_context *ctx, const json_t *list,
                       const struct owners *owners)
{
    const json_t *entry;
    size_t i;

    json_array_foreach (json_object_get(list, "profiles"), i, entry)
        printf("%-11s  %s  %-7s  %s  %s%s\n", text_of(entry, "kind", ""),
               text_of(entry, "udf", ""),
               json_is_true(json_object_get(entry, "default")) ? "default"
                                                               : "-",
               text_of(entry, "type", "-"), text_of(entry, "description", "-"),
               json_object_get(entry, "problem") != NULL
                   ? "  (does not verify: 'meshctl doctor')"
                   : "");
    json_array_foreach (json_object_get(list, "keys"), i, entry) {
        printf("%-11s  %s  %-8s  %-14s  ", "key", text_of(entry, "udf", ""),
               text_of(entry, "algorithm", "-"), text_of(entry, "source", ""));
        print_key_uri(ctx, entry, owners);
    }
}

int command_list(struct mesh_context *ctx, int argc, char **argv)
{
    int json = 0, keys = 0, ok = 0;
    const struct command_option options[] = {
        {"json", NULL, &json, 0},
        {"keys", NULL, &keys, 0},
        {NULL, NULL, NULL, 0},
    };
    json_t *list = NULL, *profiles = NULL, *stored = NULL;
    struct owners owners = {NULL, 0, 0};
    struct mesh_layout *layout = NULL;

    if (!command_options(ctx, &argc, &argv, options, 0, 0)
        || !mesh_layout_open(ctx, &layout))
        return 0;
    profiles = json_array();
    for (size_t i = 0; i < mesh_layout_count(layout); i++)
        if (json_array_append_new(
                profiles,
                describe_entry(ctx, layout, mesh_layout_entry(layout, i)))
            != 0)
            goto end;
    if (keys
        && (!owners_read(ctx, layout, &owners)
            || (stored = describe_store(ctx, &owners)) == NULL))
        goto end;
    list = json_pack("{s:O, s:O*}", "profiles", profiles, "keys", stored);
    if (list == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "list");
    else if (json)
        ok = command_json(ctx, list);
    else if ((ok = clean(list)) != 0)
        print_list(ctx, list, &owners);
    if (ok && mesh_layout_count(layout) == 0 && host_is_terminal(stderr))
        command_note("no profiles yet; 'meshctl create device' makes one");
end:
    json_decref(list);
    json_decref(profiles);
    json_decref(stored);
    owners_clear(&owners);
    mesh_layout_free(layout);
    return ok;
}

/* "yes", "no", or "unknown" when the key store cannot be asked. */
static const char *held_word(struct mesh_context *ctx, EVP_PKEY *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_key_name name;
    int held;

    if (!mesh_key_name_of(&quiet, key, &name)
        || !mesh_keystore_holds(&quiet, &name, &held))
        return "unknown";
    return held ? "yes" : "no";
}

/* The subjects of certificates; NULL if there are none. */
static json_t *describe_certificates(const STACK_OF(X509) * certificates)
{
    json_t *list = certificates != NULL ? json_array() : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    for (int i = 0; i < sk_X509_num(certificates) && bio != NULL; i++) {
        const X509 *certificate = sk_X509_value(certificates, i);

        (void)BIO_reset(bio);
        /* RFC 2253 escapes control characters and gives UTF-8 none. */
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
                           XN_FLAG_RFC2253);
        len = BIO_get_mem_data(bio, &text);
        json_array_append_new(list, json_stringn(text, (size_t)len));
    }
    BIO_free(bio);
    return list;
}

static json_t *describe_key(struct mesh_context *ctx,
                            const struct mesh_profile_key *key)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:o*}", "role",
                     mesh_profile_role(key), "member", key->member, "algorithm",
                     mesh_algorithm_of(key->public), "udf", key->udf, "held",
                     held_word(ctx, key->public), "device", key->device,
                     "certificates", describe_certificates(key->certificates));
}

/* The accounts of a personal profile of this device; NULL if there are none. */
static json_t *describe_portals(struct mesh_context *ctx,
                                const struct mesh_profile *profile)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const struct mesh_layout_entry *entry = NULL;
    struct mesh_layout *layout = NULL;
    json_t *portals = NULL;

    if (profile->kind == MESH_PROFILE_PERSONAL
        && mesh_layout_open(&quiet, &layout))
        entry = mesh_layout_find(layout, profile->kind, &profile->udf);
    if (entry != NULL && entry->portals[0] != NULL)
        portals = make_list(entry->portals);
    mesh_layout_free(layout);
    return portals;
}

static json_t *describe_profile(struct mesh_context *ctx,
                                const struct target *target,
                                const struct failure *trust)
{
    const struct mesh_profile *profile = target->profile;
    json_t *keys = json_array(), *devices = json_array();
    json_t *applications = json_array();

    for (size_t i = 0; i < profile->keys_count; i++)
        if (target->key == NULL || target->key == &profile->keys[i])
            json_array_append_new(keys, describe_key(ctx, &profile->keys[i]));
    for (size_t i = 0; i < profile->devices_count; i++)
        json_array_append_new(
            devices,
            json_pack("{s:s, s:s*}", "udf", profile->devices[i]->identifier,
                      "description", profile->devices[i]->description));
    for (size_t i = 0; i < profile->applications_count; i++)
        json_array_append_new(applications,
                              json_pack("{s:s, s:s*, s:s*}", "udf",
                                        profile->applications[i].identifier,
                                        "type", profile->applications[i].type,
                                        "description",
                                        profile->applications[i].friendly));
    return json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:o*, s:o*, s:o, s:o, "
                     "s:o}",
                     "kind", mesh_kind_word(profile->kind), "type",
                     profile->type, "udf", profile->identifier, "description",
                     profile->description, "updated", profile->updated,
                     "signer", profile->signer, "problem", failure_json(trust),
                     "portals", describe_portals(ctx, profile), "keys", keys,
                     "devices", devices, "applications", applications);
}

static void print_line(const json_t *object, const char *member)
{
    const char *text = text_of(object, member, NULL);

    if (text != NULL)
        printf("%-12s %s\n", member, text);
}

static void print_key(const json_t *key)
{
    const json_t *certificate;
    size_t i;

    printf("key          %s  %s  %s  held: %s  (%s)\n",
           text_of(key, "role", ""), text_of(key, "algorithm", ""),
           text_of(key, "udf", ""), text_of(key, "held", ""),
           text_of(key, "member", ""));
    json_array_foreach (json_object_get(key, "certificates"), i, certificate)
        printf("  %-10s %s\n", i == 0 ? "cert" : "chain",
               json_string_value(certificate));
}

static void print_profile(const json_t *profile)
{
    static const char *const lines[] = {
        "kind", "type", "udf", "description", "updated", "signer", "problem"};
    const json_t *item;
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        print_line(profile, lines[i]);
    json_array_foreach (json_object_get(profile, "portals"), i, item)
        printf("portal       %s\n", json_string_value(item));
    json_array_foreach (json_object_get(profile, "keys"), i, item)
        print_key(item);
    json_array_foreach (json_object_get(profile, "devices"), i, item)
        printf("device       %s  %s\n", text_of(item, "udf", ""),
               text_of(item, "description", "-"));
    json_array_foreach (json_object_get(profile, "applications"), i, item)
        printf("application  %s  %s  %s\n", text_of(item, "udf", ""),
               text_of(item, "type", "-"), text_of(item, "description", "-"));
}

int command_show(struct mesh_context *ctx, int argc, char **argv)
{
    int json = 0, ok = 0;
    const struct command_option options[] = {
        {"json", NULL, &json, 0},
        {NULL, NULL, NULL, 0},
    };
    struct target target = {NULL, NULL};
    struct failure trust;
    struct mesh_context quiet = failure_catch(ctx, &trust);
    json_t *said;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !(mesh_uri_is(argv[0])
                 ? target_open_uri(ctx, argv[0], &target)
                 : target_open_file(ctx, argv[0], &target.profile)))
        return 0;
    /* A file of an application proves nothing by itself: show it all the same,
     * and say so. */
    if (!mesh_uri_is(argv[0]))
        mesh_resolve_trust(&quiet, target.profile);
    said = describe_profile(ctx, &target, &trust);
    if (said == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%.200s", argv[0]);
    else if (json)
        ok = command_json(ctx, said);
    else if ((ok = clean(said)) != 0)
        print_profile(said);
    json_decref(said);
    target_clear(&target);
    return ok;
}
