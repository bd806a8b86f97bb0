/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys as octets: reading, writing, and whether the halves agree.
 */
#include "platform/linux/keyd/key_data.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>

EVP_PKEY *mesh_key_decode(struct mesh_context *ctx, const void *data,
                          size_t len, pem_password_cb *passphrase, void *arg)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, ctx->libctx, NULL);
    size_t before;

    ERR_set_mark();
    if (bio != NULL && decoder != NULL
        && OSSL_DECODER_CTX_set_pem_password_cb(decoder, passphrase, arg))
        do {
            before = BIO_ctrl_pending(bio);
        } while (!OSSL_DECODER_from_bio(decoder, bio) && key == NULL
                 && BIO_ctrl_pending(bio) > 0
                 && BIO_ctrl_pending(bio) < before);
    ERR_pop_to_mark();
    OSSL_DECODER_CTX_free(decoder);
    BIO_free(bio);
    return key;
}

int mesh_key_decode_pkcs8(struct mesh_context *ctx, const unsigned char *data,
                          size_t len, EVP_PKEY **key)
{
    const unsigned char *end = data;
    PKCS8_PRIV_KEY_INFO *info;

    *key = NULL;
    ERR_set_mark();
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)len);
    if (info != NULL && end == data + len)
        *key = EVP_PKCS82PKEY_ex(info, ctx->libctx, NULL);
    ERR_pop_to_mark();
    PKCS8_PRIV_KEY_INFO_free(info);
    return *key != NULL
           || mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                         "the private key is not a PKCS#8 PrivateKeyInfo that "
                         "libcrypto can read");
}

int mesh_key_encode_pkcs8(struct mesh_context *ctx, EVP_PKEY *key,
                          unsigned char **der, size_t *len)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int n;

    *der = NULL;
    n = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, der);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (n <= 0)
        return mesh_raise(ctx, MESH_R_INTERNAL,
                          "the private key cannot be encoded");
    *len = (size_t)n;
    return 1;
}

int mesh_key_check(struct mesh_context *ctx, EVP_PKEY *key)
{
    static const char *const types[] = {"RSA",   "RSA-PSS", "EC",  "ED25519",
                                        "ED448", "X25519",  "X448"};
    EVP_PKEY_CTX *check;
    size_t i = 0;
    int ok;

    while (i < sizeof(types) / sizeof(types[0])
           && !EVP_PKEY_is_a(key, types[i]))
        i++;
    if (i == sizeof(types) / sizeof(types[0]))
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "a key of type %s is of no use here",
                          EVP_PKEY_get0_type_name(key));
    ERR_set_mark();
    check = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    ok = check != NULL && EVP_PKEY_pairwise_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    ERR_pop_to_mark();
    return ok ? 1
              : mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                           "the private half of the key does not belong to "
                           "its public half");
}
