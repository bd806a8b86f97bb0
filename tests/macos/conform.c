/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Proves, by being compiled on a Mac, that the double's declarations are the
 * SDK's:
 *     cc -std=c11 -Wall -Werror -fsyntax-only tests/macos/conform.c
 * C refuses a second declaration that is not compatible with the first;
 * constants are compared.  What the SDK does not have is refused here before
 * the double can declare it.  conform.sh does the same against altered copies
 * of the double's own headers.
 */
#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecAccessControl.h>
#include <Security/SecBase.h>
#include <Security/SecCertificate.h>
#include <Security/SecImportExport.h>
#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <Security/SecKeychain.h>

/* The calls on keychains are deprecated without a successor. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define KNOWN(name) _Static_assert(sizeof(&(name)) == sizeof(void *), #name)

KNOWN(kCFAllocatorDefault);
KNOWN(kCFAllocatorNull);
KNOWN(kCFBooleanTrue);
KNOWN(kCFBooleanFalse);
KNOWN(kCFTypeDictionaryKeyCallBacks);
KNOWN(kCFTypeDictionaryValueCallBacks);
KNOWN(kCFTypeArrayCallBacks);
KNOWN(kCFErrorDomainOSStatus);
KNOWN(CFRetain);
KNOWN(CFRelease);
KNOWN(CFGetTypeID);
KNOWN(CFEqual);
KNOWN(CFStringGetTypeID);
KNOWN(CFStringCreateWithCString);
KNOWN(CFStringGetLength);
KNOWN(CFStringGetCString);
KNOWN(CFDataGetTypeID);
KNOWN(CFDataCreate);
KNOWN(CFDataCreateWithBytesNoCopy);
KNOWN(CFDataGetLength);
KNOWN(CFDataGetBytePtr);
KNOWN(CFNumberGetTypeID);
KNOWN(CFNumberCreate);
KNOWN(CFNumberGetValue);
KNOWN(CFBooleanGetTypeID);
KNOWN(CFBooleanGetValue);
KNOWN(CFArrayGetTypeID);
KNOWN(CFArrayCreate);
KNOWN(CFArrayCreateMutable);
KNOWN(CFArrayAppendValue);
KNOWN(CFArrayGetCount);
KNOWN(CFArrayGetValueAtIndex);
KNOWN(CFDictionaryGetTypeID);
KNOWN(CFDictionaryCreateMutable);
KNOWN(CFDictionarySetValue);
KNOWN(CFDictionaryGetValue);
KNOWN(CFDictionaryContainsKey);
KNOWN(CFDictionaryGetCount);
KNOWN(CFErrorGetTypeID);
KNOWN(CFErrorCreate);
KNOWN(CFErrorGetCode);
KNOWN(CFErrorGetDomain);

KNOWN(kSecClass);
KNOWN(kSecClassCertificate);
KNOWN(kSecClassKey);
KNOWN(kSecAttrAccessControl);
KNOWN(kSecAttrAccessibleWhenUnlockedThisDeviceOnly);
KNOWN(kSecAttrApplicationLabel);
KNOWN(kSecAttrApplicationTag);
KNOWN(kSecAttrIsExtractable);
KNOWN(kSecAttrIsPermanent);
KNOWN(kSecAttrIsSensitive);
KNOWN(kSecAttrKeyClass);
KNOWN(kSecAttrKeyClassPrivate);
KNOWN(kSecAttrKeyClassPublic);
KNOWN(kSecAttrKeySizeInBits);
KNOWN(kSecAttrKeyType);
KNOWN(kSecAttrKeyTypeECSECPrimeRandom);
KNOWN(kSecAttrKeyTypeRSA);
KNOWN(kSecAttrLabel);
KNOWN(kSecAttrPublicKeyHash);
KNOWN(kSecAttrTokenID);
KNOWN(kSecAttrTokenIDSecureEnclave);
KNOWN(kSecPrivateKeyAttrs);
KNOWN(kSecMatchItemList);
KNOWN(kSecMatchLimit);
KNOWN(kSecMatchLimitAll);
KNOWN(kSecMatchLimitOne);
KNOWN(kSecMatchSearchList);
KNOWN(kSecReturnAttributes);
KNOWN(kSecReturnData);
KNOWN(kSecReturnRef);
KNOWN(kSecUseDataProtectionKeychain);
KNOWN(kSecValueData);
KNOWN(kSecValueRef);
KNOWN(SecItemCopyMatching);
KNOWN(SecItemAdd);
KNOWN(SecItemUpdate);
KNOWN(SecItemDelete);

KNOWN(kSecKeyAlgorithmRSASignatureRaw);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15Raw);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA1);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA224);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA256);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA384);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA512);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPSSSHA1);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPSSSHA224);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPSSSHA256);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPSSSHA384);
KNOWN(kSecKeyAlgorithmRSASignatureDigestPSSSHA512);
KNOWN(kSecKeyAlgorithmECDSASignatureDigestX962);
KNOWN(kSecKeyAlgorithmRSAEncryptionRaw);
KNOWN(kSecKeyAlgorithmRSAEncryptionPKCS1);
KNOWN(kSecKeyAlgorithmRSAEncryptionOAEPSHA1);
KNOWN(kSecKeyAlgorithmRSAEncryptionOAEPSHA224);
KNOWN(kSecKeyAlgorithmRSAEncryptionOAEPSHA256);
KNOWN(kSecKeyAlgorithmRSAEncryptionOAEPSHA384);
KNOWN(kSecKeyAlgorithmRSAEncryptionOAEPSHA512);
KNOWN(kSecKeyAlgorithmECDHKeyExchangeStandard);
KNOWN(SecKeyGetTypeID);
KNOWN(SecKeyCreateRandomKey);
KNOWN(SecKeyCreateWithData);
KNOWN(SecKeyGetBlockSize);
KNOWN(SecKeyCopyPublicKey);
KNOWN(SecKeyCopyAttributes);
KNOWN(SecKeyCopyExternalRepresentation);
KNOWN(SecKeyIsAlgorithmSupported);
KNOWN(SecKeyCreateSignature);
KNOWN(SecKeyCreateDecryptedData);
KNOWN(SecKeyCopyKeyExchangeResult);

KNOWN(SecCertificateGetTypeID);
KNOWN(SecCertificateCopyData);

KNOWN(SecAccessControlCreateWithFlags);

KNOWN(SecItemImport);
KNOWN(SecItemExport);

KNOWN(SecKeychainCopyDefault);
KNOWN(SecKeychainGetStatus);
KNOWN(SecKeychainSetUserInteractionAllowed);
KNOWN(SecKeychainGetUserInteractionAllowed);

/* Types that the SDK has as enumerations, which cannot be declared again. */
#define SIZE(type, same) _Static_assert(sizeof(type) == sizeof(same), #type)
SIZE(Boolean, unsigned char);
SIZE(UInt8, uint8_t);
SIZE(SInt32, int32_t);
SIZE(UInt32, uint32_t);
SIZE(OSStatus, int32_t);
SIZE(CFStringEncoding, uint32_t);
SIZE(CFNumberType, long);
SIZE(SecKeyOperationType, long);
SIZE(SecAccessControlCreateFlags, unsigned long);
SIZE(SecExternalFormat, uint32_t);
SIZE(SecExternalItemType, uint32_t);
SIZE(SecItemImportExportFlags, uint32_t);
SIZE(SecKeyImportExportFlags, uint32_t);
SIZE(SecKeychainStatus, uint32_t);
/* Strings under other names. */
_Static_assert(_Generic((CFErrorDomain)0, CFStringRef : 1), "CFErrorDomain");
_Static_assert(_Generic((SecKeyAlgorithm)0, CFStringRef : 1),
               "SecKeyAlgorithm");

#define MACOS_DOUBLE_CONFORM
#include "include/CoreFoundation/CoreFoundation.h"
#include "include/Security/SecAccessControl.h"
#include "include/Security/SecBase.h"
#include "include/Security/SecCertificate.h"
#include "include/Security/SecImportExport.h"
#include "include/Security/SecItem.h"
#include "include/Security/SecKey.h"
#include "include/Security/SecKeychain.h"

#define MEMBER(name)                                                           \
    _Static_assert(offsetof(SecItemImportExportKeyParameters, name)            \
                       == offsetof(macos_double_key_parameters, name),         \
                   #name)
SIZE(SecItemImportExportKeyParameters, macos_double_key_parameters);
MEMBER(version);
MEMBER(flags);
MEMBER(passphrase);
MEMBER(alertTitle);
MEMBER(alertPrompt);
MEMBER(accessRef);
MEMBER(keyUsage);
MEMBER(keyAttributes);
