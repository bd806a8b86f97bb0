/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificate that the Keychain has for a key.
 */
#include "platform/certificate.h"
#include "platform/macos/keychain.h"
#include "platform/macos/status.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdint.h>

static int ask(struct mesh_context *ctx, const struct mesh_key_name *name,
               CFTypeRef *found)
{
    CFDataRef hash =
        mesh_keychain_data(ctx, name->identifier, sizeof(name->identifier));
    CFDictionaryRef query = NULL;
    OSStatus status;

    *found = NULL;
    if (hash != NULL)
        query = mesh_keychain_dictionary(
            ctx,
            (const struct mesh_keychain_pair[]){
                {kSecClass, kSecClassCertificate},
                {kSecAttrPublicKeyHash, hash},
                {kSecUseDataProtectionKeychain, kCFBooleanFalse},
                {kSecReturnRef, kCFBooleanTrue},
                {kSecMatchLimit, kSecMatchLimitAll},
            },
            5);
    mesh_keychain_release(hash);
    if (query == NULL)
        return 0;
    status = SecItemCopyMatching(query, found);
    CFRelease(query);
    return status == errSecSuccess || status == errSecItemNotFound
           || mesh_status_raise(ctx, status, "look for a certificate",
                                name->udf);
}

/* NULL, and nothing raised, if it is none, or not the key's. */
static X509 *read_one(struct mesh_context *ctx, CFTypeRef one,
                      const struct mesh_key_name *name)
{
    X509 *certificate = NULL;
    CFDataRef der = NULL;

    if (CFGetTypeID(one) == SecCertificateGetTypeID())
        der = SecCertificateCopyData((SecCertificateRef)(uintptr_t)one);
    if (der != NULL)
        certificate = mesh_certificate_of_key(
            ctx, CFDataGetBytePtr(der), (size_t)CFDataGetLength(der), name);
    mesh_keychain_release(der);
    return certificate;
}

/* Of several the one that ends last. */
int mesh_keystore_certificate(struct mesh_context *ctx,
                              const struct mesh_key_name *name,
                              unsigned char **der, size_t *len)
{
    X509 *best = NULL, *next;
    CFTypeRef found;
    int der_len = 0;

    *der = NULL;
    *len = 0;
    if (!mesh_keychain_takes(name->family, name->bits))
        return 1;
    if (!mesh_keychain_enter(ctx) || !ask(ctx, name, &found))
        return 0;
    if (found == NULL)
        return 1;
    if (CFGetTypeID(found) == CFArrayGetTypeID())
        for (CFIndex i = 0; i < CFArrayGetCount(found); i++) {
            next = read_one(ctx, CFArrayGetValueAtIndex(found, i), name);
            if (next != NULL
                && (best == NULL
                    || ASN1_TIME_compare(X509_get0_notAfter(next),
                                         X509_get0_notAfter(best))
                           > 0)) {
                X509_free(best);
                best = next;
            } else {
                X509_free(next);
            }
        }
    CFRelease(found);
    if (best == NULL)
        return 1;
    der_len = i2d_X509(best, der);
    X509_free(best);
    if (der_len <= 0)
        return mesh_raise(ctx, MESH_R_MEMORY, "certificate");
    *len = (size_t)der_len;
    return 1;
}
