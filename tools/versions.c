/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl log, archive, repair and adopt: the versions of profiles.
 */
#include "store/archive.h"
#include "store/enter.h"
#include "store/locate.h"
#include "store/payload.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/input.h"
#include "tools/target.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* One version for the user: in list, or on standard output. */
static int print_version(struct mesh_context *ctx, const struct mesh_profile *p,
                         const struct failure *failure, int is_latest,
                         json_t *list)
{
    const char *updated =
        p != NULL && p->updated != NULL ? p->updated : "no date";

    if (list != NULL)
        return json_array_append_new(
                   list,
                   p != NULL ? json_pack(
                       "{s:b, s:s, s:s?, s:s, s:I, s:b}", "ok", 1, "type",
                       p->type, "updated", p->updated, "signer", p->signer,
                       "keys", (json_int_t)p->keys_count, "latest", is_latest)
                             : json_pack("{s:b, s:o}", "ok", 0, "problem",
                                         failure_json(failure)))
                   == 0
               || mesh_raise(ctx, MESH_R_MEMORY, "log");
    if (p == NULL)
        printf("no good version: %s: %s\n", mesh_reason_text(failure->reason),
               failure->text);
    else
        printf("%-20s  %s, keys: %zu, signed by %s%s\n", updated, p->type,
               p->keys_count, p->signer, is_latest ? ", latest copy" : "");
    return 1;
}

/* The versions in the archive, the newest first. */
static int print_log(struct mesh_context *ctx, const struct mesh_layout *layout,
                     const struct mesh_layout_entry *entry, json_t *list)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *latest = NULL, *p;
    struct mesh_archive *archive = NULL;
    struct failure failure;
    struct mesh_context caught;
    json_t *document;
    int ok, is_latest, seen = 0;

    if (!mesh_file_exists(ctx, entry->archive))
        return mesh_raise(ctx, MESH_R_FILE_MISSING,
                          "%s: no such file; 'meshctl repair %s' begins an "
                          "archive with the latest copy, if that is good",
                          entry->archive, entry->name);
    (void)mesh_locate(&quiet, layout, entry, MESH_LOCATE_LATEST, &latest);
    ok = mesh_archive_open(ctx, entry->archive, 0, &archive);
    while (ok && (ok = mesh_archive_previous(archive, &document))
           && document != NULL) {
        caught = failure_catch(ctx, &failure);
        p = NULL;
        if (mesh_profile_parse_json(&caught, document, entry->archive, &p)
            && !mesh_locate_accepts(&caught, layout, entry, p)) {
            mesh_profile_free(p);
            p = NULL;
        }
        is_latest = !seen && p != NULL && latest != NULL
                    && json_equal(mesh_document_object(p->document),
                                  mesh_document_object(latest->document));
        seen |= is_latest;
        ok = print_version(ctx, p, &failure, is_latest, list);
        mesh_profile_free(p);
        json_decref(document);
    }
    mesh_archive_close(archive);
    mesh_profile_free(latest);
    return ok;
}

int command_log(struct mesh_context *ctx, int argc, char **argv)
{
    int json = 0;
    const struct command_option options[] = {{"json", NULL, &json, 0},
                                             {NULL, NULL, NULL, 0}};
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout = NULL;
    json_t *list = NULL;
    int ok;

    if (!command_options(ctx, &argc, &argv, options, 1, 1))
        return 0;
    if (json && (list = json_array()) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "log");
    ok = mesh_layout_open(ctx, &layout)
         && (entry = target_entry(ctx, layout, argv[0])) != NULL
         && print_log(ctx, layout, entry, list)
         && (list == NULL || command_json(ctx, list));
    mesh_layout_free(layout);
    json_decref(list);
    return ok;
}

/* Reads a version in a file, which must be one of the entry's profile that may
 * follow the newest that is here: the archive's last one is believed. */
static int read_version(struct mesh_change *change,
                        const struct mesh_layout *layout,
                        const struct mesh_layout_entry *entry, const char *path,
                        struct mesh_profile **version)
{
    struct mesh_context *ctx = change->ctx;
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *here = NULL;
    int ok;

    if (!target_open_file(ctx, path, version)
        || !mesh_locate_accepts(ctx, layout, entry, *version))
        return 0;
    ok = !mesh_locate(&quiet, layout, entry, MESH_LOCATE_NEWEST, &here)
         || mesh_enter_may_follow(change, layout, entry, here, *version);
    mesh_profile_free(here);
    return ok;
}

/* Writes the latest copy again if it is the newest version and was not written
 * right after its archive, which each load would then read, too.  *written says
 * whether it did. */
static int write_again(struct mesh_context *ctx,
                       const struct mesh_layout *layout,
                       const struct mesh_layout_entry *entry, int *written)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_profile *newest;
    unsigned char *text = NULL;
    size_t len;
    int ok = 1;

    *written = 0;
    if (!mesh_layout_are_apart(ctx, entry->archive, entry->file))
        return 1;
    if (mesh_locate(&quiet, layout, entry, MESH_LOCATE_NEWEST, &newest)
        && strcmp(newest->where, entry->file) == 0) {
        ok = mesh_layout_read_file(ctx, entry->file, MESH_PROFILE_FILE_MAX,
                                   &text, &len)
             && mesh_layout_write_file(ctx, entry->file, text, len);
        *written = ok;
    }
    OPENSSL_free(text);
    mesh_profile_free(newest);
    return ok;
}

int command_archive(struct mesh_context *ctx, int argc, char **argv)
{
    const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    const struct mesh_layout_entry *entry = NULL;
    struct mesh_profile *version = NULL;
    struct mesh_layout *layout = NULL;
    struct mesh_change change;
    uint64_t before = 0;
    int ok, written;

    if (!command_options(ctx, &argc, &argv, options, 1, 2))
        return 0;
    change_begin(&change, ctx);
    ok = mesh_change_lock(&change) && mesh_layout_open(ctx, &layout)
         && (entry = target_entry(ctx, layout, argv[0])) != NULL
         && (argc > 1 ? read_version(&change, layout, entry, argv[1], &version)
                      : mesh_locate(ctx, layout, entry, MESH_LOCATE_LATEST,
                                    &version))
         && mesh_archive_append(ctx, entry->archive, version->document, &before)
         && write_again(ctx, layout, entry, &written);
    if (version != NULL)
        mesh_change_saw(&change, version);
    if (ok)
        printf("%s: %s\n", entry->name,
               before == MESH_LAYOUT_UNCHANGED ? "archived already"
                                               : "archived");
    ok = change_end(&change, ok);
    mesh_profile_free(version);
    mesh_layout_free(layout);
    return ok;
}

/* Writes the newest good version back as the latest copy if it is not that. */
static int repair(struct mesh_change *change, const struct mesh_layout *layout,
                  const struct mesh_layout_entry *entry)
{
    struct mesh_context *ctx = change->ctx;
    struct failure failure;
    struct mesh_context caught = failure_catch(ctx, &failure);
    struct mesh_profile *latest = NULL, *newest = NULL;
    char *text = NULL;
    uint64_t before;
    int ok, written;

    change->heals = 1;
    (void)mesh_locate(&caught, layout, entry, MESH_LOCATE_LATEST, &latest);
    mesh_profile_free(latest);
    ok = mesh_locate(&caught, layout, entry, MESH_LOCATE_NEWEST, &newest)
         || mesh_raise(ctx, failure.reason,
                       "%s; its archive has no good version: get one by "
                       "'meshctl refresh %s' or 'meshctl adopt FILE'",
                       failure.text, entry->name);
    if (ok)
        mesh_change_saw(change, newest);
    if (ok && strcmp(newest->where, entry->archive) == 0) {
        text = mesh_json_print(newest->document, JSON_INDENT(2));
        ok = text != NULL ? mesh_change_write(
                 change, entry->file, entry->archive, text, strlen(text))
                          : mesh_raise(ctx, MESH_R_MEMORY, "%s", entry->file);
        if (ok)
            printf("%s: written back from its archive%s%s; it was: %s\n",
                   entry->name, newest->updated != NULL ? ", as of " : "",
                   newest->updated != NULL ? newest->updated : "",
                   failure.reason != MESH_R_NONE ? failure.text : "older");
    } else if (ok) {
        ok = mesh_archive_append(ctx, entry->archive, newest->document, &before)
             && write_again(ctx, layout, entry, &written);
        if (ok)
            printf("%s: good%s\n", entry->name,
                   before != MESH_LAYOUT_UNCHANGED
                       ? "; its archive did not have it"
                   : written ? "; each load read its archive: written again"
                             : "");
    }
    mesh_profile_free(newest);
    OPENSSL_free(text);
    return ok;
}

int command_repair(struct mesh_context *ctx, int argc, char **argv)
{
    int all = 0, ok;
    const struct command_option options[] = {{"all", NULL, &all, 0},
                                             {NULL, NULL, NULL, 0}};
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout = NULL;
    struct mesh_change change;
    size_t count, removed;

    if (!command_options(ctx, &argc, &argv, options, 0, INT_MAX))
        return 0;
    if ((argc == 0) == !all)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "repair wants profiles, or --all, and not both");
    if (!mesh_layout_open(ctx, &layout))
        return 0;
    if ((removed = mesh_layout_remove_leftovers(ctx)) > 0)
        command_note("%zu temporary files of killed programs removed", removed);
    count = all ? mesh_layout_count(layout) : (size_t)argc;
    ok = 1;
    for (size_t i = 0; i < count; i++) {
        entry = all ? mesh_layout_entry(layout, i)
                    : target_entry(ctx, layout, argv[i]);
        change_begin(&change, ctx);
        ok &= change_end(&change, entry != NULL && mesh_change_lock(&change)
                                      && repair(&change, layout, entry));
    }
    mesh_layout_free(layout);
    return ok;
}

/* A new profile that has become the default person: of several the first one
 * does, whoever it is. */
static void note_person(struct mesh_context *ctx, const char *name)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const struct mesh_layout_entry *person;
    struct mesh_layout *layout;

    if (!mesh_layout_open(&quiet, &layout))
        return;
    person = mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    if (person != NULL && strcmp(person->name, name) == 0)
        command_note("mesh://%s is now the default personal profile; 'meshctl "
                     "default personal' sets another",
                     name);
    mesh_layout_free(layout);
}

/* Enters the profile in a file.  An error names the file. */
static int adopt(struct mesh_context *ctx, const char *path, int is_last_try)
{
    static const char *const words[] = {
        [MESH_ENTERED_NEW] = "adopted",
        [MESH_ENTERED_NEWER] = "a newer version, entered",
        [MESH_ENTERED_NOTHING] = "here already",
    };
    enum mesh_entered entered = MESH_ENTERED_NOTHING;
    struct failure failure;
    struct mesh_context caught = failure_catch(ctx, &failure);
    struct mesh_change change;
    char name[MESH_UDF_TEXT_MAX];
    unsigned char *data;
    size_t len;
    int ok;

    if (!input_read(ctx, path, MESH_PROFILE_FILE_MAX, &data, &len))
        return 0;
    change_begin(&change, &caught);
    ok = mesh_change_lock(&change)
         && mesh_enter(&change, (char *)data, len, path, NULL, NULL, &entered,
                       name);
    /* what will be tried again is no news */
    ok = ok || is_last_try ? change_end(&change, ok)
                           : mesh_change_end(&change, 0);
    if (ok) {
        printf("%s: %s: %s\n", path, name, words[entered]);
        if (entered == MESH_ENTERED_NEW)
            note_person(ctx, name);
    } else if (strstr(failure.text, path) != NULL)
        mesh_raise(ctx, failure.reason, "%s", failure.text);
    else
        mesh_raise(ctx, failure.reason, "%.200s: %s", path, failure.text);
    OPENSSL_free(data);
    return ok;
}

int command_adopt(struct mesh_context *ctx, int argc, char **argv)
{
    const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    struct mesh_context quiet = mesh_context_quiet(ctx);
    int ok = 1;

    if (!command_options(ctx, &argc, &argv, options, 1, INT_MAX))
        return 0;
    /* An application profile is proved by a personal one, which may be among
     * the files behind it. */
    for (int i = 0; i < argc; i++)
        if (adopt(&quiet, argv[i], 0))
            argv[i] = NULL;
    for (int i = 0; i < argc; i++)
        ok &= argv[i] == NULL || adopt(ctx, argv[i], 1);
    return ok;
}
