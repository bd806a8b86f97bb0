/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One use of a key.
 */
#include "keymgmt/use.h"

#include "keymgmt/parameters.h"

#include <openssl/crypto.h>

void *mesh_use_new(void *provctx)
{
    struct mesh_use *use = OPENSSL_zalloc(sizeof(*use));

    if (use != NULL)
        use->ctx = provctx;
    return use;
}

void mesh_use_free(void *vctx)
{
    struct mesh_use *use = vctx;

    if (use == NULL)
        return;
    EVP_PKEY_CTX_free(use->native);
    EVP_PKEY_free(use->peer);
    mesh_key_free(use->key);
    OPENSSL_free(use);
}

void *mesh_use_dup(void *vctx)
{
    const struct mesh_use *from = vctx;
    struct mesh_use *use = mesh_use_new(from->ctx);

    if (use == NULL)
        return NULL;
    use->held = from->held;
    OPENSSL_strlcpy(use->variant, from->variant, sizeof(use->variant));
    if (from->key != NULL)
        use->key = mesh_key_up_ref(from->key);
    if (from->peer != NULL && EVP_PKEY_up_ref(from->peer))
        use->peer = from->peer;
    if (from->native != NULL
        && (use->native = EVP_PKEY_CTX_dup(from->native)) == NULL) {
        mesh_use_free(use);
        return NULL;
    }
    return use;
}

int mesh_use_start(struct mesh_use *use, struct mesh_key *key,
                   mesh_native_init_fn *public_init,
                   mesh_native_init_fn *private_init, const OSSL_PARAM params[])
{
    int software;

    EVP_PKEY_CTX_free(use->native);
    EVP_PKEY_free(use->peer);
    use->native = NULL;
    use->peer = NULL;
    use->variant[0] = '\0';
    if (key != NULL) {
        mesh_key_up_ref(key);
        mesh_key_free(use->key);
        use->key = key;
    }
    if (use->key == NULL || mesh_key_public(use->key) == NULL)
        return mesh_raise(use->ctx, MESH_R_USAGE,
                          "an operation without a key was asked for");
    software = mesh_key_kind(use->key) == MESH_KEY_SOFTWARE;
    use->held = private_init != NULL && !software;
    use->native = EVP_PKEY_CTX_new_from_pkey(use->ctx->libctx,
                                             mesh_key_public(use->key), NULL);
    return use->native != NULL
           && (private_init != NULL && software ? private_init : public_init)(
                  use->native, NULL)
                  == 1
           && mesh_parameters_set(use->native, params);
}

int mesh_use_get_params(void *vctx, OSSL_PARAM params[])
{
    struct mesh_use *use = vctx;

    return use->native != NULL
           && EVP_PKEY_CTX_get_params(use->native, params) == 1;
}

const OSSL_PARAM *mesh_use_gettable(void *vctx, void *provctx)
{
    struct mesh_use *use = vctx;

    (void)provctx;
    return use != NULL && use->native != NULL
               ? EVP_PKEY_CTX_gettable_params(use->native)
               : NULL;
}

int mesh_use_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct mesh_use *use = vctx;

    return use->native != NULL && mesh_parameters_set(use->native, params);
}

const OSSL_PARAM *mesh_use_settable(void *vctx, void *provctx)
{
    struct mesh_use *use = vctx;

    (void)provctx;
    return use != NULL && use->native != NULL
               ? EVP_PKEY_CTX_settable_params(use->native)
               : NULL;
}
