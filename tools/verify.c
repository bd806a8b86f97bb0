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
#include <string.h>

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

static void print(const char *name, const struct mesh_profile *profile,
                  const struct failure *failure)
{
    size_t len = strlen(name);
    /* "mesh:" has a colon of its own */
    const char *colon = len > 0 && name[len - 1] == ':' ? "" : ":";

    if (profile != NULL)
        printf("%s: ok (%s %s, signed by %s, keys: %zu)\n", name, profile->type,
               profile->identifier, profile->signer, profile->keys_count);
    else
        printf("%s%s %s: %s\n", name, colon, mesh_reason_text(failure->reason),
               failure->text);
}

static int describe(struct mesh_context *ctx, const char *name,
                    const struct mesh_profile *profile,
                    const struct failure *failure, json_t *list)
{
    json_t *found =
        profile != NULL
            ? json_pack("{s:s, s:b, s:s, s:s, s:s, s:I}", "name", name, "ok", 1,
                        "type", profile->type, "udf", profile->identifier,
                        "signer", profile->signer, "keys",
                        (json_int_t)profile->keys_count)
            : json_pack("{s:s, s:b, s:o}", "name", name, "ok", 0, "problem",
                        failure_json(failure));

    return json_array_append_new(list, found) == 0
           || mesh_raise(ctx, MESH_R_USAGE,
                         "'%.200s' cannot stand in JSON: it is no UTF-8", name);
}

/* Says what one is: in list, or on standard output. */
static int verify(struct mesh_context *ctx, const char *name,
                  const struct mesh_profile *personal, json_t *list)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);
    struct target target = {NULL, NULL};
    const struct mesh_profile *verified;
    int ok = open_verified(&quiet, name, personal, &target);

    verified = ok ? target.profile : NULL;
    if (list != NULL)
        ok &= describe(ctx, name, verified, &failure, list);
    else
        print(name, verified, &failure);
    target_clear(&target);
    return ok;
}

int command_verify(struct mesh_context *ctx, int argc, char **argv)
{
    const char *file = NULL;
    int json = 0, ok = 1;
    const struct command_option options[] = {
        {"personal", &file, NULL, 0},
        {"json", NULL, &json, 0},
        {NULL, NULL, NULL, 0},
    };
    struct mesh_profile *personal = NULL;
    json_t *list = NULL;

    if (!command_options(ctx, &argc, &argv, options, 1, INT_MAX)
        || (file != NULL && !target_open_file(ctx, file, &personal)))
        return 0;
    if (personal != NULL && personal->kind != MESH_PROFILE_PERSONAL) {
        ok = mesh_raise(ctx, MESH_R_PROFILE_KIND,
                        "%.200s is a %s profile; --personal wants a personal "
                        "one",
                        file, mesh_kind_word(personal->kind));
        goto end;
    }
    if (json && (list = json_array()) == NULL) {
        ok = mesh_raise(ctx, MESH_R_MEMORY, "verify");
        goto end;
    }
    for (int i = 0; i < argc; i++)
        ok &= verify(ctx, argv[i], personal, list);
    if (json)
        ok &= command_json(ctx, list);
end:
    json_decref(list);
    mesh_profile_free(personal);
    return ok;
}
