/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecBase.h>: types and the results that matter to us.
 * See CoreFoundation.h beside it for how it is proved.
 */
#ifndef MACOS_DOUBLE_SECBASE_H
#define MACOS_DOUBLE_SECBASE_H

#include <CoreFoundation/CoreFoundation.h>

typedef struct __SecKey *SecKeyRef;
typedef struct __SecCertificate *SecCertificateRef;
typedef struct __SecAccess *SecAccessRef;
typedef struct __SecAccessControl *SecAccessControlRef;
typedef struct __SecKeychain *SecKeychainRef;

MACOS_NUMBER(OSStatus, errSecSuccess, 0);
MACOS_NUMBER(OSStatus, errSecUnimplemented, -4);
MACOS_NUMBER(OSStatus, errSecIO, -36);
MACOS_NUMBER(OSStatus, errSecParam, -50);
MACOS_NUMBER(OSStatus, errSecWrPerm, -61);
MACOS_NUMBER(OSStatus, errSecAllocate, -108);
MACOS_NUMBER(OSStatus, errSecUserCanceled, -128);
MACOS_NUMBER(OSStatus, errSecInternalComponent, -2070);
MACOS_NUMBER(OSStatus, errSecNoAccessForItem, -25243);
MACOS_NUMBER(OSStatus, errSecUnsupportedFormat, -25256);
MACOS_NUMBER(OSStatus, errSecUnknownFormat, -25257);
MACOS_NUMBER(OSStatus, errSecKeyIsSensitive, -25258);
MACOS_NUMBER(OSStatus, errSecNotAvailable, -25291);
MACOS_NUMBER(OSStatus, errSecReadOnly, -25292);
MACOS_NUMBER(OSStatus, errSecAuthFailed, -25293);
MACOS_NUMBER(OSStatus, errSecNoSuchKeychain, -25294);
MACOS_NUMBER(OSStatus, errSecInvalidKeychain, -25295);
MACOS_NUMBER(OSStatus, errSecDuplicateItem, -25299);
MACOS_NUMBER(OSStatus, errSecItemNotFound, -25300);
MACOS_NUMBER(OSStatus, errSecNoSuchAttr, -25303);
MACOS_NUMBER(OSStatus, errSecInvalidItemRef, -25304);
MACOS_NUMBER(OSStatus, errSecNoDefaultKeychain, -25307);
MACOS_NUMBER(OSStatus, errSecInteractionNotAllowed, -25308);
MACOS_NUMBER(OSStatus, errSecKeySizeNotAllowed, -25311);
MACOS_NUMBER(OSStatus, errSecInteractionRequired, -25315);
MACOS_NUMBER(OSStatus, errSecDataNotAvailable, -25316);
MACOS_NUMBER(OSStatus, errSecInDarkWake, -25320);
MACOS_NUMBER(OSStatus, errSecDecode, -26275);
MACOS_NUMBER(OSStatus, errSecMissingEntitlement, -34018);

#endif
