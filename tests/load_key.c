/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key by URI or file, one signature.
 */
#include "tests/load_key.h"

#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <string.h>

EVP_PKEY *load_private_key(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store != NULL)
        OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (key == NULL)
        ERR_print_errors_fp(stderr);
    return key;
}

EVP_PKEY *public_half(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *public = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;

    OPENSSL_free(der);
    return public;
}

int sign_and_verify(EVP_PKEY *key, EVP_PKEY *public, const void *text,
                    size_t len, int quiet)
{
    char digest[32] = "";
    const char *name = "SHA256";
    unsigned char signature[1024];
    size_t signature_len = sizeof(signature);
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    int ok;

    if (EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)) == 2
        && strcmp(digest, "UNDEF") == 0)
        name = NULL;
    ok =
        EVP_DigestSignInit_ex(sign, NULL, name, NULL, NULL, key, NULL) == 1
        && EVP_DigestSign(sign, signature, &signature_len, text, len) == 1
        && EVP_DigestVerifyInit_ex(verify, NULL, name, NULL, NULL, public, NULL)
               == 1
        && EVP_DigestVerify(verify, signature, signature_len, text, len) == 1;
    if (!ok && !quiet)
        ERR_print_errors_fp(stderr);
    ERR_clear_error();
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    return ok;
}
