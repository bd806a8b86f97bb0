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
 * Does a checked operation.  *out (OPENSSL_clear_free) and *out_len are the
 * caller's.  Whatever made a decryption fail, the error is the same.
 */
int mesh_operate(struct mesh_context *ctx, EVP_PKEY *key,
                 const struct mesh_private_op *op, const unsigned char *in,
                 size_t in_len, unsigned char **out, size_t *out_len);

/* Describes an operation for the log: "sign PSS SHA2-256". */
void mesh_operate_describe(const struct mesh_private_op *op, char *text,
                           size_t size);

/* Makes a key pair; algorithm as mesh_algorithm_find() has it. */
int mesh_operate_generate(struct mesh_context *ctx, const char *algorithm,
                          EVP_PKEY **key);

#endif
