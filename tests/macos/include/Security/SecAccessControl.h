/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecAccessControl.h>: only to show that a process
 * without entitlements gets nothing by it.
 */
#ifndef MACOS_DOUBLE_SECACCESSCONTROL_H
#define MACOS_DOUBLE_SECACCESSCONTROL_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

#ifndef MACOS_DOUBLE_CONFORM
typedef CFOptionFlags
    SecAccessControlCreateFlags; /* genuinely an enumeration */
#endif

MACOS_NUMBER(SecAccessControlCreateFlags, kSecAccessControlUserPresence, 1);
MACOS_NUMBER(SecAccessControlCreateFlags, kSecAccessControlPrivateKeyUsage,
             1 << 30);

SecAccessControlRef
SecAccessControlCreateWithFlags(CFAllocatorRef allocator, CFTypeRef protection,
                                SecAccessControlCreateFlags flags,
                                CFErrorRef *error);

#endif
