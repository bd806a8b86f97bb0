/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key-reference files: a mesh: URI for programs that only read files.  PEM or
 * DER of
 *
 *   SEQUENCE { version UTF8String "mesh key reference v1", uri UTF8String }
 */
#ifndef MESH_KEYMGMT_REFERENCE_H
#define MESH_KEYMGMT_REFERENCE_H

#include "keymgmt/key.h"

#include <openssl/bio.h>

#define MESH_REFERENCE_LABEL "MESH KEY REFERENCE" /* of the PEM */

/* The URI that only this key can ever answer to: its profile's fingerprint and
 * its own.  NULL, with the error raised, for a key without a name.  The caller
 * frees. */
char *mesh_reference_uri(const struct mesh_key *key);

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

#endif
