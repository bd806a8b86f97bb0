/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the commands that speak with portals have in common.
 */
#include "tools/portal_options.h"

#include "tools/portal_name.h"

#include <stdlib.h>
#include <string.h>

int portal_options_open(struct mesh_context *ctx,
                        const struct portal_options *options,
                        struct portal_http *http)
{
    unsigned long seconds = PORTAL_TIMEOUT_DEFAULT;
    struct portal_name name;
    const char *text = options->timeout;
    char *end;

    memset(http, 0, sizeof(*http));
    if (text != NULL) {
        seconds = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != '\0' || seconds < 1
            || seconds > PORTAL_TIMEOUT_MAX)
            return mesh_raise(ctx, MESH_R_USAGE,
                              "--timeout %.100s: a number of seconds from 1 to "
                              "%d is wanted",
                              text, PORTAL_TIMEOUT_MAX);
    }
    return (options->host == NULL
            || portal_name_parse(ctx, options->host, &name))
           && portal_http_open(ctx, http, options->cacert, (unsigned)seconds);
}

int portal_account_host(struct mesh_context *ctx, const char *account,
                        const char **host)
{
    struct portal_name name;
    const char *at = strchr(account, '@');

    if (at == NULL || at == account || at[1] == '\0'
        || strchr(at + 1, '@') != NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "portal account '%.100s': NAME@HOST is wanted",
                          account);
    *host = at + 1;
    /* not a scheme, which only the command line may choose */
    if (strchr(*host, '/') != NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "portal account '%.100s': no host follows the @",
                          account);
    return portal_name_parse(ctx, *host, &name);
}

const char *const *portal_accounts(const struct mesh_layout *layout,
                                   const struct mesh_layout_entry *entry,
                                   int *own)
{
    *own = entry != NULL && entry->portals != NULL && entry->portals[0] != NULL;
    if (!*own)
        entry = mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    return entry != NULL && entry->portals != NULL && entry->portals[0] != NULL
               ? entry->portals
               : NULL;
}
