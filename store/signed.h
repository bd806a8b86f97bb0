/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signed objects of the Mesh: the signature around a payload.
 */
#ifndef MESH_STORE_SIGNED_H
#define MESH_STORE_SIGNED_H

#include "platform/context.h"
#include "platform/keystore.h"
#include "store/json.h"

#include <openssl/evp.h>

#define MESH_SIGNERS_MAX 8

/* One signature over a payload, decoded, not yet verified. */
struct mesh_signature {
    char *kid;                   /* as written */
    char *algorithm;             /* RS512 … */
    unsigned char *signed_bytes; /* what the signature covers */
    size_t signed_len;
    unsigned char *signature;
    size_t signature_len;
};

/* A Signed…Profile taken apart. */
struct mesh_signed {
    char *identifier;       /* NULL if missing */
    unsigned char *payload; /* the bytes that were signed */
    size_t payload_len;
    struct mesh_signature signatures[MESH_SIGNERS_MAX];
    size_t signatures_count;
    int form_2016; /* the form of 2016, where devices signed everything */
};

/* Base64url, unpadded, line feeds ignored.  *out is the caller's
 * (OPENSSL_free), NUL-terminated beyond *len. */
int mesh_base64url_decode(struct mesh_context *ctx, const char *text,
                          size_t text_len, unsigned char **out, size_t *len);
/* The same of a member of a JSON object, which must be there. */
int mesh_base64url_member(struct mesh_context *ctx, const json_t *object,
                          const char *member, unsigned char **out, size_t *len);
/* The caller frees (OPENSSL_free). */
char *mesh_base64url_encode(struct mesh_context *ctx, const void *data,
                            size_t len);

/*
 * Takes a signed object apart ({"Identifier", "SignedData", …} without its
 * tag), in the form of 2017 or of 2016, and compares the digest that each
 * protected header carries with the payload's: MESH_R_PROFILE_DIGEST.
 */
int mesh_signed_parse(struct mesh_context *ctx, const json_t *object,
                      struct mesh_signed **parsed);
void mesh_signed_free(struct mesh_signed *parsed);

/* Verifies one signature with key, whose fingerprint must be its kid:
 * MESH_R_PROFILE_SIGNER, MESH_R_PROFILE_SIGNATURE. */
int mesh_signature_verify(struct mesh_context *ctx,
                          const struct mesh_signature *signature,
                          EVP_PKEY *key);

/*
 * Makes the signed object {"Identifier", "SignedData", "Unauthenticated"} of a
 * payload in the form of 2017, signed by a key of the key store with the JOSE
 * algorithm of its type.  The caller json_decref()s.
 */
json_t *mesh_signed_make(struct mesh_context *ctx, const char *identifier,
                         const json_t *payload, EVP_PKEY *signer);

#endif
