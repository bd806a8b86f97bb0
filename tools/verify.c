/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl verify: the whole trust chain of profiles.
 */
#include "store/resolve.h"
#include "store/trust.h"
#include "store/uri.h"
#include "tools/command.h"
#include "tools/target.h"

#include <limits.h>
#include <stdio.h>

/* Opens what a URI or a file is, with its whole trust chain. */
static int open_verified(struct mesh_context *ctx, const char *name,
                         const struct mesh_profile *personal,
                         struct target *target)
{
    target->key = NULL;
    if (mesh_uri_is(name))
        return target_open_uri(ctx, name, target);
    if (!target_open_file(ctx, name, &target->profile))
        return 0;
    return personal != NULL && target->profile->kind == MESH_PROFILE_APPLICATION
               ? mesh_trust_application(ctx, target->profile, personal)
               : mesh_resolve_trust(ctx, target->profile);
}

static int verify(struct mesh_context *ctx, const char *name,
                  const struct mesh_profile *personal)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);
    struct target target = {NULL, NULL};
    int ok = open_verified(&quiet, name, personal, &target);

    if (ok)
        printf("%s: ok (%s %s, signed by %s, keys: %zu)\n", name,
               target.profile->type, target.profile->identifier,
               target.profile->signer, target.profile->keys_count);
    else
        printf("%s: %s: %s\n", name, mesh_reason_text(failure.reason),
               failure.text);
    target_clear(&target);
    return ok;
}

int command_verify(struct mesh_context *ctx, int argc, char **argv)
{
    const char *file = NULL;
    const struct command_option options[] = {
        {"personal", &file, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_profile *personal = NULL;
    int ok = 1;

    if (!command_options(ctx, &argc, &argv, options, 1, INT_MAX)
        || (file != NULL && !target_open_file(ctx, file, &personal)))
        return 0;
    if (personal != NULL && personal->kind != MESH_PROFILE_PERSONAL) {
        ok = mesh_raise(ctx, MESH_R_PROFILE_KIND,
                        "%.200s is a %s profile; --personal wants a personal "
                        "one",
                        file, kind_word(personal->kind));
        argc = 0;
    }
    for (int i = 0; i < argc; i++)
        ok &= verify(ctx, argv[i], personal);
    mesh_profile_free(personal);
    return ok;
}
