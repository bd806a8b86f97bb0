/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates that a system keeps beside its keys.
 */
#ifndef MESH_PLATFORM_CERTIFICATE_H
#define MESH_PLATFORM_CERTIFICATE_H

#include "platform/keystore.h"

#include <openssl/x509.h>

/* Reads a certificate if its public half is the key's: the caller's
 * (X509_free). Else NULL, and nothing raised. */
X509 *mesh_certificate_of_key(struct mesh_context *ctx,
                              const unsigned char *der, size_t len,
                              const struct mesh_key_name *name);

#endif
