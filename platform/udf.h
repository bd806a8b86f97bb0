/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UDF, the Mesh fingerprint: compute, parse, compare, print.
 *
 *   D = H( content type ':' H(data) )      B = type byte || D
 *
 * as draft-hallambaker-udf has it.  The text is base32 of the first bits of B,
 * a dash after every five characters, 150 bits by default.  The reference
 * implementation filled an incomplete last octet with the *low* bits of B's
 * octet where the draft takes the high ones: that form is written, both are
 * accepted.
 */
#ifndef MESH_PLATFORM_UDF_H
#define MESH_PLATFORM_UDF_H

#include "platform/context.h"

#include <openssl/evp.h>

#define MESH_UDF_BYTES_MAX 65  /* type octet and a 512-bit digest */
#define MESH_UDF_TEXT_MAX  128 /* any fingerprint as text, with the NUL */
#define MESH_UDF_BITS      150 /* what we write: 6 groups of 5 */
#define MESH_UDF_BITS_MIN  100 /* a shorter one does not name a key */

/* A fingerprint as somebody wrote it: its first `bits` bits, left-aligned, the
 * rest of `bytes` zero. */
struct mesh_udf {
    unsigned char bytes[MESH_UDF_BYTES_MAX];
    size_t bits;
};

/* Whether text looks like a fingerprint at all (base32 and dashes, first
 * character M, S or R, 100 bits or more): decides between name and word.  One
 * word of mixed case is none: SSHAuthenticationKey.  A shorter text that is no
 * word either is for mesh_udf_parse() to refuse. */
int mesh_udf_looks_like(const char *text);

/*
 * Parses text: any case, dashes anywhere or nowhere, groups of any size, a
 * trailing group "-A" dropped.  Fails with MESH_R_FINGERPRINT_SYNTAX or
 * MESH_R_FINGERPRINT_TOO_SHORT.
 */
int mesh_udf_parse(struct mesh_context *ctx, const char *text,
                   struct mesh_udf *udf);

/* The same without an error: 1 if text is a fingerprint, else 0. */
int mesh_udf_decode(const char *text, struct mesh_udf *udf);

/* Writes the fingerprint in groups of five. */
void mesh_udf_print(const struct mesh_udf *udf, char text[MESH_UDF_TEXT_MAX]);

/*
 * Computes the fingerprint of data under a content type, truncated to bits as
 * the reference did.  type octet 96 ('M', SHA-2-512) or 144 ('S', SHA-3-512).
 */
int mesh_udf_compute(struct mesh_context *ctx, unsigned char type,
                     const char *content_type, const void *data, size_t len,
                     size_t bits, struct mesh_udf *udf);

/* The name that we give a key: application/x509-keyinfo over the PKCS#1
 * RSAPublicKey for RSA, application/pkix-keyinfo over SubjectPublicKeyInfo for
 * all others; 150 bits. */
int mesh_udf_of_key(struct mesh_context *ctx, EVP_PKEY *key,
                    struct mesh_udf *udf);

/*
 * Whether udf, as long as it is, names key: by the rule above, by the rule of
 * 2016 (x509-keyinfo over SubjectPublicKeyInfo) or as pkix-keyinfo, under
 * either truncation.  *named is 1 or 0.  Fails only when it cannot compute.
 */
int mesh_udf_names_key(struct mesh_context *ctx, const struct mesh_udf *udf,
                       EVP_PKEY *key, int *named);

/* The fingerprint, whole, that is made of a digest D; 0, and nothing raised, if
 * no fingerprint is made of digests of that algorithm. */
int mesh_udf_of_digest(const EVP_MD *algorithm, const unsigned char *digest,
                       size_t len, struct mesh_udf *udf);

/*
 * Whether two fingerprints may be of the same thing: the whole octets of the
 * shorter are equal (truncation rules differ in the rest); for random ones
 * ('R') every bit of the shorter.  Finds candidates; mesh_udf_names_key()
 * proves.
 */
int mesh_udf_may_equal(const struct mesh_udf *a, const struct mesh_udf *b);

/* Whether it is a random one ('R'), which names nothing by its contents. */
int mesh_udf_is_random(const struct mesh_udf *udf);

/* A random fingerprint (type octet 136, 'R') for an application profile. */
int mesh_udf_random(struct mesh_context *ctx, struct mesh_udf *udf);

#endif
