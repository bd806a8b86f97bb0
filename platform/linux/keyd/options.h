/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line and the configuration file of mesh-keyd.
 */
#ifndef MESH_KEYD_OPTIONS_H
#define MESH_KEYD_OPTIONS_H

#include "platform/context.h"

#include <sys/types.h>

enum mesh_options_result {
    MESH_OPTIONS_RUN,
    MESH_OPTIONS_DONE,
    MESH_OPTIONS_BAD
};

struct mesh_options {
    int ready_fd; /* -1: nobody waits */
    int foreground;
    char *config; /* strings: OPENSSL_free() by mesh_options_clear() */
    char *log;
    gid_t group; /* (gid_t)-1: none */
    unsigned idle_timeout, key_timeout, max_connections;
};

/*
 * Reads the command line, then the configuration file, whose values give way to
 * the command line's.  socket and home go into ctx.  DONE: --help or --version
 * was printed; BAD: raised.
 */
enum mesh_options_result mesh_options_read(struct mesh_context *ctx, int argc,
                                           char **argv,
                                           struct mesh_options *options);
void mesh_options_clear(struct mesh_options *options);

#endif
