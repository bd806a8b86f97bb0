/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of platform/keystore.h and of store/resolve.h, in the process: unit
 * tests of the provider run without mesh-keyd, and see what reaches the key.
 */
#ifndef MESH_TESTS_KEYSTORE_DOUBLE_H
#define MESH_TESTS_KEYSTORE_DOUBLE_H

#include "platform/keystore.h"
#include <openssl/evp.h>

/* Makes the keys that mesh://rsa, mesh://ec and mesh://ed25519 name. */
void double_make_keys(void);
void double_free_keys(void);
/* The whole key, to compare with. */
EVP_PKEY *double_key(const char *name);

/* What reached the key store: how often, and the last operation. */
extern unsigned double_operations;
extern struct mesh_private_op double_last;
/* What every operation fails with from now on; MESH_R_NONE: nothing. */
extern enum mesh_reason double_failure;

#endif
