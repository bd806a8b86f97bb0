/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key.
 */
#ifndef MESH_KEYD_OPERATE_H
#define MESH_KEYD_OPERATE_H

#include "platform/keystore.h"

/*
 * Checks all that can be checked without the key: whether there is such an
 * operation, whether its parameters belong to it, whether the input fits.
 * MESH_R_OPERATION_UNSUPPORTED names what does not; MESH_R_KEY_MALFORMED for a
 * peer's public key.
 */
int mesh_operate_check(struct mesh_context *ctx,
                       const struct mesh_private_op *op,
                       const unsigned char *in, size_t in_len);

/*
 * An operation with one key, all but its input: setting it up costs libcrypto a
 * tenth of a P-256 signature.  It is never changed; any thread may use it at
 * any time.
 */
struct mesh_prepared;

/* Prepares an operation; holds a reference of key.  NULL with the error raised
 * if the key cannot do it, or libcrypto. */
struct mesh_prepared *mesh_operate_prepare(struct mesh_context *ctx,
                                           EVP_PKEY *key,
                                           const struct mesh_private_op *op);
struct mesh_prepared *mesh_prepared_up_ref(struct mesh_prepared *prepared);
void mesh_prepared_free(struct mesh_prepared *prepared); /* NULL is allowed */
/* Whether it is this operation, and may be used for it again. */
int mesh_prepared_is(const struct mesh_prepared *prepared,
                     const struct mesh_private_op *op);

/* What it is, for the log: "sign PSS SHA2-256"; owned by prepared. */
const char *mesh_prepared_name(const struct mesh_prepared *prepared);

/*
 * Does a prepared operation.  *out (OPENSSL_clear_free) and *out_len are the
 * caller's.  Whatever made a decryption fail, the error is the same.
 */
int mesh_prepared_run(struct mesh_context *ctx,
                      const struct mesh_prepared *prepared,
                      const unsigned char *in, size_t in_len,
                      unsigned char **out, size_t *out_len);

/* Does a checked operation once: prepares, runs and forgets it. */
int mesh_operate(struct mesh_context *ctx, EVP_PKEY *key,
                 const struct mesh_private_op *op, const unsigned char *in,
                 size_t in_len, unsigned char **out, size_t *out_len);

#define MESH_OPERATION_NAME_MAX 64
/* Describes an operation for the log: "sign PSS SHA2-256". */
void mesh_operate_describe(const struct mesh_private_op *op, char *text,
                           size_t size);

/* Makes a key pair; algorithm as mesh_algorithm_find() has it. */
int mesh_operate_generate(struct mesh_context *ctx, const char *algorithm,
                          EVP_PKEY **key);

#endif
