/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The padding of PKCS#1 v1.5 taken off in constant time: what is done with the
 * block that RSA gives does not tell by its duration whether the padding was
 * right.
 */
#ifndef MESH_PLATFORM_WINDOWS_PKCS1_H
#define MESH_PLATFORM_WINDOWS_PKCS1_H

#include "platform/context.h"

#define MESH_TLS_SECRET 48 /* octets of a premaster secret */
#define MESH_PKCS1_MIN  11 /* octets that the padding takes at least */

/*
 * Implicit rejection: writes the message in block (len octets, MESH_PKCS1_MIN
 * at least), or, if the padding is wrong, one that depends on secret and
 * ciphertext alone, of some length.  secret is known to the key's holder only.
 * out has room for len octets.  *out_len may be 0.
 */
int mesh_pkcs1_implicit(struct mesh_context *ctx, const unsigned char *block,
                        size_t len, const unsigned char secret[32],
                        const unsigned char *ciphertext, size_t ciphertext_len,
                        unsigned char *out, size_t *out_len);

/*
 * The premaster secret in block, or random octets if the padding is wrong or
 * its version is neither client nor negotiated (0: the client's alone).
 */
int mesh_pkcs1_tls(struct mesh_context *ctx, const unsigned char *block,
                   size_t len, unsigned client, unsigned negotiated,
                   unsigned char out[MESH_TLS_SECRET]);

/* The same of a message that something else has taken the padding off: it is
 * good if right is 1 and its len is MESH_TLS_SECRET.  message has room for so
 * many. */
int mesh_pkcs1_tls_message(struct mesh_context *ctx, int right,
                           const unsigned char message[MESH_TLS_SECRET],
                           size_t len, unsigned client, unsigned negotiated,
                           unsigned char out[MESH_TLS_SECRET]);

#endif
