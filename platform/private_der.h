/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys that are given to the key store of the system.
 */
#ifndef MESH_PLATFORM_PRIVATE_DER_H
#define MESH_PLATFORM_PRIVATE_DER_H

#include "platform/context.h"

#include <openssl/evp.h>

/* Reads DER PKCS#8, unencrypted; the caller frees (EVP_PKEY_free).  NULL with
 * MESH_R_KEY_MALFORMED: it is none, or its private half is not that of its
 * public half, by which the key would be called. */
EVP_PKEY *mesh_private_read(struct mesh_context *ctx,
                            const unsigned char *pkcs8, size_t len);

#endif
