/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl publish: a profile goes to its portals.
 */
#include "store/payload.h"
#include "store/resolve.h"
#include "tools/command.h"
#include "tools/portal.h"
#include "tools/portal_options.h"

#include <stdio.h>

/* {"SignedPersonalProfile": …}, without what a wrapper adds; NULL is raised.
 */
static json_t *make_entry(struct mesh_context *ctx,
                          const struct mesh_profile *profile)
{
    static const char *const tags[] = {
        [MESH_PROFILE_PERSONAL] = "SignedPersonalProfile",
        [MESH_PROFILE_DEVICE] = "SignedDeviceProfile",
        [MESH_PROFILE_APPLICATION] = "SignedApplicationProfile",
    };
    json_t *entry = json_pack("{s:O}", tags[profile->kind],
                              mesh_document_object(profile->document));

    if (entry == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", profile->where);
    return entry;
}

static const struct mesh_layout_entry *
find_entry(const struct mesh_layout *layout, const struct mesh_profile *p)
{
    for (size_t i = 0; i < mesh_layout_count(layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        if (entry->kind == p->kind && mesh_udf_may_equal(&entry->udf, &p->udf))
            return entry;
    }
    return NULL;
}

static int publish_at(struct mesh_context *ctx, struct portal_http *http,
                      const struct mesh_profile *profile, const char *host,
                      const char *account, json_t *entry)
{
    if (!portal_publish(ctx, http, host, account, entry))
        return 0;
    printf("mesh://%s: published at %s\n", profile->identifier, host);
    return 1;
}

/* To each of its accounts: what one portal does not take, the next one may. */
static int publish_at_all(struct mesh_context *ctx, struct portal_http *http,
                          const struct mesh_layout *layout,
                          const struct mesh_profile *profile, json_t *entry)
{
    int own, ok = 1;
    const char *const *accounts =
        portal_accounts(layout, find_entry(layout, profile), &own);

    if (accounts == NULL)
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s profile %s is registered nowhere; --portal says "
                          "where it goes",
                          mesh_kind_word(profile->kind), profile->identifier);
    for (; *accounts != NULL; accounts++) {
        const char *host;

        ok &= portal_account_host(ctx, *accounts, &host)
              && publish_at(ctx, http, profile, host, own ? *accounts : NULL,
                            entry);
    }
    return ok;
}

int command_publish(struct mesh_context *ctx, int argc, char **argv)
{
    struct portal_options wanted = {NULL, NULL, NULL};
    const struct command_option options[] = {
        {"portal", &wanted.host, NULL, 0},
        {"cacert", &wanted.cacert, NULL, 0},
        {"timeout", &wanted.timeout, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_profile_key *key = NULL;
    struct mesh_profile *profile = NULL;
    struct mesh_layout *layout = NULL;
    char name[MESH_URI_PART_MAX];
    struct portal_http http = {0};
    json_t *entry = NULL;
    int ok;

    ok = command_options(ctx, &argc, &argv, options, 0, 1)
         && mesh_uri_profile_name(ctx, argc > 0 ? argv[0] : "personal", name)
         && portal_options_open(ctx, &wanted, &http)
         && mesh_resolve_profile(ctx, name, &profile, &key);
    if (ok && key != NULL)
        ok = mesh_raise(ctx, MESH_R_USAGE, "%.100s is a key; profile %s has it",
                        name, profile->identifier);
    ok = ok && mesh_layout_open(ctx, &layout)
         && (entry = make_entry(ctx, profile)) != NULL;
    if (ok && wanted.host != NULL)
        ok = publish_at(ctx, &http, profile, wanted.host, NULL, entry);
    else if (ok)
        ok = publish_at_all(ctx, &http, layout, profile, entry);
    json_decref(entry);
    mesh_layout_free(layout);
    mesh_profile_free(profile);
    portal_http_close(&http);
    return ok;
}
