/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PKCS#8.
 */
#include "platform/private_der.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* What libcrypto thinks of it: the file may say any public half. */
static int pair_agrees(struct mesh_context *ctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    int ok = check != NULL && EVP_PKEY_pairwise_check(check) == 1;

    EVP_PKEY_CTX_free(check);
    return ok;
}

EVP_PKEY *mesh_private_read(struct mesh_context *ctx,
                            const unsigned char *pkcs8, size_t len)
{
    const unsigned char *end = pkcs8;
    PKCS8_PRIV_KEY_INFO *info;
    EVP_PKEY *key = NULL;
    int ok;

    ERR_set_mark();
    info =
        len <= LONG_MAX ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)len) : NULL;
    if (info != NULL && end == pkcs8 + len)
        key = EVP_PKCS82PKEY_ex(info, ctx->libctx, NULL);
    PKCS8_PRIV_KEY_INFO_free(info);
    ok = key != NULL && pair_agrees(ctx, key);
    ERR_pop_to_mark();
    if (ok)
        return key;
    mesh_raise(ctx, MESH_R_KEY_MALFORMED, "%s",
               key == NULL
                   ? "the private key is not PKCS#8, or of no known type"
                   : "the private half of the key does not belong to its "
                     "public half");
    EVP_PKEY_free(key);
    return NULL;
}
