/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A version of a profile that comes from outside.
 */
#include "store/enter.h"

#include "store/locate.h"
#include "store/payload.h"
#include "store/trust.h"

#include <string.h>

#define PORTALS_MAX 32

/* The accounts in a file: of the wrapper of the reference implementation, or
 * beside the signature; borrowed from the document. */
static void find_portals(const json_t *document,
                         const char *portals[PORTALS_MAX + 1])
{
    json_t *list = json_object_get(mesh_payload_inner(document), "Portals");
    json_t *item;
    size_t i, count = 0;

    if (list == NULL)
        list = json_object_get(
            json_object_get(mesh_document_object(document), "Unauthenticated"),
            "PortalAddress");
    json_array_foreach (list, i, item) {
        json_t *address = json_object_get(item, "Address");
        const char *text = json_string_value(address != NULL ? address : item);

        if (text != NULL && count < PORTALS_MAX)
            portals[count++] = text;
    }
    portals[count] = NULL;
}

/* Whether what is here says the same: by what is signed.  What stands beside
 * that anybody can change, who could make archives grow with it. */
static int is_same(const struct mesh_profile *here,
                   const struct mesh_profile *p)
{
    return here->outer->payload_len == p->outer->payload_len
           && memcmp(here->outer->payload, p->outer->payload,
                     p->outer->payload_len)
                  == 0;
}

/* One that does not say when it was updated is as old as can be. */
static int check_age(struct mesh_context *ctx,
                     const struct mesh_layout_entry *entry,
                     const struct mesh_profile *here,
                     const struct mesh_profile *p)
{
    if (!mesh_profile_is_older(p, here)
        && (p->updated != NULL || here->updated == NULL))
        return 1;
    return mesh_raise(ctx, MESH_R_PROFILE_OLDER,
                      "%s: %s profile %s was updated %s; here is the one of "
                      "%s",
                      p->where, mesh_kind_word(p->kind), entry->name,
                      p->updated != NULL ? p->updated : "never", here->updated);
}

static const char *updated_text(const json_t *payload)
{
    return json_string_value(
        json_object_get(mesh_payload_inner(payload), "Updated"));
}

/* The master profile in a personal one says nothing of its own age to those who
 * look at the personal one alone: whoever has a key that was taken out of it
 * can sign with an older one, that still lists it. */
static int check_master(struct mesh_change *change,
                        const struct mesh_profile *here,
                        const struct mesh_profile *p)
{
    json_t *old, *new;
    mesh_time old_time, new_time;
    int ok = 1, dated;

    if (p->kind != MESH_PROFILE_PERSONAL)
        return 1;
    old = mesh_change_open_master(change, here);
    new = old != NULL ? mesh_change_open_master(change, p) : NULL;
    dated = mesh_payload_updated(mesh_payload_inner(new), &new_time);
    if (old == NULL || new == NULL)
        ok = 0;
    else if (mesh_payload_updated(mesh_payload_inner(old), &old_time)
             && (!dated || new_time < old_time))
        ok = mesh_raise(change->ctx, MESH_R_PROFILE_OLDER,
                        "%s: its master profile was updated %s, that of the "
                        "one here %s; %s may be a key that was removed",
                        p->where, dated ? updated_text(new) : "never",
                        updated_text(old), p->signer);
    json_decref(old);
    json_decref(new);
    return ok;
}

/* Whether the personal profile of an entry answers for the application profile
 * that is here; *personal is the caller's in any case. */
static int answers_for(struct mesh_context *ctx,
                       const struct mesh_layout *layout,
                       const struct mesh_layout_entry *entry,
                       struct mesh_profile *here,
                       struct mesh_profile **personal)
{
    *personal = NULL;
    return entry != NULL && entry->kind == MESH_PROFILE_PERSONAL
           && mesh_locate(ctx, layout, entry, MESH_LOCATE_QUICK, personal)
           && mesh_trust_application(ctx, here, *personal);
}

/* The name of an application profile is no hash of a key: any other person, of
 * whom there is a personal profile here, can list it, with devices of theirs.
 * So who answers for the version here must answer for the next; the user, who
 * is the default, before those who list it as well. */
static int check_owner(struct mesh_context *ctx,
                       const struct mesh_layout *layout,
                       struct mesh_profile *here, struct mesh_profile *p)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const struct mesh_layout_entry *entry =
        mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    struct mesh_profile *personal;
    size_t i = 0;
    int ok;

    if (p->kind != MESH_PROFILE_APPLICATION)
        return 1;
    while (!answers_for(&quiet, layout, entry, here, &personal)) {
        mesh_profile_free(personal);
        if (i == mesh_layout_count(layout))
            return mesh_locate_trust(ctx, layout, p);
        entry = mesh_layout_entry(layout, i++);
    }
    ok = mesh_trust_application(ctx, p, personal);
    mesh_profile_free(personal);
    return ok;
}

int mesh_enter_may_follow(struct mesh_change *change,
                          const struct mesh_layout *layout,
                          const struct mesh_layout_entry *entry,
                          struct mesh_profile *here, struct mesh_profile *p)
{
    return check_age(change->ctx, entry, here, p)
           && check_master(change, here, p)
           && check_owner(change->ctx, layout, here, p);
}

static int enter_newer(struct mesh_change *change,
                       const struct mesh_layout *layout,
                       const struct mesh_layout_entry *entry,
                       struct mesh_profile *p, const char *text, size_t len,
                       enum mesh_entered *entered)
{
    struct mesh_context quiet = mesh_context_quiet(change->ctx);
    struct mesh_profile *here = NULL;
    int ok;

    *entered = MESH_ENTERED_NEWER;
    /* what is here and no use is replaced by what is */
    if (!mesh_locate(&quiet, layout, entry, MESH_LOCATE_NEWEST, &here))
        return mesh_change_write(change, entry->file, entry->archive, text,
                                 len);
    mesh_change_saw(change, here);
    if (!mesh_enter_may_follow(change, layout, entry, here, p)) {
        ok = 0;
    } else if (is_same(here, p) && strcmp(here->where, entry->file) == 0) {
        *entered = MESH_ENTERED_NOTHING;
        ok = 1;
    } else {
        ok = mesh_change_write(change, entry->file, entry->archive, text, len);
    }
    mesh_profile_free(here);
    return ok;
}

static int enter_new(struct mesh_change *change, const struct mesh_profile *p,
                     const char *const *portals, const char *text, size_t len)
{
    const char *found[PORTALS_MAX + 1];

    find_portals(p->document, found);
    return mesh_change_add(change, p->kind, mesh_application_type_of(p->type),
                           p->identifier, portals != NULL ? portals : found,
                           text, len, 0);
}

static int enter(struct mesh_change *change, const struct mesh_layout *layout,
                 struct mesh_profile *p, const struct mesh_udf *wanted,
                 const char *const *portals, const char *text, size_t len,
                 enum mesh_entered *entered, char name[MESH_UDF_TEXT_MAX])
{
    const struct mesh_layout_entry *entry =
        mesh_layout_find(layout, p->kind, &p->udf);
    const struct mesh_layout_entry asked = {
        .kind = p->kind,
        .name = entry != NULL ? entry->name : p->identifier,
        .udf = wanted != NULL  ? *wanted
               : entry != NULL ? entry->udf
                               : p->udf,
    };

    OPENSSL_strlcpy(name, asked.name, MESH_UDF_TEXT_MAX);
    if (!mesh_locate_accepts(change->ctx, layout, &asked, p)
        || !mesh_profile_open_keys(change->ctx, p))
        return 0;
    mesh_change_saw(change, p);
    if (entry != NULL)
        return enter_newer(change, layout, entry, p, text, len, entered);
    *entered = MESH_ENTERED_NEW;
    return enter_new(change, p, portals, text, len);
}

int mesh_enter(struct mesh_change *change, const char *text, size_t len,
               const char *where, const struct mesh_udf *wanted,
               const char *const *portals, enum mesh_entered *entered,
               char name[MESH_UDF_TEXT_MAX])
{
    struct mesh_context *ctx = change->ctx;
    json_t *document = mesh_json_parse(ctx, text, len, where);
    struct mesh_profile *p = NULL;
    struct mesh_layout *layout = NULL;
    char *strict = NULL; /* what is written is JSON for everybody */
    int ok;

    *entered = MESH_ENTERED_NOTHING;
    ok = document != NULL && mesh_profile_parse_json(ctx, document, where, &p)
         && mesh_layout_open(ctx, &layout);
    if (ok && (strict = mesh_json_print(document, JSON_INDENT(2))) == NULL)
        ok = mesh_raise(ctx, MESH_R_MEMORY, "%s", where);
    ok = ok
         && enter(change, layout, p, wanted, portals, strict, strlen(strict),
                  entered, name);
    OPENSSL_free(strict);
    mesh_layout_free(layout);
    mesh_profile_free(p);
    json_decref(document);
    return ok;
}
