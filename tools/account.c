/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl remove account.  (refresh adds one, if the portal knows it.)
 */
#include "tools/command.h"
#include "tools/target.h"

/* The personal profile that is meant: by default whose the account is.  NULL is
 * raised. */
static const struct mesh_layout_entry *
find_owner(struct mesh_context *ctx, const struct mesh_layout *layout,
           const char *profile, const char *account)
{
    const struct mesh_layout_entry *entry =
        profile != NULL ? target_entry(ctx, layout, profile)
                        : mesh_layout_find_account(layout, account);

    if (entry == NULL && profile == NULL)
        mesh_raise(ctx, MESH_R_ACCOUNT,
                   "no personal profile on this device is registered as "
                   "%.100s; 'meshctl show' shows the accounts of one",
                   account);
    if (entry == NULL || entry->kind == MESH_PROFILE_PERSONAL)
        return entry;
    mesh_raise(ctx, MESH_R_PROFILE_KIND,
               "%s is of a %s; personal profiles alone have accounts",
               entry->name, mesh_kind_word(entry->kind));
    return NULL;
}

int command_remove_account(struct mesh_context *ctx, int argc, char **argv)
{
    const char *profile = NULL;
    const struct command_option options[] = {
        {"personal", &profile, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_layout_entry *entry;
    char name[MESH_URI_PART_MAX];
    struct mesh_layout *layout;
    const char *account;
    int ok;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !mesh_layout_open(ctx, &layout))
        return 0;
    /* As it stands, however it was written into profiles.json. */
    account = argv[0];
    ok = !mesh_uri_is(account)
         || (mesh_uri_profile_name(ctx, argv[0], name) && (account = name));
    ok = ok && (entry = find_owner(ctx, layout, profile, account)) != NULL
         && mesh_layout_remove_account(ctx, entry->name, account);
    mesh_layout_free(layout);
    return ok;
}
