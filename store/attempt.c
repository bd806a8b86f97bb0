/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Work that may fail without being the end.
 */
#include "store/attempt.h"

#include <openssl/crypto.h>
#include <string.h>

static void raise_in_attempt(struct mesh_context *ctx, enum mesh_reason reason,
                             const char *file, int line, const char *func,
                             const char *text)
{
    struct mesh_attempt *attempt = ctx->raise_arg;

    (void)func;
    mesh_trace(ctx, "%s: %s (%s:%d)", mesh_reason_text(reason), text, file,
               line);
    if (attempt->reason != MESH_R_NONE
        && attempt->reason != MESH_R_PROFILE_SIGNER)
        return;
    attempt->reason = reason;
    OPENSSL_strlcpy(attempt->text, text, sizeof(attempt->text));
}

void mesh_attempt_begin(struct mesh_attempt *attempt,
                        const struct mesh_context *ctx)
{
    memset(attempt, 0, sizeof(*attempt));
    attempt->ctx = *ctx;
    attempt->ctx.raise = raise_in_attempt;
    attempt->ctx.raise_arg = attempt;
}

int mesh_attempt_raise(struct mesh_context *ctx,
                       const struct mesh_attempt *attempt)
{
    return mesh_raise(ctx, attempt->reason, "%s", attempt->text);
}
