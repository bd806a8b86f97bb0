/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The log: what was done with which key for whom, never data; and what went
 * wrong in mesh-keyd itself.
 */
#ifndef MESH_KEYD_LOG_H
#define MESH_KEYD_LOG_H

#include "platform/context.h"

/* Where it goes: a file (path), stderr, or else syslog. */
int mesh_log_open(struct mesh_context *ctx, const char *path, int to_stderr);
void mesh_log_close(void);

/* Writes a line; control characters become "?".  Any thread. */
void mesh_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same of texts one after the other, to a NULL: what every use of a key
 * writes is not formatted. */
void mesh_log_parts(const char *const parts[]);

#endif
