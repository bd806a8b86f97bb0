/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asymmetric ciphers (provider-asym_cipher(7)): encryption in software, on the
 * public half; decryption, with its padding, where the key is.
 */
#include "keymgmt/key.h"
#include "keymgmt/operations.h"
#include "keymgmt/parameters.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h> /* SSL_MAX_MASTER_KEY_LENGTH */

struct asymcipher {
    struct mesh_context *ctx;
    struct mesh_key *key;
    EVP_PKEY_CTX *native; /* parameters, encryption, and of a software key
                           * the decryption */
    int decrypting;
};

static OSSL_FUNC_asym_cipher_newctx_fn asymcipher_new;
static OSSL_FUNC_asym_cipher_freectx_fn asymcipher_free;
static OSSL_FUNC_asym_cipher_dupctx_fn asymcipher_dup;
static OSSL_FUNC_asym_cipher_encrypt_init_fn asymcipher_encrypt_init;
static OSSL_FUNC_asym_cipher_decrypt_init_fn asymcipher_decrypt_init;
static OSSL_FUNC_asym_cipher_encrypt_fn asymcipher_encrypt;
static OSSL_FUNC_asym_cipher_decrypt_fn asymcipher_decrypt;
static OSSL_FUNC_asym_cipher_get_ctx_params_fn asymcipher_get_params;
static OSSL_FUNC_asym_cipher_gettable_ctx_params_fn asymcipher_gettable;
static OSSL_FUNC_asym_cipher_set_ctx_params_fn asymcipher_set_params;
static OSSL_FUNC_asym_cipher_settable_ctx_params_fn asymcipher_settable;

static void *asymcipher_new(void *provctx)
{
    struct asymcipher *c = OPENSSL_zalloc(sizeof(*c));

    if (c != NULL)
        c->ctx = provctx;
    return c;
}

static void asymcipher_free(void *vctx)
{
    struct asymcipher *c = vctx;

    if (c == NULL)
        return;
    EVP_PKEY_CTX_free(c->native);
    mesh_key_free(c->key);
    OPENSSL_free(c);
}

static void *asymcipher_dup(void *vctx)
{
    const struct asymcipher *from = vctx;
    struct asymcipher *c = asymcipher_new(from->ctx);

    if (c == NULL)
        return NULL;
    c->decrypting = from->decrypting;
    if (from->key != NULL)
        c->key = mesh_key_up_ref(from->key);
    if (from->native != NULL
        && (c->native = EVP_PKEY_CTX_dup(from->native)) == NULL) {
        asymcipher_free(c);
        return NULL;
    }
    return c;
}

static int decrypts_in_software(const struct asymcipher *c)
{
    return c->decrypting && mesh_key_kind(c->key) == MESH_KEY_SOFTWARE;
}

static int init(struct asymcipher *c, struct mesh_key *key,
                const OSSL_PARAM params[])
{
    if (key != NULL) {
        mesh_key_up_ref(key);
        mesh_key_free(c->key);
        c->key = key;
    }
    if (c->key == NULL || mesh_key_public(c->key) == NULL)
        return mesh_raise(c->ctx, MESH_R_USAGE,
                          "a decryption without a key was asked for");
    EVP_PKEY_CTX_free(c->native);
    c->native = EVP_PKEY_CTX_new_from_pkey(c->ctx->libctx,
                                           mesh_key_public(c->key), NULL);
    return c->native != NULL
           && (decrypts_in_software(c) ? EVP_PKEY_decrypt_init(c->native)
                                       : EVP_PKEY_encrypt_init(c->native))
                  == 1
           && mesh_parameters_set(c->native, params);
}

static int asymcipher_encrypt_init(void *vctx, void *key,
                                   const OSSL_PARAM params[])
{
    struct asymcipher *c = vctx;

    c->decrypting = 0;
    return init(c, key, params);
}

static int asymcipher_decrypt_init(void *vctx, void *key,
                                   const OSSL_PARAM params[])
{
    struct asymcipher *c = vctx;

    c->decrypting = 1;
    return init(c, key, params);
}

static int asymcipher_encrypt(void *vctx, unsigned char *out, size_t *outlen,
                              size_t outsize, const unsigned char *in,
                              size_t inlen)
{
    struct asymcipher *c = vctx;

    if (out != NULL)
        *outlen = outsize;
    return c->native != NULL
           && EVP_PKEY_encrypt(c->native, out, outlen, in, inlen) == 1;
}

static int asymcipher_decrypt(void *vctx, unsigned char *out, size_t *outlen,
                              size_t outsize, const unsigned char *in,
                              size_t inlen)
{
    struct asymcipher *c = vctx;
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT};

    if (c->native == NULL)
        return 0;
    if (decrypts_in_software(c)) {
        if (out != NULL)
            *outlen = outsize;
        return EVP_PKEY_decrypt(c->native, out, outlen, in, inlen) == 1;
    }
    if (!mesh_parameters_read(c->ctx, c->native, &op))
        return 0;
    if (out == NULL) {
        *outlen = op.padding == MESH_PAD_PKCS1_TLS
                      ? SSL_MAX_MASTER_KEY_LENGTH
                      : (size_t)EVP_PKEY_get_size(mesh_key_public(c->key));
        return 1;
    }
    *outlen = outsize;
    return mesh_key_operate(c->key, &op, in, inlen, out, outlen);
}

static int asymcipher_get_params(void *vctx, OSSL_PARAM params[])
{
    struct asymcipher *c = vctx;

    return c->native != NULL && EVP_PKEY_CTX_get_params(c->native, params) == 1;
}

static int asymcipher_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct asymcipher *c = vctx;

    return c->native != NULL && mesh_parameters_set(c->native, params);
}

static const OSSL_PARAM *asymcipher_gettable(void *vctx, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    return gettable;
}

static const OSSL_PARAM *asymcipher_settable(void *vctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, NULL,
                               0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, NULL,
                               0),
        OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
        OSSL_PARAM_uint(MESH_PARAM_IMPLICIT_REJECTION, NULL),
        OSSL_PARAM_END,
    };

    (void)vctx;
    (void)provctx;
    return settable;
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))asymcipher_new},
    {OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))asymcipher_free},
    {OSSL_FUNC_ASYM_CIPHER_DUPCTX, (void (*)(void))asymcipher_dup},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT,
     (void (*)(void))asymcipher_encrypt_init},
    {OSSL_FUNC_ASYM_CIPHER_ENCRYPT, (void (*)(void))asymcipher_encrypt},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT,
     (void (*)(void))asymcipher_decrypt_init},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))asymcipher_decrypt},
    {OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS,
     (void (*)(void))asymcipher_get_params},
    {OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS,
     (void (*)(void))asymcipher_gettable},
    {OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS,
     (void (*)(void))asymcipher_set_params},
    {OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS,
     (void (*)(void))asymcipher_settable},
    {0, NULL},
};

const OSSL_ALGORITHM mesh_asymcipher_algorithms[] = {
    {MESH_NAMES_RSA, "provider=mesh", functions, "RSA encryption"},
    {NULL, NULL, NULL, NULL},
};
