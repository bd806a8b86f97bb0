/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Windows's own headers for keys and certificates, without the names that they
 * share with libcrypto's.
 */
#ifndef MESH_PLATFORM_WINDOWS_CRYPT_H
#define MESH_PLATFORM_WINDOWS_CRYPT_H

#include <windows.h>
/* behind windows.h */
#include <bcrypt.h>
#include <ncrypt.h>
#include <wincrypt.h>

#undef OCSP_REQUEST
#undef OCSP_RESPONSE
#undef PKCS7_ISSUER_AND_SERIAL
#undef PKCS7_SIGNER_INFO
#undef X509_CERT_PAIR
#undef X509_EXTENSIONS
#undef X509_NAME

#endif
