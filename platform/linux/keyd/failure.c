/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Catching an error instead of reporting it.
 */
#include "platform/linux/keyd/failure.h"

#include <openssl/crypto.h>

static void catch_failure(struct mesh_context *ctx, enum mesh_reason reason,
                          const char *file, int line, const char *func,
                          const char *text)
{
    struct mesh_failure *failure = ctx->raise_arg;

    (void)file;
    (void)line;
    (void)func;
    if (failure->reason != MESH_R_NONE)
        return;
    failure->reason = reason;
    OPENSSL_strlcpy(failure->text, text, sizeof(failure->text));
}

struct mesh_context mesh_failure_context(const struct mesh_context *ctx,
                                         struct mesh_failure *failure)
{
    struct mesh_context copy = *ctx;

    failure->reason = MESH_R_NONE;
    failure->text[0] = '\0';
    copy.raise = catch_failure;
    copy.raise_arg = failure;
    return copy;
}

int mesh_failure_raise(struct mesh_context *ctx,
                       const struct mesh_failure *failure)
{
    return mesh_raise(ctx, failure->reason, "%s", failure->text);
}
