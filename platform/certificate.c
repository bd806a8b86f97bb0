/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates that a system keeps beside its keys.
 */
#include "platform/certificate.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

X509 *mesh_certificate_of_key(struct mesh_context *ctx,
                              const unsigned char *der, size_t len,
                              const struct mesh_key_name *name)
{
    unsigned char *spki = NULL, digest[32];
    X509 *certificate = NULL;
    int spki_len = 0, same;

    ERR_set_mark();
    if (len <= LONG_MAX)
        certificate = d2i_X509(NULL, &der, (long)len);
    if (certificate != NULL)
        spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    same = spki_len > 0
           && EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, spki,
                           (size_t)spki_len, digest, NULL)
                  == 1
           && memcmp(digest, name->spki_sha256, sizeof(digest)) == 0;
    ERR_pop_to_mark();
    OPENSSL_free(spki);
    if (same)
        return certificate;
    X509_free(certificate);
    return NULL;
}
