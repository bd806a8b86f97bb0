/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the double share.
 */
#ifndef MACOS_DOUBLE_TEST_H
#define MACOS_DOUBLE_TEST_H

#include "double.h"

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecCertificate.h>
#include <Security/SecImportExport.h>
#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <Security/SecKeychain.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

/* Before each test: a fresh keychain; after it: no object is left. */
int double_setup(void **state);
int double_teardown(void **state);
#define DOUBLE_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, double_setup, double_teardown)

/* misuse() ends a process by abort() after words on stderr that have text. */
void expect_abort(void (*misuse)(void), const char *text);

CFMutableDictionaryRef new_dictionary(void);
/* Sets and releases. */
void set_owned(CFMutableDictionaryRef dictionary, CFStringRef key,
               CFTypeRef value);
CFStringRef new_string(const char *text);
/* Private keys of the file-based keychain. */
CFMutableDictionaryRef new_query(void);
/* What SecKeyCreateRandomKey wants for a permanent key. */
CFMutableDictionaryRef new_generation(CFStringRef type, int bits);
/* A permanent key, not extractable, with the label "made". */
SecKeyRef make_key(CFStringRef type, int bits);
/* Takes the error's code and releases it. */
OSStatus take_error(CFErrorRef *error);

/* The public half that the keychain has of a private key. */
EVP_PKEY *public_half(SecKeyRef key);
/* The type-specific DER of a new key ("RSA" with bits, or a curve). */
EVP_PKEY *new_pkey(const char *type, unsigned bits, const char *curve);
CFDataRef type_specific(EVP_PKEY *key);
OSStatus import_key(CFDataRef data, SecExternalItemType type, bool extractable,
                    SecKeyRef *key);
/* The first line of an item's file that begins so, or NULL; of the caller. */
char *item_line(const char *suffix, const char *begin);
unsigned count_items(void);

#endif
