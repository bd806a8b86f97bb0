/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asymmetric ciphers (provider-asym_cipher(7)): encryption in software, on the
 * public half; decryption, with its padding, where the key is.
 */
#include "keymgmt/operations.h"
#include "keymgmt/parameters.h"
#include "keymgmt/types.h"
#include "keymgmt/use.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h> /* SSL_MAX_MASTER_KEY_LENGTH */

static OSSL_FUNC_asym_cipher_encrypt_init_fn asymcipher_encrypt_init;
static OSSL_FUNC_asym_cipher_decrypt_init_fn asymcipher_decrypt_init;
static OSSL_FUNC_asym_cipher_encrypt_fn asymcipher_encrypt;
static OSSL_FUNC_asym_cipher_decrypt_fn asymcipher_decrypt;
static OSSL_FUNC_asym_cipher_set_ctx_params_fn asymcipher_set_params;

static int asymcipher_encrypt_init(void *vctx, void *key,
                                   const OSSL_PARAM params[])
{
    return mesh_use_start(vctx, key, EVP_PKEY_encrypt_init_ex, NULL, params);
}

static int asymcipher_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct mesh_use *use = vctx;

    return (!use->held || mesh_parameters_can_decrypt(use->ctx, params))
           && mesh_use_set_params(vctx, params);
}

static int asymcipher_decrypt_init(void *vctx, void *key,
                                   const OSSL_PARAM params[])
{
    return mesh_use_start(vctx, key, EVP_PKEY_encrypt_init_ex,
                          EVP_PKEY_decrypt_init_ex, NULL)
           && asymcipher_set_params(vctx, params);
}

static int asymcipher_encrypt(void *vctx, unsigned char *out, size_t *outlen,
                              size_t outsize, const unsigned char *in,
                              size_t inlen)
{
    struct mesh_use *use = vctx;

    if (out != NULL)
        *outlen = outsize;
    return use->native != NULL
           && EVP_PKEY_encrypt(use->native, out, outlen, in, inlen) == 1;
}

static int asymcipher_decrypt(void *vctx, unsigned char *out, size_t *outlen,
                              size_t outsize, const unsigned char *in,
                              size_t inlen)
{
    struct mesh_use *use = vctx;
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT};

    if (use->native == NULL)
        return 0;
    if (!use->held) {
        if (out != NULL)
            *outlen = outsize;
        return EVP_PKEY_decrypt(use->native, out, outlen, in, inlen) == 1;
    }
    if (!mesh_parameters_read(use->ctx, use->native, &op))
        return 0;
    if (out == NULL) {
        *outlen = op.padding == MESH_PAD_PKCS1_TLS
                      ? SSL_MAX_MASTER_KEY_LENGTH
                      : (size_t)EVP_PKEY_get_size(mesh_key_public(use->key));
        return 1;
    }
    *outlen = outsize;
    return mesh_key_operate(use->key, &op, in, inlen, out, outlen);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))mesh_use_new},
    {OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))mesh_use_free},
    {OSSL_FUNC_ASYM_CIPHER_DUPCTX, (void (*)(void))mesh_use_dup},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT,
     (void (*)(void))asymcipher_encrypt_init},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT, (void (*)(void))asymcipher_encrypt},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT,
     (void (*)(void))asymcipher_decrypt_init},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))asymcipher_decrypt},
    {OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, (void (*)(void))mesh_use_get_params},
    {OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS,
     (void (*)(void))mesh_use_gettable},
    {OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS,
     (void (*)(void))asymcipher_set_params},
    {OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS,
     (void (*)(void))mesh_use_settable},
    {0, NULL},
};

#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, "", functions, "RSA encryption"),

static const OSSL_ALGORITHM algorithms[] = {MESH_TYPES_RSA(ROW)
                                                MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_asymcipher_algorithms(void)
{
    return algorithms;
}
