/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key: the public half as a native EVP_PKEY in our own library context, and
 * where the private half is.  Immutable, reference-counted.
 */
#ifndef MESH_KEYMGMT_KEY_H
#define MESH_KEYMGMT_KEY_H

#include "platform/keystore.h"

#include <openssl/evp.h>

struct mesh_key;

enum mesh_key_kind {
    MESH_KEY_PARAMETERS, /* there is an EC group alone */
    MESH_KEY_PUBLIC,     /* there is only the public half */
    MESH_KEY_HELD,       /* the key store has the private half */
    MESH_KEY_SOFTWARE    /* the EVP_PKEY has it: not a key of ours */
};

/* Makes a key; takes a reference of native.  uri: the canonical name that names
 * it, copied; NULL for one without.  NULL when memory is short. */
struct mesh_key *mesh_key_new(struct mesh_context *ctx, EVP_PKEY *native,
                              const char *uri, enum mesh_key_kind kind);
/* The same for a MESH_KEY_HELD key whose name is known already. */
struct mesh_key *mesh_key_new_held(struct mesh_context *ctx, EVP_PKEY *native,
                                   const char *uri,
                                   const struct mesh_key_name *name);
/*
 * Makes a key that ctx->make_key has just made.  If it then is unwritten, and
 * nothing settles it, it goes again with its last reference (ctx->unmake_key):
 * so a failed `openssl genpkey` leaves nothing.
 */
struct mesh_key *mesh_key_new_made(struct mesh_context *ctx, EVP_PKEY *native,
                                   const char *uri);
/* Whether nothing has settled it yet. */
int mesh_key_is_new(const struct mesh_key *key);
/* A reference to the key could not be written. */
void mesh_key_unwritten(const struct mesh_key *key);
/* Somebody has or uses the key, whatever happens later: a reference was
 * written, it was duplicated, or it is operated. */
void mesh_key_settle(const struct mesh_key *key);

/* Makes a key of a type ("RSA", "EC" …; a static string) without a public half,
 * for libcrypto to fill by import or parameters, once. */
struct mesh_key *mesh_key_new_empty(struct mesh_context *ctx, const char *type);
/* Fills such a key, or changes what it is; takes over native. */
void mesh_key_fill(struct mesh_key *key, EVP_PKEY *native,
                   enum mesh_key_kind kind);
struct mesh_key *mesh_key_up_ref(struct mesh_key *key);
void mesh_key_free(struct mesh_key *key); /* NULL is allowed */

struct mesh_context *mesh_key_context(const struct mesh_key *key);
EVP_PKEY *mesh_key_public(const struct mesh_key *key); /* borrowed; or NULL */
enum mesh_key_kind mesh_key_kind(const struct mesh_key *key);
const char *mesh_key_uri(const struct mesh_key *key); /* NULL if it has none */
/* The name that libcrypto fetches its key management by: "RSA", "EC" … */
const char *mesh_key_type(const struct mesh_key *key);

/* What an operation leaves with the key so that the next one of its kind begins
 * sooner: the first member of whatever that is. */
struct mesh_kept {
    void (*release)(struct mesh_kept *kept);
};
/* Keeps it, if nothing is kept yet, until the key changes or goes: 1; or 0, and
 * it is still the caller's.  It must not refer to the key, and not change any
 * more: any thread may be reading it. */
int mesh_key_keep(struct mesh_key *key, struct mesh_kept *kept);
const struct mesh_kept *mesh_key_kept(const struct mesh_key *key); /* or NULL */

/* Does a private operation in the key store, as mesh_keystore_operate(); not
 * for a software key, which the caller uses itself. */
int mesh_key_operate(struct mesh_key *key, const struct mesh_private_op *op,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len);

#endif
