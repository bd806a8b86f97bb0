/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecKeychain.h>.  Deprecated as in the SDK, without a
 * successor: whoever calls must say that he knows.
 */
#ifndef MACOS_DOUBLE_SECKEYCHAIN_H
#define MACOS_DOUBLE_SECKEYCHAIN_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

#ifdef MACOS_DOUBLE_CONFORM
#define MACOS_DEPRECATED
#else
#define MACOS_DEPRECATED __attribute__((deprecated))
typedef UInt32 SecKeychainStatus;
#endif

MACOS_NUMBER(SecKeychainStatus, kSecUnlockStateStatus, 1);
MACOS_NUMBER(SecKeychainStatus, kSecReadPermStatus, 2);
MACOS_NUMBER(SecKeychainStatus, kSecWritePermStatus, 4);

OSStatus SecKeychainCopyDefault(SecKeychainRef *keychain) MACOS_DEPRECATED;
OSStatus SecKeychainGetStatus(SecKeychainRef keychain,
                              SecKeychainStatus *status) MACOS_DEPRECATED;
OSStatus SecKeychainSetUserInteractionAllowed(Boolean state) MACOS_DEPRECATED;
OSStatus SecKeychainGetUserInteractionAllowed(Boolean *state) MACOS_DEPRECATED;

#endif
