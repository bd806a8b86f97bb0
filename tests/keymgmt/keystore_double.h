/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of platform/keystore.h and of store/resolve.h, in the process: unit
 * tests of the provider run without mesh-keyd, and see what reaches the key.
 * The operations themselves are mesh-keyd's.
 */
#ifndef MESH_TESTS_KEYSTORE_DOUBLE_H
#define MESH_TESTS_KEYSTORE_DOUBLE_H

#include "platform/keystore.h"
#include <openssl/evp.h>

/* The whole key that mesh://NAME names, to compare with: made at the first
 * call, in the default library context, for double_free_keys() to free.  NULL
 * if this libcrypto does not have the algorithm. */
EVP_PKEY *double_key(const char *name);
/* Another one of the kind, in that library context; the caller's. */
EVP_PKEY *double_new_key_in(OSSL_LIB_CTX *libctx, const char *name);
EVP_PKEY *double_new_key(const char *name); /* in the default one */
/* Its URI, of the fingerprint. */
const char *double_uri(const char *name);
/* The i-th name, NULL past the end. */
const char *double_name(size_t i);
void double_free_keys(void);

/* What reached the key store: how often, and the last operation (its label may
 * be gone). */
extern unsigned double_operations;
extern struct mesh_private_op double_last;
/* What every operation fails with from now on; MESH_R_NONE: nothing. */
extern enum mesh_reason double_failure;

#endif
