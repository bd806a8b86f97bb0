/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecImportExport.h>.
 */
#ifndef MACOS_DOUBLE_SECIMPORTEXPORT_H
#define MACOS_DOUBLE_SECIMPORTEXPORT_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

#ifndef MACOS_DOUBLE_CONFORM
/* Genuinely enumerations over the same type. */
typedef uint32_t SecExternalFormat;
typedef uint32_t SecExternalItemType;
typedef uint32_t SecItemImportExportFlags;
typedef uint32_t SecKeyImportExportFlags;
#else
/* A structure without a tag cannot be declared again: conform.c compares. */
#define SecItemImportExportKeyParameters macos_double_key_parameters
#endif

typedef struct {
    uint32_t version;
    SecKeyImportExportFlags flags;
    CFTypeRef passphrase;
    CFStringRef alertTitle;
    CFStringRef alertPrompt;
    SecAccessRef accessRef;
    CFArrayRef keyUsage;
    CFArrayRef keyAttributes;
} SecItemImportExportKeyParameters;

#ifdef MACOS_DOUBLE_CONFORM
#undef SecItemImportExportKeyParameters
_Static_assert(SEC_KEY_IMPORT_EXPORT_PARAMS_VERSION == 0, "version");
#else
#define SEC_KEY_IMPORT_EXPORT_PARAMS_VERSION 0
#endif

MACOS_NUMBER(SecExternalFormat, kSecFormatUnknown, 0);
MACOS_NUMBER(SecExternalFormat, kSecFormatOpenSSL, 1);
MACOS_NUMBER(SecExternalFormat, kSecFormatBSAFE, 3);
MACOS_NUMBER(SecExternalFormat, kSecFormatWrappedPKCS8, 5);
MACOS_NUMBER(SecExternalItemType, kSecItemTypeUnknown, 0);
MACOS_NUMBER(SecExternalItemType, kSecItemTypePrivateKey, 1);
MACOS_NUMBER(SecExternalItemType, kSecItemTypePublicKey, 2);
MACOS_NUMBER(SecItemImportExportFlags, kSecItemPemArmour, 1);
MACOS_NUMBER(SecKeyImportExportFlags, kSecKeyImportOnlyOne, 1);
MACOS_NUMBER(SecKeyImportExportFlags, kSecKeyNoAccessControl, 4);

OSStatus SecItemImport(CFDataRef data, CFStringRef name,
                       SecExternalFormat *format, SecExternalItemType *type,
                       SecItemImportExportFlags flags,
                       const SecItemImportExportKeyParameters *parameters,
                       SecKeychainRef keychain, CFArrayRef *items);
OSStatus SecItemExport(CFTypeRef items, SecExternalFormat format,
                       SecItemImportExportFlags flags,
                       const SecItemImportExportKeyParameters *parameters,
                       CFDataRef *data);

#endif
