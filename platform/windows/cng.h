/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of CNG share: cng.c finds keys, cng_operate.c uses them,
 * cng_make.c makes them.
 */
#ifndef MESH_PLATFORM_WINDOWS_CNG_H
#define MESH_PLATFORM_WINDOWS_CNG_H

#include "platform/windows/source.h"

/* Opens the provider; the caller frees *provider (NCryptFreeObject). */
DWORD mesh_cng_provider(const struct mesh_source *source,
                        NCRYPT_PROV_HANDLE *provider);

/* Reads the public half of a key; the caller's. */
DWORD mesh_cng_public(struct mesh_context *ctx, NCRYPT_KEY_HANDLE key,
                      EVP_PKEY **public);

/* struct mesh_source has what these do. */
int mesh_cng_operate(struct mesh_context *ctx,
                     const struct mesh_source_key *key,
                     const struct mesh_private_op *op, int is_silent,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len);
int mesh_cng_generate(struct mesh_context *ctx,
                      const struct mesh_source *source,
                      const struct mesh_algorithm *algorithm, int is_silent,
                      EVP_PKEY **public);
int mesh_cng_import(struct mesh_context *ctx, const struct mesh_source *source,
                    EVP_PKEY *private, const char *udf, int is_silent,
                    EVP_PKEY **public);

#endif
