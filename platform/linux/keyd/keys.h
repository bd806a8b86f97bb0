/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The keys: looked for in the sources, proved, and kept in memory for a while.
 */
#ifndef MESH_KEYD_KEYS_H
#define MESH_KEYD_KEYS_H

#include "platform/linux/keyd/key_source.h"
#include "platform/linux/keyd/operate.h"

#define MESH_KEY_SOURCES_MAX 4

struct mesh_keys;

/* key_timeout: seconds that a key stays in memory at most; idle_timeout: that
 * it stays unused.  NULL when memory is short. */
struct mesh_keys *mesh_keys_new(unsigned key_timeout, unsigned idle_timeout);
/* Wipes all keys and frees the sources; NULL is allowed. */
void mesh_keys_free(struct mesh_keys *keys);
/* Adds a source, owned from now on; the first added is the first asked. */
void mesh_keys_add_source(struct mesh_keys *keys,
                          struct mesh_key_source *source);

/* Whether a source holds the key; no unlock, no prompt. */
int mesh_keys_hold(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_key_name *name, int *held);
/*
 * Gets a private key: from memory, else from the first source that holds it,
 * then proved to be the key of that name (MESH_R_KEY_MISMATCH).  *key is a
 * reference of the caller's own: it outlives mesh_keys_forget().
 */
int mesh_keys_find(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_key_name *name,
                   const struct mesh_patience *patience, EVP_PKEY **key);
/* Prepares an operation with a key that was found; while the key is in memory,
 * so is this.  NULL with the error raised. */
struct mesh_prepared *mesh_keys_prepare(struct mesh_keys *keys,
                                        struct mesh_context *ctx,
                                        const struct mesh_key_name *name,
                                        EVP_PKEY *key,
                                        const struct mesh_private_op *op);
/* What was prepared for an operation with a key in memory: a reference of the
 * caller's own, or NULL. */
struct mesh_prepared *mesh_keys_prepared(struct mesh_keys *keys,
                                         const struct mesh_key_name *name,
                                         const struct mesh_private_op *op);
/* Puts a new key into the first source that takes keys.  MESH_R_KEY_EXISTS. */
int mesh_keys_store(struct mesh_keys *keys, struct mesh_context *ctx,
                    EVP_PKEY *key, const struct mesh_patience *patience);
/* Removes a key from every source that holds it.  MESH_R_KEY_NOT_HELD. */
int mesh_keys_remove(struct mesh_keys *keys, struct mesh_context *ctx,
                     const struct mesh_key_name *name,
                     const struct mesh_patience *patience);
/* Lists all sources.  *items is the caller's (OPENSSL_free). */
int mesh_keys_list(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_patience *patience,
                   struct mesh_keystore_item **items, size_t *count);
void mesh_keys_status(struct mesh_keys *keys, struct mesh_context *ctx,
                      struct mesh_keystore_status *status);

/* Wipes every key in memory; those in use, when their use ends. */
void mesh_keys_forget(struct mesh_keys *keys);
/* Wipes the keys whose time is over.  Returns the seconds after which to call
 * it again. */
unsigned mesh_keys_expire(struct mesh_keys *keys);

#endif
