/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Work that may fail without being the end, of which the error that says most
 * is kept.
 */
#ifndef MESH_STORE_ATTEMPT_H
#define MESH_STORE_ATTEMPT_H

#include "platform/context.h"

struct mesh_attempt {
    struct mesh_context ctx; /* to pass on */
    enum mesh_reason reason; /* MESH_R_NONE if nothing failed */
    char text[400];
};

/* Begins one: what is raised in attempt->ctx goes to the trace, and the first
 * error is kept; but that a personal profile does not list an application says
 * least. */
void mesh_attempt_begin(struct mesh_attempt *attempt,
                        const struct mesh_context *ctx);
/* Raises what was kept; returns 0. */
int mesh_attempt_raise(struct mesh_context *ctx,
                       const struct mesh_attempt *attempt);

#endif
