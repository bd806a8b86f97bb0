/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Locating a profile of the layout: the latest copy, else the archive.
 */
#include "store/locate.h"

#include "store/archive.h"
#include "store/attempt.h"
#include "store/payload.h"
#include "store/trust.h"

#include <string.h>

/* So much of an archive is looked at for a load: whoever can make its end bad
 * must not be able to keep programs busy. */
#define QUICK_OCTETS (64u << 20)
#define QUICK_LINES  64

/* Whether the signer that is not believed is a device of this layout. */
static int is_signed_here(const struct mesh_layout *layout,
                          const struct mesh_profile *app)
{
    struct mesh_udf kid;

    if (!mesh_udf_decode(app->outer->signatures[0].kid, &kid))
        return 0;
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind == MESH_PROFILE_DEVICE
            && mesh_udf_may_equal(&entry->udf, &kid))
            return 1;
    }
    return 0;
}

/* None of the personal profiles that are here names the application: how many
 * there are, and one of them. */
static int raise_unlisted(struct mesh_context *ctx,
                          const struct mesh_profile *app, size_t count,
                          const char *one)
{
    if (count == 1)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "personal profile %.64s does not list the %.32s "
                          "%.64s, or no more; one that does proves it",
                          one, app->type, app->identifier);
    return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                      "none of the %zu personal profiles here lists the %.32s "
                      "%.64s, or no more; one that does proves it",
                      count, app->type, app->identifier);
}

int mesh_locate_trust(struct mesh_context *ctx,
                      const struct mesh_layout *layout,
                      struct mesh_profile *app)
{
    struct mesh_profile *personal;
    struct mesh_attempt attempt;
    char one[MESH_UDF_TEXT_MAX] = "";
    size_t strangers = 0;
    int ok = 0;

    if (app->kind != MESH_PROFILE_APPLICATION)
        return 1;
    mesh_attempt_begin(&attempt, ctx);
    for (size_t i = 0; !ok && i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind != MESH_PROFILE_PERSONAL)
            continue;
        if (mesh_locate(&attempt.ctx, layout, entry, MESH_LOCATE_QUICK,
                        &personal)) {
            if (mesh_trust_lists(personal, app)) {
                ok = mesh_trust_application(&attempt.ctx, app, personal);
            } else {
                strangers++;
                OPENSSL_strlcpy(one, entry->name, sizeof(one));
            }
        }
        mesh_profile_free(personal);
    }
    if (ok)
        return 1;
    if (attempt.reason == MESH_R_PROFILE_SIGNER && is_signed_here(layout, app))
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "%s; that is this device: application profile "
                          "%.64s is here, but has no effect until a device of "
                          "the personal profile signs it",
                          attempt.text, app->identifier);
    if (attempt.reason != MESH_R_NONE)
        return mesh_attempt_raise(ctx, &attempt);
    if (strangers > 0)
        return raise_unlisted(ctx, app, strangers, one);
    return mesh_raise(ctx, MESH_R_PROFILE_MISSING,
                      "this device has no personal profile that could list "
                      "application profile %.64s; 'meshctl adopt' or 'meshctl "
                      "refresh' takes one",
                      app->identifier);
}

int mesh_locate_accepts(struct mesh_context *ctx,
                        const struct mesh_layout *layout,
                        const struct mesh_layout_entry *entry,
                        struct mesh_profile *p)
{
    int named = 0;

    if (p->kind != entry->kind || strcmp(p->type, "MasterProfile") == 0)
        return mesh_raise(ctx, MESH_R_PROFILE_KIND,
                          "%s: a %.64s where the layout has %s profiles",
                          p->where, p->type, mesh_kind_word(entry->kind));
    if (!mesh_trust_name(ctx, p, &entry->udf, &named))
        return 0;
    if (!named)
        return mesh_raise(ctx, MESH_R_PROFILE_NAME,
                          "%s: the profile is %.64s, the layout says %.64s",
                          p->where, p->identifier, entry->name);
    return mesh_locate_trust(ctx, layout, p);
}

/* Keeps the profile if it is accepted, else frees it. */
static int keep_accepted(struct mesh_context *ctx,
                         const struct mesh_layout *layout,
                         const struct mesh_layout_entry *entry,
                         struct mesh_profile **profile)
{
    if (mesh_locate_accepts(ctx, layout, entry, *profile))
        return 1;
    mesh_profile_free(*profile);
    *profile = NULL;
    return 0;
}

/* The newest good version in the archive; 0, and nothing raised, if none is:
 * *answer is then what the error has to say of it. */
static int read_archived(struct mesh_context *ctx,
                         const struct mesh_layout *layout,
                         const struct mesh_layout_entry *entry,
                         enum mesh_locate how, struct mesh_profile **profile,
                         const char **answer)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    int is_quick = how == MESH_LOCATE_QUICK;
    struct mesh_archive *archive;
    json_t *document = NULL;

    *profile = NULL;
    *answer = "";
    if (!mesh_archive_open(&quiet, entry->archive, is_quick ? QUICK_OCTETS : 0,
                           &archive))
        return 0;
    while (*profile == NULL
           && (!is_quick || mesh_archive_lines(archive) < QUICK_LINES)
           && mesh_archive_previous(archive, &document) && document != NULL) {
        if (mesh_profile_parse_json(&quiet, document, entry->archive, profile))
            keep_accepted(&quiet, layout, entry, profile);
        json_decref(document);
    }
    *answer = mesh_archive_is_read(archive)
                  ? "; nor is there a good version in its archive"
                  : "; nor is there a good version at the end of its archive: "
                    "'meshctl repair' looks at all of it";
    mesh_archive_close(archive);
    return *profile != NULL;
}

/* Why versions may follow one another by order alone. */
static int trace_time(struct mesh_context *ctx, const struct mesh_profile *p)
{
    char now[MESH_TIME_TEXT_MAX];

    if (ctx->trace != NULL && mesh_profile_is_ahead(p, now))
        mesh_trace(ctx,
                   "%s: updated %s, but the clock of this computer shows %s",
                   p->where, p->updated, now);
    return 1;
}

int mesh_locate(struct mesh_context *ctx, const struct mesh_layout *layout,
                const struct mesh_layout_entry *entry, enum mesh_locate how,
                struct mesh_profile **profile)
{
    struct mesh_profile *archived;
    struct mesh_attempt attempt;
    const char *answer;
    int ok;

    mesh_attempt_begin(&attempt, ctx);
    ok = mesh_profile_read_chain(&attempt.ctx, entry->file, profile)
         && keep_accepted(&attempt.ctx, layout, entry, profile);
    if (how == MESH_LOCATE_LATEST
        || (how == MESH_LOCATE_QUICK && ok
            && !mesh_layout_are_apart(ctx, entry->archive, entry->file)))
        return ok ? trace_time(ctx, *profile)
                  : mesh_attempt_raise(ctx, &attempt);
    if (read_archived(ctx, layout, entry, how, &archived, &answer)
        && (!ok || mesh_profile_is_older(*profile, archived))) {
        mesh_trace(ctx, "%s: %s; the newest good version in %s is used",
                   entry->file, ok ? "older than the archive" : attempt.text,
                   entry->archive);
        mesh_profile_free(*profile);
        *profile = archived;
        return trace_time(ctx, archived);
    }
    mesh_profile_free(archived);
    if (ok)
        return trace_time(ctx, *profile);
    return mesh_raise(ctx, attempt.reason, "%s%s", attempt.text, answer);
}
