/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The connections that a process keeps.  The pool needs no lock and no atfork
 * handler: every connection says which process made it, and a process never
 * reads from one that it inherited, nor touches its lane.
 */
#ifndef MESH_PLATFORM_LINUX_POOL_H
#define MESH_PLATFORM_LINUX_POOL_H

#include "platform/linux/lane.h"

#include <stdatomic.h>

#define MESH_POOL_SIZE 64

/*
 * A socket in one word, 0 for none: the process that made it (see
 * mesh_pool_process), whether it is in use, the low bits of its inode number,
 * the descriptor.  By the inode we see that the application closed all
 * descriptors that it did not know (daemons do) and the number is somebody
 * else's now.
 */
typedef uint64_t mesh_socket_word;

/* A connection that the caller has for itself. */
struct mesh_connection {
    mesh_socket_word socket;
    struct mesh_lane *lane; /* NULL: mesh-keyd gave none */
    int place;              /* -1: the pool is full */
};

struct mesh_keystore {
    struct mesh_pool_place {
        _Atomic mesh_socket_word socket;
        struct mesh_lane *lane; /* of whoever has the connection */
    } places[MESH_POOL_SIZE];   /* ours, and inherited ones */
    _Atomic uint32_t opening; /* a thread of this process opens a connection */
    /* Which process this is, on a page that fork() clears; NULL if the kernel
     * has none.  And how many numbers we and our ancestors took. */
    _Atomic uint32_t *process;
    _Atomic uint32_t processes;
    _Atomic uint32_t serial;
    _Atomic int heir; /* it inherited connections, which may be gone by now */
};

/* A number, not 0, that no process has from which we inherited the store. */
uint32_t mesh_pool_process(struct mesh_keystore *store);

int mesh_connection_fd(const struct mesh_connection *c);
/* Whether the descriptor is our socket still. */
int mesh_connection_is_open(const struct mesh_connection *c);

/* Takes an idle connection of this process; 0 if there is none. */
int mesh_pool_take(struct mesh_keystore *store, struct mesh_connection *c);
/* Whether this process has connections, in use or not. */
int mesh_pool_has(struct mesh_keystore *store);
/* Ends a use: the connection is idle, or closed if the pool is full. */
void mesh_pool_give_back(struct mesh_keystore *store,
                         struct mesh_connection *c);
/* Closes a connection that was taken, added or inherited. */
void mesh_pool_drop(struct mesh_keystore *store, struct mesh_connection *c);
/* Makes a connection of a socket and a lane, both taken over, and has it in
 * use.  0: it has a number too high to be kept; nothing was taken over. */
int mesh_pool_add(struct mesh_keystore *store, int fd, struct mesh_lane *lane,
                  struct mesh_connection *c);
/* The inherited connection in a place, also one that the parent used at the
 * time; 0 if there is none. */
int mesh_pool_inherited(struct mesh_keystore *store, int place,
                        struct mesh_connection *c);
/* Whether this process has inherited connections, or had when it was asked
 * before. */
int mesh_pool_is_heir(struct mesh_keystore *store);

#endif
