/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The operation tables that the provider hands to libcrypto: the algorithms
 * that the libcrypto of this process has, the same ones at every call.  The
 * provider context of all of them is a struct mesh_context.
 */
#ifndef MESH_KEYMGMT_OPERATIONS_H
#define MESH_KEYMGMT_OPERATIONS_H

#include <openssl/core.h>
#include <openssl/evp.h>

const OSSL_ALGORITHM *mesh_keymgmt_algorithms(void);
const OSSL_ALGORITHM *mesh_signature_algorithms(void);
const OSSL_ALGORITHM *mesh_asymcipher_algorithms(void);
const OSSL_ALGORITHM *mesh_keyexch_algorithms(void);
const OSSL_ALGORITHM *mesh_encoder_algorithms(void);
const OSSL_ALGORITHM *mesh_kem_algorithms(void);

/* Whether there is a key management for the type of key; for the type of that
 * name ("RSA", "X25519": the first one), in any case. */
int mesh_keymgmt_has(const EVP_PKEY *key);
int mesh_keymgmt_has_type(const char *name);

#endif
