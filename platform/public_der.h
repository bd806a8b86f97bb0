/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The DER of a public key: what its names are made of, and what a key is read
 * from.
 */
#ifndef MESH_PLATFORM_PUBLIC_DER_H
#define MESH_PLATFORM_PUBLIC_DER_H

#include "platform/context.h"

#include <openssl/evp.h>

/* SubjectPublicKeyInfo, as i2d_PUBKEY() writes it, and PKCS#1 RSAPublicKey (for
 * RSA only): *der is the caller's (OPENSSL_free).  The length; 0 with
 * MESH_R_ALGORITHM for what libcrypto cannot encode. */
int mesh_public_spki(struct mesh_context *ctx, EVP_PKEY *key,
                     unsigned char **der);
int mesh_public_pkcs1(struct mesh_context *ctx, EVP_PKEY *key,
                      unsigned char **der);

/* The key identifier of RFC 5280, 4.2.1.2 (1), of a SubjectPublicKeyInfo: SHA-1
 * of the public key's octets in it.  MESH_R_KEY_MALFORMED. */
int mesh_public_identifier(struct mesh_context *ctx, const unsigned char *der,
                           size_t len, unsigned char sha1[20]);

/* Reads a SubjectPublicKeyInfo with nothing after it.  NULL: it is none, or of
 * a key that libcrypto does not take; raises nothing. */
EVP_PKEY *mesh_public_read(struct mesh_context *ctx, const unsigned char *der,
                           size_t len);
/* Whether it has the shape of one, of whatever key. */
int mesh_public_has_shape(const unsigned char *der, size_t len);

#endif
