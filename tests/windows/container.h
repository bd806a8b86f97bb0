/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Containers of CryptoAPI as the first applications of the Mesh made them
 * (PROV_RSA_AES, AT_KEYEXCHANGE, not exportable), and certificates in the
 * user's store that name them.
 */
#ifndef MESH_TESTS_WINDOWS_CONTAINER_H
#define MESH_TESTS_WINDOWS_CONTAINER_H

#include "platform/windows/crypt.h"

#include <openssl/evp.h>
#include <string.h>

/* Little-endian, as the blobs of CryptoAPI are; NULL if it does not fit. */
static inline unsigned char *container_put(EVP_PKEY *key, const char *name,
                                           unsigned char *to, int octets)
{
    BIGNUM *number = NULL;
    int ok = to != NULL && EVP_PKEY_get_bn_param(key, name, &number)
             && BN_bn2lebinpad(number, to, octets) == octets;

    BN_clear_free(number);
    return ok ? to + octets : NULL;
}

/* Puts an RSA key of 2048 bits into a new container; 1 or 0. */
static inline int container_make(EVP_PKEY *key, const wchar_t *name)
{
    static const struct {
        const char *name;
        int octets;
    } numbers[] = {{"n", 256},
                   {"rsa-factor1", 128},
                   {"rsa-factor2", 128},
                   {"rsa-exponent1", 128},
                   {"rsa-exponent2", 128},
                   {"rsa-coefficient1", 128},
                   {"d", 256}};
    const PUBLICKEYSTRUC type = {PRIVATEKEYBLOB, CUR_BLOB_VERSION, 0,
                                 CALG_RSA_KEYX};
    const RSAPUBKEY head = {0x32415352 /* "RSA2" */, 2048, 65537};
    unsigned char blob[2048], *to = blob + sizeof(type) + sizeof(head);
    HCRYPTPROV provider;
    HCRYPTKEY imported;
    int ok;

    memcpy(blob, &type, sizeof(type));
    memcpy(blob + sizeof(type), &head, sizeof(head));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        to = container_put(key, numbers[i].name, to, numbers[i].octets);
    if (to == NULL
        || !CryptAcquireContextW(&provider, name, NULL, PROV_RSA_AES,
                                 CRYPT_NEWKEYSET))
        return 0;
    ok = CryptImportKey(provider, blob, (DWORD)(to - blob), 0, 0, &imported);
    if (ok)
        CryptDestroyKey(imported);
    CryptReleaseContext(provider, 0);
    return ok;
}

/* Enters a certificate (DER) into MY, with a container's name if that is not
 * NULL; 1 or 0. */
static inline int container_certify(const unsigned char *der, size_t len,
                                    wchar_t *name)
{
    CRYPT_KEY_PROV_INFO info = {name, NULL, PROV_RSA_AES,  0,
                                0,    NULL, AT_KEYEXCHANGE};
    HCERTSTORE my = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                  CERT_SYSTEM_STORE_CURRENT_USER, L"MY");
    const CERT_CONTEXT *entered = NULL;
    int ok = my != NULL
             && CertAddEncodedCertificateToStore(
                 my, X509_ASN_ENCODING, der, (DWORD)len, CERT_STORE_ADD_ALWAYS,
                 &entered)
             && (name == NULL
                 || CertSetCertificateContextProperty(
                     entered, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));

    /* (Wine keeps only what nobody holds) */
    if (entered != NULL)
        CertFreeCertificateContext(entered);
    if (my != NULL)
        CertCloseStore(my, 0);
    return ok;
}

#endif
