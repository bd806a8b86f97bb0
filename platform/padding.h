/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * RSA's paddings put on and taken off here, for key stores that do RSA as it
 * is and lack the form that is asked for.
 */
#ifndef MESH_PLATFORM_PADDING_H
#define MESH_PLATFORM_PADDING_H

#include "platform/context.h"

#include <openssl/evp.h>

/* Writes PKCS#1 v1.5's block of type 1 (a signature) round in: size octets.
 * Fails with MESH_R_OPERATION_UNSUPPORTED if the input is too long. */
int mesh_padding_sign_pkcs1(struct mesh_context *ctx, const unsigned char *in,
                            size_t in_len, unsigned char *block, size_t size);

/* Writes EMSA-PSS of a digest (RFC 8017, 9.1.1) for a modulus of so many bits:
 * (bits + 7) / 8 octets.  Fails with MESH_R_OPERATION_UNSUPPORTED if digest and
 * salt are too long. */
int mesh_padding_sign_pss(struct mesh_context *ctx, const EVP_MD *md,
                          const EVP_MD *mgf1, size_t salt_len,
                          const unsigned char *digest, unsigned char *block,
                          unsigned bits);

/* Takes OAEP (RFC 8017, 7.1.2) off a block of size octets, in constant time.
 * out has room for size octets.  0: the padding is wrong; nothing is raised. */
int mesh_padding_open_oaep(const EVP_MD *md, const EVP_MD *mgf1,
                           const unsigned char *label, size_t label_len,
                           const unsigned char *block, size_t size,
                           unsigned char *out, size_t *out_len);

#endif
