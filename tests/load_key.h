/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the test programs share: a key by URI or file, one signature.
 */
#ifndef MESH_TESTS_LOAD_KEY_H
#define MESH_TESTS_LOAD_KEY_H

#include <openssl/evp.h>

/* The private key that OSSL_STORE finds under a URI or in a file, with the
 * configuration of any application; NULL with the errors printed. */
EVP_PKEY *load_private_key(const char *uri);

/* The public half of key as a native key of the default provider. */
EVP_PKEY *public_half(EVP_PKEY *key);

/* Signs a text of len octets (SHA-256, or no digest where the key hashes
 * itself) and verifies it with the native public half: 1 only if both worked.
 * On failure the errors are printed unless quiet. */
int sign_and_verify(EVP_PKEY *key, EVP_PKEY *public, const void *text,
                    size_t len, int quiet);

#endif
