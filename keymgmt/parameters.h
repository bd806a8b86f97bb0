/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of an operation are kept, checked and answered by a native
 * EVP_PKEY_CTX on the public half; here they become a private operation.
 */
#ifndef MESH_KEYMGMT_PARAMETERS_H
#define MESH_KEYMGMT_PARAMETERS_H

#include "platform/keystore.h"

#include <openssl/core.h>
#include <openssl/evp.h>

/* OpenSSL 3.2 named it; one module serves older and newer ones. */
#define MESH_PARAM_IMPLICIT_REJECTION "implicit-rejection"

/*
 * Reads the parameters of native (initialised for verification or encryption)
 * into op; op->operation is set by the caller, op->label points into native.
 * Fails with the error raised when a padding has no counterpart.
 */
int mesh_parameters_read(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                         struct mesh_private_op *op);

/* Whether a padding that params ask for, by its name or number, is one to
 * decrypt with; a native context forgets which word it did not know. */
int mesh_parameters_can_decrypt(struct mesh_context *ctx,
                                const OSSL_PARAM params[]);

/* Sets params in native; none at all is success. */
int mesh_parameters_set(EVP_PKEY_CTX *native, const OSSL_PARAM params[]);

#define MESH_CONTEXT_STRING_MAX 255 /* RFC 8032, FIPS 204, FIPS 205 */

/* What a native context takes for a signature, but does not give back. */
struct mesh_signature_extra {
    char variant[MESH_VARIANT_MAX];
    unsigned char context[MESH_CONTEXT_STRING_MAX];
    size_t context_len;
    unsigned deterministic, encoded;
};

/*
 * Sets params of a signature to be made by a held key: in native, which is
 * initialised for verification, and in extra.  What a private operation cannot
 * carry, or this libcrypto does not have, is refused by name: a signature that
 * leaves it out would be another one than was asked for.
 */
int mesh_parameters_set_held(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                             const OSSL_PARAM params[],
                             struct mesh_signature_extra *extra);

/* Puts extra into op, which points into it from then on. */
void mesh_parameters_add(const struct mesh_signature_extra *extra,
                         struct mesh_private_op *op);

/* The AlgorithmIdentifier of a signature; len 0: the native context is asked.
 * Up to OpenSSL 3.3 that of a copy points into the one it was copied from,
 * which may be freed: so it is kept beside each copy. */
struct mesh_algorithm_id {
    unsigned char der[256]; /* libcrypto's own limit */
    size_t len;
};
/* For a copy of native (NULL is allowed), beside which stands from. */
void mesh_algorithm_id_copy(struct mesh_algorithm_id *to,
                            const struct mesh_algorithm_id *from,
                            EVP_PKEY_CTX *native);
/* Gets the parameters of a native signature; 0 with libcrypto's error. */
int mesh_parameters_get(EVP_PKEY_CTX *native,
                        const struct mesh_algorithm_id *id,
                        OSSL_PARAM params[]);

#endif
