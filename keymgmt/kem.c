/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key encapsulation (provider-kem(7)): in software, on the public half;
 * decapsulation where the key is.
 */
#include "keymgmt/operations.h"
#include "keymgmt/types.h"
#include "keymgmt/use.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

/* OpenSSL 3.2 added what takes the sender's key, too; a module that was built
 * with an older one finds the functions at run time. */
#define FUNC_AUTH_ENCAPSULATE_INIT 12
#define FUNC_AUTH_DECAPSULATE_INIT 13

typedef int kem_auth_init_fn(void *vctx, void *key, void *auth,
                             const OSSL_PARAM params[]);
int EVP_PKEY_auth_encapsulate_init(EVP_PKEY_CTX *ctx, EVP_PKEY *authpriv,
                                   const OSSL_PARAM params[]);
int EVP_PKEY_auth_decapsulate_init(EVP_PKEY_CTX *ctx, EVP_PKEY *authpub,
                                   const OSSL_PARAM params[]);
#if !defined(_WIN32)
#pragma weak EVP_PKEY_auth_encapsulate_init
#pragma weak EVP_PKEY_auth_decapsulate_init
#define NATIVE(function) function
#elif OPENSSL_VERSION_NUMBER >= 0x30200000L
#define NATIVE(function) function
#else /* no weak symbols there */
#define NATIVE(function) NULL
#endif

typedef int native_auth_init_fn(EVP_PKEY_CTX *ctx, EVP_PKEY *other,
                                const OSSL_PARAM params[]);
/* NULL: this libcrypto has none. */
static native_auth_init_fn *const auth_encapsulate_init =
    NATIVE(EVP_PKEY_auth_encapsulate_init);
static native_auth_init_fn *const auth_decapsulate_init =
    NATIVE(EVP_PKEY_auth_decapsulate_init);

static OSSL_FUNC_kem_encapsulate_init_fn kem_encapsulate_init;
static OSSL_FUNC_kem_encapsulate_fn kem_encapsulate;
static OSSL_FUNC_kem_decapsulate_init_fn kem_decapsulate_init;
static OSSL_FUNC_kem_decapsulate_fn kem_decapsulate;
static OSSL_FUNC_kem_set_ctx_params_fn kem_set_params;
static kem_auth_init_fn kem_auth_encapsulate_init;
static kem_auth_init_fn kem_auth_decapsulate_init;

/* The native context, which has checked it, does not give it back; ML-KEM does
 * not look at it. */
static int keep_variant(struct mesh_use *use, const OSSL_PARAM params[])
{
    const OSSL_PARAM *settable = EVP_PKEY_CTX_settable_params(use->native);
    const OSSL_PARAM *p = NULL;
    char *variant = use->variant;

    if (params != NULL && settable != NULL
        && OSSL_PARAM_locate_const(settable, OSSL_KEM_PARAM_OPERATION) != NULL)
        p = OSSL_PARAM_locate_const(params, OSSL_KEM_PARAM_OPERATION);
    return p == NULL
           || OSSL_PARAM_get_utf8_string(p, &variant, sizeof(use->variant));
}

static int kem_set_params(void *vctx, const OSSL_PARAM params[])
{
    return mesh_use_set_params(vctx, params) && keep_variant(vctx, params);
}

static int kem_encapsulate_init(void *vctx, void *key,
                                const OSSL_PARAM params[])
{
    return mesh_use_start(vctx, key, EVP_PKEY_encapsulate_init, NULL, params);
}

static int kem_decapsulate_init(void *vctx, void *key,
                                const OSSL_PARAM params[])
{
    return mesh_use_start(vctx, key, EVP_PKEY_encapsulate_init,
                          EVP_PKEY_decapsulate_init, params)
           && keep_variant(vctx, params);
}

static int refuse_auth(struct mesh_use *use)
{
    return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "encapsulation with the sender's key by a key of the key "
                      "store");
}

static int kem_auth_encapsulate_init(void *vctx, void *key, void *auth,
                                     const OSSL_PARAM params[])
{
    struct mesh_use *use = vctx;

    if (mesh_key_kind(auth) != MESH_KEY_SOFTWARE
        || auth_encapsulate_init == NULL)
        return refuse_auth(use);
    return mesh_use_start(use, key, EVP_PKEY_encapsulate_init, NULL, NULL)
           && auth_encapsulate_init(use->native, mesh_key_public(auth), params)
                  == 1;
}

static int kem_auth_decapsulate_init(void *vctx, void *key, void *auth,
                                     const OSSL_PARAM params[])
{
    struct mesh_use *use = vctx;

    if (!mesh_use_start(use, key, EVP_PKEY_encapsulate_init,
                        EVP_PKEY_decapsulate_init, NULL))
        return 0;
    if (use->held || auth_decapsulate_init == NULL)
        return refuse_auth(use);
    return auth_decapsulate_init(use->native, mesh_key_public(auth), params)
           == 1;
}

static int kem_encapsulate(void *vctx, unsigned char *out, size_t *outlen,
                           unsigned char *secret, size_t *secretlen)
{
    struct mesh_use *use = vctx;

    return use->native != NULL
           && EVP_PKEY_encapsulate(use->native, out, outlen, secret, secretlen)
                  == 1;
}

static int kem_decapsulate(void *vctx, unsigned char *out, size_t *outlen,
                           const unsigned char *in, size_t inlen)
{
    struct mesh_use *use = vctx;
    struct mesh_private_op op = {.operation = MESH_OP_DECAPSULATE};
    size_t in_size = 0, size = 0, room;

    if (use->native == NULL)
        return 0;
    if (!use->held)
        return EVP_PKEY_decapsulate(use->native, out, outlen, in, inlen) == 1;
    if (EVP_PKEY_encapsulate(use->native, NULL, &in_size, NULL, &size) != 1)
        return 0;
    if (out == NULL) {
        *outlen = size;
        return 1;
    }
    room = outlen != NULL ? *outlen : size;
    if (room < size)
        return mesh_raise(use->ctx, MESH_R_BUFFER_TOO_SMALL,
                          "%zu octets of room for a secret of %zu", room, size);
    if (inlen != in_size)
        return mesh_raise(use->ctx, MESH_R_USAGE,
                          "%zu octets of encapsulated secret, %s needs %zu",
                          inlen, mesh_key_type(use->key), in_size);
    OPENSSL_strlcpy(op.variant, use->variant, sizeof(op.variant));
    return mesh_key_operate(use->key, &op, in, inlen, out,
                            outlen != NULL ? outlen : &room);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_KEM_NEWCTX, (void (*)(void))mesh_use_new},
    {OSSL_FUNC_KEM_FREECTX, (void (*)(void))mesh_use_free},
    {OSSL_FUNC_KEM_DUPCTX, (void (*)(void))mesh_use_dup},
    {OSSL_FUNC_KEM_ENCAPSULATE_INIT, (void (*)(void))kem_encapsulate_init},
    {OSSL_FUNC_KEM_ENCAPSULATE, (void (*)(void))kem_encapsulate},
    {OSSL_FUNC_KEM_DECAPSULATE_INIT, (void (*)(void))kem_decapsulate_init},
    {OSSL_FUNC_KEM_DECAPSULATE, (void (*)(void))kem_decapsulate},
    {OSSL_FUNC_KEM_GET_CTX_PARAMS, (void (*)(void))mesh_use_get_params},
    {OSSL_FUNC_KEM_GETTABLE_CTX_PARAMS, (void (*)(void))mesh_use_gettable},
    {OSSL_FUNC_KEM_SET_CTX_PARAMS, (void (*)(void))kem_set_params},
    {OSSL_FUNC_KEM_SETTABLE_CTX_PARAMS, (void (*)(void))mesh_use_settable},
    {FUNC_AUTH_ENCAPSULATE_INIT, (void (*)(void))kem_auth_encapsulate_init},
    {FUNC_AUTH_DECAPSULATE_INIT, (void (*)(void))kem_auth_decapsulate_init},
    {0, NULL},
};

#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, "", functions, "key encapsulation"),
/* DHKEM */
#define SINCE_3_2(row) MESH_TYPES_EC(row) MESH_TYPES_XDH(row)

static const OSSL_ALGORITHM algorithms[] = {MESH_TYPES_ML_KEM(ROW) SINCE_3_2(
    ROW) MESH_TYPES_RSA(ROW) MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_kem_algorithms(void)
{
    if (mesh_libcrypto_is(3, 5))
        return algorithms;
    return mesh_libcrypto_is(3, 2)
               ? algorithms + (MESH_TYPES_ML_KEM(MESH_COUNT))
               : algorithms + (MESH_TYPES_ML_KEM(MESH_COUNT))
                     + (SINCE_3_2(MESH_COUNT));
}
