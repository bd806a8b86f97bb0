/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The rhythm of a connection: how mesh-keyd's thread and its client share the
 * processors.  Measured, with the reasons: docs/design.md.
 */
#ifndef MESH_KEYD_RHYTHM_H
#define MESH_KEYD_RHYTHM_H

#include <stdint.h>

/* Of one connection, for its thread; zeros to begin with. */
struct mesh_rhythm {
    int64_t span;         /* when it was last counted among the callers */
    int64_t began, ended; /* the last operation */
    int64_t not_before;   /* until then the processors are wanted by others */
    int64_t retreat_us;   /* how long that was, the last time */
    long preempted;       /* how often this thread was, when it began to look */
    unsigned streak;      /* requests that came soon after an answer */
    int looks;
    int bound_to; /* 1 + the processor; negative: to all but this */
};

/* A thread begins: it may run everywhere, also if the one that made it was
 * bound to a processor. */
void mesh_rhythm_unbound(void);

/* A request has come from a client that says it runs on that processor (-1:
 * it does not say). */
void mesh_rhythm_begin(struct mesh_rhythm *rhythm, int client_cpu);
/* It is done.  *us: how many microseconds to look for the next one at the lane,
 * *client_us: the client for its answer; 0: both sleep at the socket. */
void mesh_rhythm_end(struct mesh_rhythm *rhythm, unsigned *us,
                     unsigned *client_us);

#endif
