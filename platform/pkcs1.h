/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PKCS#1 v1.5, for key stores that do RSA as it is.  The padding is taken off
 * in constant time: what is done with the block that RSA gives does not tell by
 * its duration whether the padding was right.
 */
#ifndef MESH_PLATFORM_PKCS1_H
#define MESH_PLATFORM_PKCS1_H

#include "platform/context.h"

#define MESH_TLS_SECRET 48 /* octets of a premaster secret */
#define MESH_PKCS1_MIN  11 /* octets that the padding takes at least */

#define MESH_DIGEST_INFO_MAX 128 /* octets of a DigestInfo at most */

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
 * That secret has to be the same for ever: it is made of the power, by the
 * private key, of a fixed number, which is written here as len octets.
 */
void mesh_pkcs1_question(unsigned char *block, size_t len);
int mesh_pkcs1_secret(struct mesh_context *ctx, const unsigned char *power,
                      size_t len, unsigned char secret[32]);

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

/* Writes the DigestInfo of a digest (libcrypto's number of its algorithm); its
 * length, 0 if there is none. */
size_t mesh_pkcs1_digest_info(int nid, const unsigned char *digest, size_t len,
                              unsigned char info[MESH_DIGEST_INFO_MAX]);

#endif
