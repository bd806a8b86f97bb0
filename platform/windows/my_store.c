/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The user's certificates, which Windows keeps in the store "MY".
 */
#include "platform/certificate.h"

#include "platform/windows/source.h"
#include "platform/windows/status.h"

#include <openssl/crypto.h>
#include <string.h>

/* Whether it is a certificate of the key: its public half decides. */
static int is_of_key(struct mesh_context *ctx, const CERT_CONTEXT *certificate,
                     const struct mesh_key_name *name)
{
    X509 *x509 = mesh_certificate_of_key(ctx, certificate->pbCertEncoded,
                                         certificate->cbCertEncoded, name);

    X509_free(x509);
    return x509 != NULL;
}

/* Whether Windows says that the certificate's key is one of ours: the key was
 * asked for the certificate, not an older copy of it. */
static int is_of_container(const CERT_CONTEXT *certificate,
                           const struct mesh_key_name *name)
{
    wchar_t own[MESH_KEY_NAME_MAX];
    CRYPT_KEY_PROV_INFO *info;
    DWORD len = 0;
    int ours;

    if (!CertGetCertificateContextProperty(
            certificate, CERT_KEY_PROV_INFO_PROP_ID, NULL, &len)
        || len < sizeof(*info) || (info = OPENSSL_zalloc(len)) == NULL)
        return 0;
    mesh_source_name(name->udf, own);
    ours = CertGetCertificateContextProperty(
               certificate, CERT_KEY_PROV_INFO_PROP_ID, info, &len)
           && info->pwszContainerName != NULL
           && (wcscmp(info->pwszContainerName, own) == 0
               || wcsncmp(info->pwszContainerName, MESH_MADE_PREFIX,
                          wcslen(MESH_MADE_PREFIX))
                      == 0);
    OPENSSL_free(info);
    return ours;
}

/* Of several the one whose key Windows knows as ours, then the one that ends
 * last. */
static int is_better(const CERT_CONTEXT *a, const CERT_CONTEXT *b,
                     const struct mesh_key_name *name)
{
    int of_a = is_of_container(a, name);

    return b == NULL
           || (of_a == is_of_container(b, name)
                   ? CompareFileTime(&a->pCertInfo->NotAfter,
                                     &b->pCertInfo->NotAfter)
                         > 0
                   : of_a);
}

int mesh_keystore_certificate(struct mesh_context *ctx,
                              const struct mesh_key_name *name,
                              unsigned char **der, size_t *len)
{
    const CERT_CONTEXT *next = NULL, *best = NULL;
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                      CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG
                          | CERT_STORE_OPEN_EXISTING_FLAG,
                      L"MY");
    int ok = 1;

    *der = NULL;
    *len = 0;
    if (store == NULL)
        return GetLastError() == ERROR_FILE_NOT_FOUND
               || mesh_status_raise(ctx, GetLastError(),
                                    "open the user's certificates", "");
    while ((next = CertEnumCertificatesInStore(store, next)) != NULL)
        if (is_of_key(ctx, next, name) && is_better(next, best, name)) {
            if (best != NULL)
                CertFreeCertificateContext(best);
            best = CertDuplicateCertificateContext(next);
        }
    if (best != NULL) {
        *der = OPENSSL_memdup(best->pbCertEncoded, best->cbCertEncoded);
        *len = best->cbCertEncoded;
        ok = *der != NULL || mesh_raise(ctx, MESH_R_MEMORY, "certificate");
        CertFreeCertificateContext(best);
    }
    CertCloseStore(store, 0);
    return ok;
}
