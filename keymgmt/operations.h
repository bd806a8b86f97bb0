/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The operation tables that the provider hands to libcrypto; the provider
 * context of all of them is a struct mesh_context.
 */
#ifndef MESH_KEYMGMT_OPERATIONS_H
#define MESH_KEYMGMT_OPERATIONS_H

#include <openssl/core.h>
#include <openssl/evp.h>

extern const OSSL_ALGORITHM mesh_keymgmt_algorithms[];
extern const OSSL_ALGORITHM mesh_signature_algorithms[];
extern const OSSL_ALGORITHM mesh_asymcipher_algorithms[];

/* Whether there is a key management for the type of key. */
int mesh_keymgmt_has(const EVP_PKEY *key);

/* The names of a key type, as libcrypto's own providers have them: libssl finds
 * keys by the aliases too. */
#define MESH_NAMES_RSA     "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define MESH_NAMES_EC      "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define MESH_NAMES_ED25519 "ED25519:1.3.101.112"

#endif
