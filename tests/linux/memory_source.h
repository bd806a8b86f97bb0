/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A source of keys for the tests: keys in memory, failures on order.
 */
#ifndef MESH_TESTS_LINUX_MEMORY_SOURCE_H
#define MESH_TESTS_LINUX_MEMORY_SOURCE_H

#include "platform/linux/keyd/key_source.h"

#include <stdatomic.h>

#define MEMORY_KEYS_MAX 16

struct memory_source {
    struct mesh_key_source source;
    EVP_PKEY *keys[MEMORY_KEYS_MAX]; /* owned; NULL: free place */
    struct mesh_key_name names[MEMORY_KEYS_MAX];
    atomic_int finds;    /* how often a key was asked for */
    atomic_int calls;    /* how often anything was */
    atomic_int locked;   /* finding needs a prompt, which unlocks */
    atomic_int fails;    /* enum mesh_reason of every call; 0: none */
    atomic_int delay_ms; /* of finding */
    int freed;
};

/* Owned by the caller, also after mesh_keys_free(). */
void memory_source_init(struct memory_source *memory);
void memory_source_clear(struct memory_source *memory);
/* Puts a key there under a name that may not be its own; takes a reference. */
void memory_source_put(struct memory_source *memory,
                       const struct mesh_key_name *name, EVP_PKEY *key);

/* A key pair of an algorithm row, made once for the program and owned by it;
 * ctx NULL frees them all. */
EVP_PKEY *test_key(struct mesh_context *ctx, const char *algorithm);

#endif
