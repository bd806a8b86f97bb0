/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecItem.h>: queries of a keychain.
 */
#ifndef MACOS_DOUBLE_SECITEM_H
#define MACOS_DOUBLE_SECITEM_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

extern const CFStringRef kSecClass;
extern const CFStringRef kSecClassCertificate;
extern const CFStringRef kSecClassKey;

extern const CFStringRef kSecAttrAccessControl;
extern const CFStringRef kSecAttrAccessibleWhenUnlockedThisDeviceOnly;
extern const CFStringRef kSecAttrApplicationLabel;
extern const CFStringRef kSecAttrApplicationTag;
extern const CFStringRef kSecAttrIsExtractable;
extern const CFStringRef kSecAttrIsPermanent;
extern const CFStringRef kSecAttrIsSensitive;
extern const CFStringRef kSecAttrKeyClass;
extern const CFStringRef kSecAttrKeyClassPrivate;
extern const CFStringRef kSecAttrKeyClassPublic;
extern const CFStringRef kSecAttrKeySizeInBits;
extern const CFStringRef kSecAttrKeyType;
extern const CFStringRef kSecAttrKeyTypeECSECPrimeRandom;
extern const CFStringRef kSecAttrKeyTypeRSA;
extern const CFStringRef kSecAttrLabel;
extern const CFStringRef kSecAttrPublicKeyHash;
extern const CFStringRef kSecAttrTokenID;
extern const CFStringRef kSecAttrTokenIDSecureEnclave;
extern const CFStringRef kSecPrivateKeyAttrs;

extern const CFStringRef kSecMatchItemList;
extern const CFStringRef kSecMatchLimit;
extern const CFStringRef kSecMatchLimitAll;
extern const CFStringRef kSecMatchLimitOne;
extern const CFStringRef kSecMatchSearchList;
extern const CFStringRef kSecReturnAttributes;
extern const CFStringRef kSecReturnData;
extern const CFStringRef kSecReturnRef;
extern const CFStringRef kSecUseDataProtectionKeychain;
extern const CFStringRef kSecValueData;
extern const CFStringRef kSecValueRef;

OSStatus SecItemCopyMatching(CFDictionaryRef query, CFTypeRef *result);
OSStatus SecItemAdd(CFDictionaryRef attributes, CFTypeRef *result);
OSStatus SecItemUpdate(CFDictionaryRef query, CFDictionaryRef changes);
OSStatus SecItemDelete(CFDictionaryRef query);

#endif
