/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl doctor: layout, profiles, key holder, key store.
 */
#include "tools/doctor.h"
#include "platform/keystore.h"
#include "store/locate.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "tools/command.h"
#include "tools/owner.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_add(struct report *report, enum finding finding, const char *todo,
                const char *fmt, ...)
{
    static const char *const words[] = {"ok", "warning", "problem"};
    char what[768];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    mesh_text_clean(what);
    report->problems += finding == FOUND_PROBLEM;
    json_array_append_new(
        report->checks, json_pack("{s:s, s:o, s:o*}", "status", words[finding],
                                  "what", command_text(what), "todo",
                                  todo != NULL ? command_text(todo) : NULL));
}

/* What helps a profile that is no good, nor is its archive. */
static const char *remedy_for(enum mesh_reason reason)
{
    if (reason == MESH_R_PROFILE_SIGNER)
        return "'meshctl refresh' or 'meshctl adopt' may bring a newer "
               "personal "
               "profile; what was taken out of it, 'meshctl delete' removes";
    return "get it by 'meshctl refresh' from its portal or by 'meshctl adopt' "
           "from a copy, or 'meshctl delete' it";
}

static void report_clock(struct report *report, const char *name,
                         const struct mesh_profile *profile)
{
    char now[MESH_TIME_TEXT_MAX];

    if (mesh_profile_is_ahead(profile, now))
        report_add(report, FOUND_WARNING,
                   "set the clock if it is wrong; until then each version is "
                   "dated a second after the one before",
                   "profile %s was updated %s, the clock shows %s", name,
                   profile->updated, now);
}

static void report_profile(struct report *report,
                           const struct mesh_layout *layout,
                           const struct mesh_layout_entry *entry)
{
    static const char repair[] = "'meshctl repair --all' writes it back from "
                                 "its archive, which is used meanwhile";
    struct mesh_context ignore = mesh_context_quiet(report->ctx);
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    struct mesh_profile *latest = NULL, *newest = NULL;
    const char *kind = mesh_kind_word(entry->kind);
    int ok = mesh_locate(&quiet, layout, entry, MESH_LOCATE_LATEST, &latest);
    int archived =
        mesh_locate(&ignore, layout, entry, MESH_LOCATE_NEWEST, &newest)
        && strcmp(newest->where, entry->archive) == 0;

    if (!ok)
        report_add(report, FOUND_PROBLEM,
                   archived ? repair : remedy_for(failure.reason),
                   "%s profile %s: %s: %s", kind, entry->name,
                   mesh_reason_text(failure.reason), failure.text);
    else if (archived) /* a copy that was put back, for example */
        report_add(report, FOUND_WARNING,
                   "'meshctl repair --all' writes the newer one back",
                   "%s profile %s is older than the newest in its archive",
                   kind, entry->name);
    else
        report_add(report, FOUND_OK, NULL, "%s profile %s verifies", kind,
                   entry->name);
    if (newest != NULL)
        report_clock(report, entry->name, newest);
    mesh_profile_free(latest);
    mesh_profile_free(newest);
}

/* The layout with all it lists; the default device is *device. */
static void report_layout(struct report *report, struct mesh_profile **device)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    const struct mesh_profile_key *ignored;
    struct mesh_layout *layout = NULL;
    char *home = mesh_layout_home(&quiet);

    if (home == NULL || !mesh_layout_open(&quiet, &layout)) {
        report_add(report, FOUND_PROBLEM, "see there", "profiles: %s: %s",
                   mesh_reason_text(failure.reason), failure.text);
        goto end;
    }
    if (mesh_layout_count(layout) == 0) {
        report_add(report, FOUND_WARNING, "meshctl create device",
                   "no profiles in %s", home);
        goto end;
    }
    report_add(report, FOUND_OK, NULL, "profiles in %s: %zu, closed to others",
               home, mesh_layout_count(layout));
    for (size_t i = 0; i < mesh_layout_count(layout); i++)
        report_profile(report, layout, mesh_layout_entry(layout, i));
    if (mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL) == NULL)
        report_add(report, FOUND_WARNING,
                   "meshctl default device PROFILE, or create device",
                   "no default device profile");
    else if (mesh_resolve_profile(&quiet, "device", device, &ignored))
        report_add(report, FOUND_OK, NULL, "default device profile %s",
                   (*device)->identifier);
end:
    mesh_layout_free(layout);
    OPENSSL_free(home);
}

void report_keys(struct report *report, const struct mesh_profile *device,
                 const char *elsewhere)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    struct mesh_key_name name;
    size_t missing = 0;
    int held, failed;

    for (size_t i = 0; i < device->keys_count; i++) {
        held = 0;
        if (mesh_key_name_of(&quiet, device->keys[i].public, &name))
            mesh_keystore_holds(&quiet, &name, &held);
        missing += !held;
    }
    failed = failure.reason != MESH_R_NONE;
    if (missing > 0)
        report_add(report, FOUND_WARNING,
                   elsewhere != NULL
                       ? elsewhere
                       : "'meshctl show mesh://device' says which; import "
                         "them, or create another device profile",
                   "%zu of the %zu private keys of the default device are not "
                   "here%s%s%s%s",
                   missing, device->keys_count, failed ? ": " : "",
                   failed ? mesh_reason_text(failure.reason) : "",
                   failed ? ": " : "", failure.text);
    else
        report_add(report, FOUND_OK, NULL,
                   "all %zu private keys of the default device are here",
                   device->keys_count);
}

int command_doctor(struct mesh_context *ctx, int argc, char **argv)
{
    int json = 0;
    const struct command_option options[] = {
        {"json", NULL, &json, 0},
        {NULL, NULL, NULL, 0},
    };
    struct report report = {.ctx = ctx};
    struct mesh_profile *device = NULL;
    const json_t *check;
    int ok = 1;
    size_t i;

    if (!command_options(ctx, &argc, &argv, options, 0, 0))
        return 0;
    if ((report.checks = json_array()) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "doctor");
    report_openssl(&report);
    ctx->config.refresh = MESH_REFRESH_NEVER; /* a look changes nothing */
    report_layout(&report, &device);
    report_keystore(&report, device);
    if (json) {
        ok = command_json(ctx, report.checks);
    } else {
        json_array_foreach (report.checks, i, check) {
            const char *todo =
                json_string_value(json_object_get(check, "todo"));

            printf("%-7s  %s%s%s\n",
                   json_string_value(json_object_get(check, "status")),
                   json_string_value(json_object_get(check, "what")),
                   todo != NULL ? "  -> " : "", todo != NULL ? todo : "");
        }
    }
    json_decref(report.checks);
    mesh_profile_free(device);
    return ok && report.problems == 0;
}
