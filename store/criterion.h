/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What OSSL_STORE_find() asks for, and which keys and certificates fit it.
 */
#ifndef MESH_STORE_CRITERION_H
#define MESH_STORE_CRITERION_H

#include "platform/context.h"

#include <openssl/core.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum mesh_criterion_kind {
    MESH_BY_SUBJECT = 1,
    MESH_BY_ISSUER_SERIAL,
    MESH_BY_FINGERPRINT,
    MESH_BY_ALIAS
};

struct mesh_criterion {
    enum mesh_criterion_kind kind;
    X509_NAME *name; /* subject, issuer */
    BIGNUM *serial;
    EVP_MD *digest;
    unsigned char fingerprint[EVP_MAX_MD_SIZE];
    size_t fingerprint_len;
    char *alias;
};

/*
 * Takes the search parameters of provider-storemgmt(7) apart; *criterion is
 * NULL if there are none, else the caller frees it.  Fails with MESH_R_USAGE
 * for more than one search, half of one, and values that cannot be one.
 */
int mesh_criterion_read(struct mesh_context *ctx, const OSSL_PARAM params[],
                        struct mesh_criterion **criterion);
void mesh_criterion_free(struct mesh_criterion *criterion);

/* Whether a certificate has the subject, or issuer and serial. */
int mesh_criterion_fits_certificate(const struct mesh_criterion *criterion,
                                    X509 *certificate);
/* Whether the fingerprint is a key's: the digest of its SubjectPublicKeyInfo,
 * or the one that its UDF is made of; *fits is 1 or 0. */
int mesh_criterion_fits_key(struct mesh_context *ctx,
                            const struct mesh_criterion *criterion,
                            EVP_PKEY *key, int *fits);

#endif
