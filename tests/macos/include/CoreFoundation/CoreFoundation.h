/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The part of CoreFoundation that the Keychain back end uses, declared for the
 * double in tests/macos/.  A Mac has its own; there conform.c includes this one
 * after it, with MACOS_DOUBLE_CONFORM set: the compiler then refuses each
 * declaration that is not the genuine one.
 */
#ifndef MACOS_DOUBLE_COREFOUNDATION_H
#define MACOS_DOUBLE_COREFOUNDATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MACOS_NUMBER(type, name, value): a constant; compared where it exists. */
#ifdef MACOS_DOUBLE_CONFORM
#define MACOS_NUMBER(type, name, value)                                        \
    _Static_assert((long long)(name) == (long long)(type)(value), #name)
#else
#define MACOS_NUMBER(type, name, value) enum { name = value }
#endif

#ifndef MACOS_DOUBLE_CONFORM
typedef unsigned char Boolean;
typedef uint8_t UInt8;
typedef int32_t SInt32;
typedef uint32_t UInt32;
typedef SInt32 OSStatus;
typedef UInt32 CFStringEncoding;
typedef long CFNumberType; /* genuinely an enumeration over CFIndex */
#endif

typedef unsigned long CFTypeID;
typedef unsigned long CFOptionFlags;
typedef long CFIndex;
typedef const void *CFTypeRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFData *CFDataRef;
typedef const struct __CFNumber *CFNumberRef;
typedef const struct __CFBoolean *CFBooleanRef;
typedef const struct __CFArray *CFArrayRef;
typedef struct __CFArray *CFMutableArrayRef;
typedef const struct __CFDictionary *CFDictionaryRef;
typedef struct __CFDictionary *CFMutableDictionaryRef;
typedef struct __CFError *CFErrorRef;

#ifndef MACOS_DOUBLE_CONFORM
typedef CFStringRef CFErrorDomain;
/* Callers only take the addresses of the callbacks. */
typedef struct {
    CFIndex version;
} CFDictionaryKeyCallBacks, CFDictionaryValueCallBacks, CFArrayCallBacks;
#endif

MACOS_NUMBER(CFStringEncoding, kCFStringEncodingUTF8, 0x08000100);
MACOS_NUMBER(CFNumberType, kCFNumberSInt32Type, 3);
MACOS_NUMBER(CFNumberType, kCFNumberIntType, 9);
MACOS_NUMBER(CFNumberType, kCFNumberLongType, 10);
MACOS_NUMBER(CFNumberType, kCFNumberCFIndexType, 14);

extern const CFAllocatorRef kCFAllocatorDefault;
extern const CFAllocatorRef kCFAllocatorNull;
extern const CFBooleanRef kCFBooleanTrue;
extern const CFBooleanRef kCFBooleanFalse;
extern const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks;
extern const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks;
extern const CFArrayCallBacks kCFTypeArrayCallBacks;
extern const CFErrorDomain kCFErrorDomainOSStatus;

CFTypeRef CFRetain(CFTypeRef object);
void CFRelease(CFTypeRef object);
CFTypeID CFGetTypeID(CFTypeRef object);
Boolean CFEqual(CFTypeRef one, CFTypeRef other);

CFTypeID CFStringGetTypeID(void);
CFStringRef CFStringCreateWithCString(CFAllocatorRef allocator,
                                      const char *text,
                                      CFStringEncoding encoding);
CFIndex CFStringGetLength(CFStringRef string);
Boolean CFStringGetCString(CFStringRef string, char *buffer, CFIndex size,
                           CFStringEncoding encoding);

CFTypeID CFDataGetTypeID(void);
CFDataRef CFDataCreate(CFAllocatorRef allocator, const UInt8 *bytes,
                       CFIndex length);
CFDataRef CFDataCreateWithBytesNoCopy(CFAllocatorRef allocator,
                                      const UInt8 *bytes, CFIndex length,
                                      CFAllocatorRef deallocator);
CFIndex CFDataGetLength(CFDataRef data);
const UInt8 *CFDataGetBytePtr(CFDataRef data);

CFTypeID CFNumberGetTypeID(void);
CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type,
                           const void *value);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *value);

CFTypeID CFBooleanGetTypeID(void);
Boolean CFBooleanGetValue(CFBooleanRef boolean);

CFTypeID CFArrayGetTypeID(void);
CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values,
                         CFIndex count, const CFArrayCallBacks *callbacks);
CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef allocator,
                                       CFIndex capacity,
                                       const CFArrayCallBacks *callbacks);
void CFArrayAppendValue(CFMutableArrayRef array, const void *value);
CFIndex CFArrayGetCount(CFArrayRef array);
const void *CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index);

CFTypeID CFDictionaryGetTypeID(void);
CFMutableDictionaryRef
CFDictionaryCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
                          const CFDictionaryKeyCallBacks *key_callbacks,
                          const CFDictionaryValueCallBacks *value_callbacks);
void CFDictionarySetValue(CFMutableDictionaryRef dictionary, const void *key,
                          const void *value);
const void *CFDictionaryGetValue(CFDictionaryRef dictionary, const void *key);
Boolean CFDictionaryContainsKey(CFDictionaryRef dictionary, const void *key);
CFIndex CFDictionaryGetCount(CFDictionaryRef dictionary);

CFTypeID CFErrorGetTypeID(void);
CFErrorRef CFErrorCreate(CFAllocatorRef allocator, CFErrorDomain domain,
                         CFIndex code, CFDictionaryRef user_info);
CFIndex CFErrorGetCode(CFErrorRef error);
CFErrorDomain CFErrorGetDomain(CFErrorRef error);

#endif
