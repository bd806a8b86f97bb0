/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key generation (provider-keymgmt(7)) in software.  libcrypto takes the key
 * management of the provider that is listed first: if that is ours, generating
 * the keys of files and of TLS handshakes must go on as before.
 */
#include "keymgmt/generate.h"

#include "keymgmt/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct generation {
    struct mesh_context *ctx;
    const char *type;
    int selection;
    OSSL_PARAM *params; /* all that was set: a template starts over */
    EVP_PKEY_CTX *native;
};

static int start(struct generation *g, EVP_PKEY *template)
{
    EVP_PKEY_CTX_free(g->native);
    g->native = template != NULL
                    ? EVP_PKEY_CTX_new_from_pkey(g->ctx->libctx, template, NULL)
                    : EVP_PKEY_CTX_new_from_name(g->ctx->libctx, g->type, NULL);
    if (g->native == NULL)
        return 0;
    return (g->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0
               ? EVP_PKEY_keygen_init(g->native) == 1
               : EVP_PKEY_paramgen_init(g->native) == 1;
}

void *mesh_generate_init(void *provctx, const char *type, int selection,
                         const OSSL_PARAM params[])
{
    struct generation *g = OPENSSL_zalloc(sizeof(*g));

    if (g == NULL)
        return NULL;
    g->ctx = provctx;
    g->type = type;
    g->selection = selection;
    if (start(g, NULL) && mesh_generate_set_params(g, params))
        return g;
    mesh_generate_free(g);
    return NULL;
}

int mesh_generate_set_template(void *genctx, void *template)
{
    struct generation *g = genctx;

    return mesh_key_public(template) != NULL
           && start(g, mesh_key_public(template))
           && (g->params == NULL
               || EVP_PKEY_CTX_set_params(g->native, g->params) == 1);
}

int mesh_generate_set_params(void *genctx, const OSSL_PARAM params[])
{
    struct generation *g = genctx;
    OSSL_PARAM *merged, *copy;

    if (params == NULL || params[0].key == NULL)
        return 1;
    /* merge only borrows what its arguments own */
    merged = OSSL_PARAM_merge(g->params, params);
    copy = merged != NULL ? OSSL_PARAM_dup(merged) : NULL;
    OPENSSL_free(merged);
    if (copy == NULL)
        return 0;
    OSSL_PARAM_free(g->params);
    g->params = copy;
    return EVP_PKEY_CTX_set_params(g->native, params) == 1;
}

const OSSL_PARAM *mesh_generate_settable_params(void *genctx, void *provctx)
{
    struct generation *g = genctx;

    (void)provctx;
    return EVP_PKEY_CTX_settable_params(g->native);
}

struct progress {
    OSSL_CALLBACK *cb;
    void *arg;
};

static int report(EVP_PKEY_CTX *native)
{
    const struct progress *progress = EVP_PKEY_CTX_get_app_data(native);
    int potential = EVP_PKEY_CTX_get_keygen_info(native, 0);
    int iteration = EVP_PKEY_CTX_get_keygen_info(native, 1);
    OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_GEN_PARAM_POTENTIAL, &potential),
        OSSL_PARAM_int(OSSL_GEN_PARAM_ITERATION, &iteration),
        OSSL_PARAM_END,
    };

    return progress->cb(params, progress->arg);
}

void *mesh_generate(void *genctx, OSSL_CALLBACK *cb, void *cbarg)
{
    struct generation *g = genctx;
    struct progress progress = {cb, cbarg};
    struct mesh_key *key;
    EVP_PKEY *native = NULL;
    int ok;

    EVP_PKEY_CTX_set_app_data(g->native, &progress);
    EVP_PKEY_CTX_set_cb(g->native, cb != NULL ? report : NULL);
    ok = EVP_PKEY_generate(g->native, &native) == 1;
    /* progress is gone when we return */
    EVP_PKEY_CTX_set_cb(g->native, NULL);
    EVP_PKEY_CTX_set_app_data(g->native, NULL);
    if (!ok)
        return NULL;
    key = mesh_key_new(g->ctx, native, NULL,
                       (g->selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
                           ? MESH_KEY_SOFTWARE
                           : MESH_KEY_PARAMETERS);
    EVP_PKEY_free(native);
    return key;
}

void mesh_generate_free(void *genctx)
{
    struct generation *g = genctx;

    EVP_PKEY_CTX_free(g->native);
    OSSL_PARAM_free(g->params);
    OPENSSL_free(g);
}
