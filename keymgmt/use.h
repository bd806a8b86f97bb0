/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One use of a key for an operation that takes nothing but parameters before
 * it runs: asymmetric cipher, key exchange, key encapsulation.  A native
 * EVP_PKEY_CTX keeps and checks the parameters, and does all public work; of a
 * software key the private work, too.
 */
#ifndef MESH_KEYMGMT_USE_H
#define MESH_KEYMGMT_USE_H

#include "keymgmt/key.h"

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

struct mesh_use {
    struct mesh_context *ctx;
    struct mesh_key *key;
    EVP_PKEY_CTX *native;
    EVP_PKEY *peer;                 /* key exchange; NULL: none yet */
    int held;                       /* the key store does the work */
    char variant[MESH_VARIANT_MAX]; /* decapsulation; empty: the only one */
};

typedef int mesh_native_init_fn(EVP_PKEY_CTX *native,
                                const OSSL_PARAM params[]);

/*
 * Begins, or begins anew: key NULL keeps the one before.  private_init is what
 * a software key does and NULL for public work.  Of other keys public_init, on
 * the public half, is what checks the parameters of the private work.
 */
int mesh_use_start(struct mesh_use *use, struct mesh_key *key,
                   mesh_native_init_fn *public_init,
                   mesh_native_init_fn *private_init,
                   const OSSL_PARAM params[]);

/* Dispatch functions: of all these operations alike. */
OSSL_FUNC_keyexch_newctx_fn mesh_use_new;
OSSL_FUNC_keyexch_freectx_fn mesh_use_free;
OSSL_FUNC_keyexch_dupctx_fn mesh_use_dup;
OSSL_FUNC_keyexch_get_ctx_params_fn mesh_use_get_params;
OSSL_FUNC_keyexch_gettable_ctx_params_fn mesh_use_gettable;
OSSL_FUNC_keyexch_set_ctx_params_fn mesh_use_set_params;
OSSL_FUNC_keyexch_settable_ctx_params_fn mesh_use_settable;

#endif
