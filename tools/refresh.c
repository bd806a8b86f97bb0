/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl refresh: new versions of profiles, from their portals.
 */
#include "store/enter.h"
#include "store/uri.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/portal.h"
#include "tools/portal_options.h"
#include "tools/target.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 64 /* of an answer that are looked at */

enum { EXIT_UNCHANGED = 3 };

struct refresh {
    struct mesh_context *ctx;
    struct portal_http http;
    struct mesh_layout *layout;
    const char *host; /* instead of the portals that profiles have */
    size_t changed, failed;
};

/* A profile that is asked for. */
struct wanted {
    const struct mesh_layout_entry *entry; /* NULL: it is not here yet */
    char name[MESH_URI_PART_MAX];          /* fingerprint or account */
    const char *account;                   /* new: it has no other name */
    struct mesh_udf udf;                   /* but for an account */
};

static void want_entry(struct wanted *wanted,
                       const struct mesh_layout_entry *entry)
{
    memset(wanted, 0, sizeof(*wanted));
    wanted->entry = entry;
    wanted->udf = entry->udf;
    OPENSSL_strlcpy(wanted->name, entry->name, sizeof(wanted->name));
}

static int want_account(struct refresh *r, struct wanted *wanted)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_find_account(r->layout, wanted->name);
    const char *host;

    if (entry != NULL) {
        want_entry(wanted, entry);
        return 1;
    }
    wanted->account = wanted->name;
    return portal_account_host(r->ctx, wanted->name, &host);
}

static int want_fingerprint(struct refresh *r, struct wanted *wanted)
{
    const struct mesh_layout_entry *found;

    if (!mesh_udf_parse(r->ctx, wanted->name, &wanted->udf)
        || !target_find_entry(r->ctx, r->layout, wanted->name, &found))
        return 0;
    if (found != NULL)
        want_entry(wanted, found);
    return 1;
}

static int want_default(struct refresh *r, struct wanted *wanted,
                        enum mesh_profile_kind kind, const char *type)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_default(r->layout, kind, type);

    if (entry == NULL)
        return target_raise_no_default(r->ctx, wanted->name);
    want_entry(wanted, entry);
    return 1;
}

/* What an argument means. */
static int want(struct refresh *r, const char *text, struct wanted *wanted)
{
    enum mesh_profile_kind kind;
    const char *type;

    memset(wanted, 0, sizeof(*wanted));
    if (!mesh_uri_profile_name(r->ctx, text, wanted->name))
        return 0;
    if (strchr(wanted->name, '@') != NULL)
        return want_account(r, wanted);
    if (kind_parse(wanted->name, &kind, &type))
        return want_default(r, wanted, kind, type);
    return want_fingerprint(r, wanted);
}

/* Whether an entry is of the kind that is wanted: the trust chain does not care
 * which one calls itself by the name. */
static int check_kind(struct mesh_context *ctx, const struct wanted *wanted,
                      json_t *entry, const char *where, struct mesh_udf *udf)
{
    struct mesh_profile *p;
    int ok = 1;

    if (!json_is_object(entry))
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "%s: an entry is no profile", where);
    if (!mesh_profile_parse_json(ctx, entry, where, &p))
        return 0;
    *udf = wanted->account == NULL ? wanted->udf : p->udf;
    if (wanted->account != NULL && p->kind != MESH_PROFILE_PERSONAL)
        ok = mesh_raise(ctx, MESH_R_PROFILE_KIND,
                        "%s: the kind is %s, an account has a personal profile",
                        where, mesh_kind_word(p->kind));
    else if (wanted->entry != NULL && p->kind != wanted->entry->kind)
        ok = mesh_raise(ctx, MESH_R_PROFILE_KIND,
                        "%s: the kind is %s, here it is %s", where,
                        mesh_kind_word(p->kind),
                        mesh_kind_word(wanted->entry->kind));
    mesh_profile_free(p);
    return ok;
}

/* Of a profile that is here and that the portal gave for the account. */
static int add_account(struct mesh_context *ctx, const char *udf,
                       const char *account)
{
    if (!mesh_layout_add_account(ctx, udf, account))
        return 0;
    command_note("mesh://%s is here already; %s is one more of its accounts",
                 udf, account);
    return 1;
}

static int enter(struct mesh_context *ctx, const struct wanted *wanted,
                 json_t *entry, const char *where, enum mesh_entered *entered,
                 char name[MESH_UDF_TEXT_MAX])
{
    /* never those that an answer has: whoever gives it could take the name of
     * somebody else's account */
    const char *const portals[] = {wanted->account, NULL};
    struct mesh_change change;
    struct mesh_udf udf;
    char *text;
    int ok;

    if (!check_kind(ctx, wanted, entry, where, &udf))
        return 0;
    text = mesh_json_print(entry, 0);
    if (text == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", where);
    change_begin(&change, ctx);
    ok = mesh_change_lock(&change)
         && mesh_enter(&change, text, strlen(text), where, &udf, portals,
                       entered, name);
    ok = change_end(&change, ok);
    OPENSSL_free(text);
    if (ok && wanted->account != NULL && *entered != MESH_ENTERED_NEW) {
        ok = add_account(ctx, name, wanted->account);
        *entered = MESH_ENTERED_NEWER;
    }
    return ok;
}

/* Enters what is good of the entries; fails if nothing is. */
static int enter_all(struct mesh_context *ctx, const struct wanted *asked,
                     const json_t *entries, const char *host,
                     enum mesh_entered *best, char name[MESH_UDF_TEXT_MAX])
{
    struct wanted wanted = *asked;
    enum mesh_entered entered;
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);
    char where[128];
    json_t *entry;
    int found = 0;
    size_t i;

    snprintf(where, sizeof(where), "portal %.100s", host);
    *best = MESH_ENTERED_NOTHING;
    json_array_foreach (entries, i, entry) {
        if (i >= ENTRIES_MAX || change_is_interrupted())
            break;
        if (!enter(&quiet, &wanted, entry, where, &entered, name))
            continue;
        if (entered < *best)
            *best = entered;
        if (!found && wanted.account != NULL) /* an account is one person */
            (void)mesh_udf_parse(&quiet, name, &wanted.udf);
        wanted.account = NULL;
        found = 1;
    }
    if (!found && failure.reason == MESH_R_NONE)
        return change_go_on(ctx);
    return found || mesh_raise(ctx, failure.reason, "%s", failure.text);
}

/* Asks one portal, and enters what it answers. */
static int ask(struct refresh *r, struct mesh_context *ctx,
               const struct wanted *wanted, const char *host,
               const char *account, enum mesh_entered *entered,
               char name[MESH_UDF_TEXT_MAX])
{
    const char *udf = wanted->account == NULL ? wanted->name : NULL;
    json_t *entries = NULL;
    int ok = portal_get(ctx, &r->http, host, account, udf, &entries)
             && enter_all(ctx, wanted, entries, host, entered, name);

    json_decref(entries);
    return ok;
}

/* Asks one portal after the other until one has an answer that is good: a bad
 * one must not keep new versions back.  If none has, the first says why. */
static int ask_in_turn(struct refresh *r, struct mesh_context *ctx,
                       const struct wanted *wanted, enum mesh_entered *entered,
                       char name[MESH_UDF_TEXT_MAX])
{
    const char *const alone[] = {wanted->account, NULL}, *host;
    const char *const *accounts = alone;
    struct failure first = {.reason = MESH_R_NONE}, failure;
    int own = 1;

    if (r->host != NULL)
        return ask(r, ctx, wanted, r->host, wanted->account, entered, name);
    if (wanted->account == NULL)
        accounts = portal_accounts(r->layout, wanted->entry, &own);
    if (accounts == NULL)
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "it is registered nowhere; --portal says where to "
                          "look for it");
    for (; *accounts != NULL; accounts++) {
        struct mesh_context quiet = failure_catch(ctx, &failure);

        if (portal_account_host(&quiet, *accounts, &host)
            && ask(r, &quiet, wanted, host, own ? *accounts : NULL, entered,
                   name))
            return 1;
        if (first.reason == MESH_R_NONE || failure.reason == MESH_R_INTERRUPTED)
            first = failure;
        if (failure.reason == MESH_R_INTERRUPTED)
            break;
        if (accounts[1] != NULL)
            command_note("%s; the next portal is asked", failure.text);
        else if (failure.reason != first.reason
                 || strcmp(failure.text, first.text) != 0)
            command_note("%s; no portal is left", failure.text);
    }
    /* the command was right, the account is that of profiles.json */
    if (first.reason == MESH_R_USAGE)
        return mesh_raise(ctx, MESH_R_LAYOUT_MALFORMED,
                          "%s; 'meshctl remove account' takes it out",
                          first.text);
    return mesh_raise(ctx, first.reason, "%s", first.text);
}

static int refresh(struct refresh *r, const struct wanted *wanted)
{
    static const char *const words[] = {
        [MESH_ENTERED_NEW] = "added",
        [MESH_ENTERED_NEWER] = "changed",
        [MESH_ENTERED_NOTHING] = "unchanged",
    };
    struct failure failure;
    struct mesh_context quiet = failure_catch(r->ctx, &failure);
    char name[MESH_UDF_TEXT_MAX] = "";
    enum mesh_entered entered = MESH_ENTERED_NOTHING;

    if (ask_in_turn(r, &quiet, wanted, &entered, name)) {
        printf("mesh://%s: %s\n", name, words[entered]);
        r->changed += entered != MESH_ENTERED_NOTHING;
    } else {
        printf("mesh://%s: failed\n", wanted->name);
        r->failed++;
        mesh_raise(r->ctx, failure.reason, "%s: %s", wanted->name,
                   failure.text);
    }
    fflush(stdout);
    return failure.reason != MESH_R_INTERRUPTED;
}

static int refresh_all(struct refresh *r)
{
    size_t asked = 0;

    for (size_t i = 0; i < mesh_layout_count(r->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(r->layout, i);
        struct wanted wanted;

        if (entry->portals == NULL || entry->portals[0] == NULL)
            continue;
        asked++;
        want_entry(&wanted, entry);
        if (!refresh(r, &wanted))
            return 0;
    }
    if (asked == 0)
        command_note("no profile here has a portal; 'meshctl refresh "
                     "NAME@HOST' adds one");
    return 1;
}

static int refresh_named(struct refresh *r, int argc, char **argv)
{
    struct wanted wanted;

    for (int i = 0; i < argc; i++)
        if (!want(r, argv[i], &wanted))
            r->failed++;
        else if (!refresh(r, &wanted))
            return 0;
    return 1;
}

int command_refresh(struct mesh_context *ctx, int argc, char **argv)
{
    static char personal[] = "personal";
    char *by_default[] = {personal};
    struct refresh r = {.ctx = ctx};
    struct portal_options wanted = {NULL, NULL, NULL};
    int all = 0, ok;
    const struct command_option options[] = {
        {"all", NULL, &all, 0},
        {"portal", &wanted.host, NULL, 0},
        {"cacert", &wanted.cacert, NULL, 0},
        {"timeout", &wanted.timeout, NULL, 0},
        {NULL, NULL, NULL, 0},
    };

    if (!command_options(ctx, &argc, &argv, options, 0, INT_MAX))
        return 0;
    if (all && argc > 0)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "refresh wants profiles, or --all, and not both");
    r.host = wanted.host;
    ok = portal_options_open(ctx, &wanted, &r.http)
         && mesh_layout_open(ctx, &r.layout)
         && (all        ? refresh_all(&r)
             : argc > 0 ? refresh_named(&r, argc, argv)
                        : refresh_named(&r, 1, by_default));
    mesh_layout_free(r.layout);
    portal_http_close(&r.http);
    if (ok && r.failed == 0 && r.changed == 0)
        command_set_status(EXIT_UNCHANGED);
    return ok && r.failed == 0;
}
