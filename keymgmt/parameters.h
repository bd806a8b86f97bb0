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

/* Sets params in native; none at all is success. */
int mesh_parameters_set(EVP_PKEY_CTX *native, const OSSL_PARAM params[]);

#endif
