/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key-reference files: a mesh: URI for programs that only read files.  PEM or
 * DER of
 *
 *   SEQUENCE { version UTF8String "mesh key reference v1", uri UTF8String }
 */
#ifndef MESH_PLATFORM_REFERENCE_H
#define MESH_PLATFORM_REFERENCE_H

#include "platform/context.h"

#include <openssl/bio.h>
#include <openssl/evp.h>

#define MESH_REFERENCE_LABEL "MESH KEY REFERENCE" /* of the PEM */

/* The URI that only this key can ever answer to: the profile's fingerprint, of
 * its canonical URI, and its own.  NULL, with the error raised, if canonical is
 * NULL or no mesh: URI.  The caller frees (OPENSSL_free). */
char *mesh_reference_uri(struct mesh_context *ctx, const char *canonical,
                         EVP_PKEY *public);

/* Writes the reference in DER; *der is the caller's (OPENSSL_free). */
int mesh_reference_encode(struct mesh_context *ctx, const char *uri,
                          unsigned char **der, int *len);
/* Writes it as PEM. */
int mesh_reference_write(struct mesh_context *ctx, const char *uri, BIO *out);

/* Whether the data says that it is a reference, of whatever version; no
 * errors. */
int mesh_reference_is(const unsigned char *der, size_t len);
/* Reads a reference: exactly the structure above, in DER, and nothing after it.
 * What its URI is worth is the caller's to find out. MESH_R_REFERENCE_MALFORMED
 * with what is wrong.  *uri is the caller's. */
int mesh_reference_decode(struct mesh_context *ctx, const unsigned char *der,
                          size_t len, char **uri);
/* The URI in the data of a file, PEM or DER.  NULL, and nothing raised, if that
 * is no key reference.  The caller frees (OPENSSL_free). */
char *mesh_reference_of_file(struct mesh_context *ctx,
                             const unsigned char *data, size_t len);

#endif
