/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A place where private keys are kept: the Secret Service, key files, or the
 * memory of a test.  keys.c asks them in turn.
 */
#ifndef MESH_KEYD_KEY_SOURCE_H
#define MESH_KEYD_KEY_SOURCE_H

#include "platform/keystore.h"

#include <stdint.h>

/* How long, and how loudly, a request may wait. */
struct mesh_patience {
    int may_prompt;   /* the user may be asked to unlock */
    int64_t deadline; /* microseconds of CLOCK_MONOTONIC */
};

/* What a source says unasked, in a thread of its own. */
enum mesh_source_event {
    MESH_SOURCE_LOCKED, /* what it gave out is to be forgotten */
    MESH_SOURCE_GONE    /* nobody can reach it from this process's session */
};
typedef void mesh_source_event_fn(void *arg, enum mesh_source_event event);

/* Takes the items of a list, one by one. */
typedef int mesh_item_fn(void *arg, const struct mesh_keystore_item *item);

/*
 * Functions are called by many threads at once and may block until the
 * deadline.  All return 1, or 0 with the error raised in ctx.
 */
struct mesh_key_source {
    const char *name; /* as struct mesh_keystore_item has it */

    /* Whether the key is there: *held.  Never unlocks, never prompts. */
    int (*holds)(struct mesh_key_source *source, struct mesh_context *ctx,
                 const struct mesh_key_name *name, int *held);
    /* Gets the private half: *key is the caller's, NULL if it is not there.
     * The caller checks that it is the one that was named. */
    int (*find)(struct mesh_key_source *source, struct mesh_context *ctx,
                const struct mesh_key_name *name,
                const struct mesh_patience *patience, EVP_PKEY **key);
    /* Keeps a key that no source holds yet.  NULL: this one takes none. */
    int (*store)(struct mesh_key_source *source, struct mesh_context *ctx,
                 const struct mesh_key_name *name, EVP_PKEY *key,
                 const struct mesh_patience *patience);
    /* Removes the key for ever: *removed is 0 if it is not there. */
    int (*remove)(struct mesh_key_source *source, struct mesh_context *ctx,
                  const struct mesh_key_name *name,
                  const struct mesh_patience *patience, int *removed);
    int (*list)(struct mesh_key_source *source, struct mesh_context *ctx,
                const struct mesh_patience *patience, mesh_item_fn *item,
                void *arg);
    /* Fills in what it knows.  NULL: nothing to say. */
    void (*status)(struct mesh_key_source *source, struct mesh_context *ctx,
                   struct mesh_keystore_status *status);
    void (*free)(struct mesh_key_source *source);
};

/* Where passphrases of key files are kept; get gives OPENSSL_malloc()ed memory
 * (the caller: OPENSSL_clear_free), NULL if it has none. */
struct mesh_passphrase_store {
    int (*get)(void *arg, struct mesh_context *ctx, const char *path,
               const struct mesh_patience *patience, char **passphrase,
               size_t *len);
    int (*set)(void *arg, struct mesh_context *ctx, const char *path,
               const struct mesh_patience *patience, const char *passphrase,
               size_t len);
    /* It may not be there. */
    int (*remove)(void *arg, struct mesh_context *ctx, const char *path,
                  const struct mesh_patience *patience);
    void *arg;
};

#endif
