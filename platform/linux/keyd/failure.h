/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Catching an error instead of reporting it: the answer to a request carries
 * it, or the next key source is asked first.
 */
#ifndef MESH_KEYD_FAILURE_H
#define MESH_KEYD_FAILURE_H

#include "platform/context.h"

struct mesh_failure {
    enum mesh_reason reason; /* MESH_R_NONE: nothing was raised */
    char text[MESH_ERROR_TEXT_MAX];
};

/* A copy of ctx whose errors go to *failure; the first one stays. */
struct mesh_context mesh_failure_context(const struct mesh_context *ctx,
                                         struct mesh_failure *failure);
/* Raises in ctx what was caught.  Returns 0. */
int mesh_failure_raise(struct mesh_context *ctx,
                       const struct mesh_failure *failure);

#endif
