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
    MESH_KEY_PUBLIC,  /* there is only the public half */
    MESH_KEY_HELD,    /* the key store has the private half */
    MESH_KEY_SOFTWARE /* generated here: the EVP_PKEY has it, as default's do */
};

/* Makes a key; takes a reference of native.  uri: the canonical name that names
 * it, copied; NULL for one without.  NULL when memory is short. */
struct mesh_key *mesh_key_new(struct mesh_context *ctx, EVP_PKEY *native,
                              const char *uri, enum mesh_key_kind kind);
/* Makes a key of a type ("RSA", "EC" …; a static string) without a public half,
 * for libcrypto to fill by import or parameters, once. */
struct mesh_key *mesh_key_new_empty(struct mesh_context *ctx, const char *type);
/* Fills such a key; takes over public. */
void mesh_key_fill(struct mesh_key *key, EVP_PKEY *public);
struct mesh_key *mesh_key_up_ref(struct mesh_key *key);
void mesh_key_free(struct mesh_key *key); /* NULL is allowed */

struct mesh_context *mesh_key_context(const struct mesh_key *key);
EVP_PKEY *mesh_key_public(const struct mesh_key *key); /* borrowed; or NULL */
enum mesh_key_kind mesh_key_kind(const struct mesh_key *key);
const char *mesh_key_uri(const struct mesh_key *key); /* NULL if it has none */
/* The name that libcrypto fetches its key management by: "RSA", "EC" … */
const char *mesh_key_type(const struct mesh_key *key);

/* Does a private operation where the private half is; as
 * mesh_keystore_operate(). */
int mesh_key_operate(struct mesh_key *key, const struct mesh_private_op *op,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len);

#endif
