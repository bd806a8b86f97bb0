/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One request to mesh-keyd and its answer, over a connection of the pool.
 */
#ifndef MESH_PLATFORM_LINUX_CALL_H
#define MESH_PLATFORM_LINUX_CALL_H

#include "platform/linux/message.h"

struct mesh_call {
    struct mesh_request request;
    const void *label, *data; /* the caller's; lengths are in request */
    struct mesh_answer answer;
    unsigned char *result; /* the answer's data; a NUL follows */
    size_t result_len;
};

/* Prepares a call, all but its type and serial zero. */
void mesh_call_start(struct mesh_call *call, struct mesh_context *ctx,
                     enum mesh_request_type type);

/*
 * Sends the request and receives the answer, on a connection that is idle, or
 * adopted, or new; mesh-keyd is started if it does not run.  A connection that
 * turns out dead is replaced once, if the request was not sent or can be
 * repeated.  Fails with the answer's reason, or MESH_R_KEYD_START, _LOST,
 * _FOREIGN, _PROTOCOL, MESH_R_TIMEOUT.  Keeps errno.  On success the result is
 * the caller's: mesh_call_free().
 */
int mesh_call_keyd(struct mesh_context *ctx, struct mesh_call *call);
void mesh_call_free(struct mesh_call *call);

#endif
