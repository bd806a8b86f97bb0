/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys between libcrypto's form and the forms of CNG and CryptoAPI.
 */
#ifndef MESH_PLATFORM_WINDOWS_BLOB_H
#define MESH_PLATFORM_WINDOWS_BLOB_H

#include "platform/windows/source.h"

#define MESH_BLOB_MAX 8192 /* octets of any public one */

/* The curves that CNG has. */
struct mesh_curve {
    const char *group;        /* libcrypto's name */
    const wchar_t *algorithm; /* for agreement, which can sign as well */
    DWORD octets;             /* of a coordinate */
    DWORD agree_public, agree_private, sign_public; /* magic numbers */
};
/* The curve of an EC key, or NULL. */
const struct mesh_curve *mesh_curve_of(const EVP_PKEY *key);
const struct mesh_curve *mesh_curve_find(const char *group);

/* Reads a public key: NULL if it is none of RSA or of those curves; raises
 * nothing. */
EVP_PKEY *mesh_blob_read_rsa(struct mesh_context *ctx,
                             const unsigned char *blob, size_t len);
EVP_PKEY *mesh_blob_read_ec(struct mesh_context *ctx, const unsigned char *blob,
                            size_t len);
/* CryptoAPI's PUBLICKEYBLOB. */
EVP_PKEY *mesh_blob_read_legacy(struct mesh_context *ctx,
                                const unsigned char *blob, size_t len);

/* Writes the public half of an EC key, for agreement.  The length, 0 if it
 * cannot be written or does not fit. */
size_t mesh_blob_write_ec(EVP_PKEY *key, const struct mesh_curve *curve,
                          unsigned char *blob, size_t size);

/* Writes a private key, RSA with two primes or EC: its type as CNG wants it.
 * *blob is the caller's (OPENSSL_clear_free); NULL without. */
const wchar_t *mesh_blob_write_private(EVP_PKEY *key, unsigned char **blob,
                                       size_t *len);

#endif
