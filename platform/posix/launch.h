/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting a program of ours for a module that is a guest: it gets an
 * environment that we know, and one descriptor, a pipe to whoever waits for it.
 */
#ifndef MESH_PLATFORM_POSIX_LAUNCH_H
#define MESH_PLATFORM_POSIX_LAUNCH_H

#include "platform/context.h"

#include <sys/types.h>

#define MESH_LAUNCH_FD        3  /* of the pipe, in the program */
#define MESH_LAUNCH_VARIABLES 16 /* of its environment, beside PATH */
#define MESH_LAUNCH_ERRNO                                                      \
    'X' /* over the pipe, if it cannot be started: an                          \
         * errno follows */

struct mesh_launch {
    const char *program;
    char *argv[8];
    char *envp[MESH_LAUNCH_VARIABLES + 2];
    size_t variables; /* in envp */
    int ready;        /* its end of the pipe, above MESH_LAUNCH_FD */
};

/* Whether program may be started: MESH_R_KEYD_START else.  name is what it
 * should be, setting where its path is set. */
int mesh_launch_check(struct mesh_context *ctx, const char *program,
                      const char *name, const char *setting);
/* Adds "NAME=value" to the environment, if there is a value.  0: out of memory;
 * nothing is raised. */
int mesh_launch_add(struct mesh_launch *launch, const char *name,
                    const char *value);
/* Starts launch->program with its argv, and with the variables more
 * (NULL-terminated) if they are set; *fd is where its words come from, the
 * caller's.  MESH_R_KEYD_START. */
int mesh_launch_start(struct mesh_context *ctx, struct mesh_launch *launch,
                      const char *const *more, int *fd);
/* Reads what comes over the pipe: to its end, a full buffer, or until the first
 * octet is last.  -1 with errno on failure, ETIMEDOUT included. */
ssize_t mesh_launch_read(int fd, char *word, size_t size, int seconds,
                         char last);

/* What each system has of its own: linux/orphan.c, macos/orphan.c. */

/* Adds what programs of ours need there. */
int mesh_launch_add_own(struct mesh_launch *launch);
/* Starts it as nobody's child; 0 with errno. */
int mesh_launch_orphan(const struct mesh_launch *launch);

#endif
