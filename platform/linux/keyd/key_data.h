/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys as octets: reading, writing, and whether the halves agree.
 */
#ifndef MESH_KEYD_KEY_DATA_H
#define MESH_KEYD_KEY_DATA_H

#include "platform/context.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/*
 * Decodes any encoding of a private key that libcrypto knows, DER or PEM; what
 * else a PEM file holds (certificates, parameters) is passed over.  passphrase
 * is asked if it is encrypted.  NULL if there is none; raises nothing.
 */
EVP_PKEY *mesh_key_decode(struct mesh_context *ctx, const void *data,
                          size_t len, pem_password_cb *passphrase, void *arg);

/* Decodes a DER PKCS#8 PrivateKeyInfo and nothing else; MESH_R_KEY_MALFORMED.
 */
int mesh_key_decode_pkcs8(struct mesh_context *ctx, const unsigned char *data,
                          size_t len, EVP_PKEY **key);
/* Encodes as one; *der is for OPENSSL_clear_free(*der, *len). */
int mesh_key_encode_pkcs8(struct mesh_context *ctx, EVP_PKEY *key,
                          unsigned char **der, size_t *len);

/* Whether the private and public half of key belong together; raises
 * MESH_R_KEY_MALFORMED, or MESH_R_ALGORITHM for a key of no use here.  The
 * caller compares the public half with the key that it wants. */
int mesh_key_check(struct mesh_context *ctx, EVP_PKEY *key);
/* The same for a key that nobody has named yet: of RSA, with a test that its
 * factors are primes, which takes up to a second. */
int mesh_key_check_new(struct mesh_context *ctx, EVP_PKEY *key);

#endif
