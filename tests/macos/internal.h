/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the double know of each other.
 */
#ifndef MACOS_DOUBLE_INTERNAL_H
#define MACOS_DOUBLE_INTERNAL_H

#include "double.h"

#include <Security/SecBase.h>

#include <openssl/evp.h>
#include <stdatomic.h>

enum object_type {
    OBJECT_ANY = 0,
    OBJECT_STRING,
    OBJECT_DATA,
    OBJECT_NUMBER,
    OBJECT_BOOLEAN,
    OBJECT_ARRAY,
    OBJECT_DICTIONARY,
    OBJECT_ERROR,
    OBJECT_ALLOCATOR,
    OBJECT_KEY,
    OBJECT_CERTIFICATE,
    OBJECT_ACCESS_CONTROL,
    OBJECT_KEYCHAIN,
    OBJECT_TYPES
};

/* Every object begins so. */
struct object {
    unsigned mark;
    enum object_type type;
    atomic_long references; /* negative: a constant, never freed */
    struct object *next;    /* of the released ones */
};
#define OBJECT_MARK     0x43464f42u
#define OBJECT_RELEASED 0x52454c53u
#define OBJECT_CONSTANT(type)                                                  \
    {                                                                          \
        OBJECT_MARK, type, -1, NULL                                            \
    }

struct __CFString {
    struct object object;
    char *text;
};

struct __CFDictionary {
    struct object object;
    CFIndex count;
    const void **keys;
    const void **values;
};

#define SHA1_SIZE 20

/* Of the file-based keychain if file[0] is set: the item's file. */
struct __SecKey {
    struct object object;
    EVP_PKEY *key;
    bool private;
    char file[64];
};

/* A new object of size octets, referenced once; NULL if it is to fail. */
void *double_new(size_t size, enum object_type type);
/* The object, if it is a living one of that type; else ends the process. */
void *double_checked(const void *object, enum object_type type);
const char *double_type_name(enum object_type type);
/* The text of a CFString. */
const char *double_text(CFStringRef string);
/* Frees what an object of Security holds. */
void double_destroy(struct object *object);
/* Living objects of a type, or of all. */
long double_living(enum object_type type);
void double_forget_allocations(void);

/* Says why on stderr and aborts. */
void double_die(const char *what, const char *why) __attribute__((noreturn));
/* Appends a line to the report, if there is one. */
void double_report(const char *what, const char *detail);
/* Every function of Security calls it first: the status with which this call is
 * to fail, or errSecSuccess.  Ends a process that forked without exec. */
OSStatus double_enter(const char *function);
/* The same check for the last release of an object of Security. */
void double_refuse_child(const char *function);
void double_count_private_attempt(const char *function);
OSSL_LIB_CTX *double_library(void);
/* Sets *error, if wanted, to status. */
void double_set_error(CFErrorRef *error, OSStatus status);
/* The program that asks. */
const char *double_program(void);

/* One item of the keychain. */
struct item {
    char file[64];
    EVP_PKEY *key; /* NULL: a certificate */
    unsigned char *certificate;
    size_t certificate_len;
    bool private;
    bool extractable;
    bool sensitive;
    unsigned char hash[SHA1_SIZE]; /* of the public key, as the label has it */
    char *label;
    char *tag;
    char *trusted; /* programs, each ended by a newline; NULL: all */
};
struct items {
    struct item *list;
    size_t count;
};

/* The keychain's folder, taken for this process until keychain_leave(). */
OSStatus keychain_enter(int *lock);
void keychain_leave(int lock);
OSStatus keychain_read(struct items *items);
void keychain_free(struct items *items);
/* errSecDuplicateItem if there is one of that class and key. Sets item->file.
 */
OSStatus keychain_add(struct item *item);
OSStatus keychain_replace(const struct item *item);
OSStatus keychain_remove(const struct item *item);
/* Removes the folder that this process made. */
void keychain_destroy_own(void);
bool keychain_is_locked(void);
void keychain_set_locked(bool locked);
/* The SHA-1 by which keychains know a key. */
void keychain_hash(EVP_PKEY *key, unsigned char hash[SHA1_SIZE]);
/* The public key as the keychain has it: PKCS#1, or the point. Its size, or 0;
 * *bytes is to be freed by OPENSSL_free(). */
size_t keychain_public_bytes(EVP_PKEY *key, unsigned char **bytes);

/* Unlocks the keychain, asking if that is allowed. */
OSStatus double_unlock(void);
/* Whether this program may use the private key. */
OSStatus double_permit(struct item *item);
void double_keychain_reset(void);

/* A reference to an item, or to a key that is in no keychain (file NULL). */
SecKeyRef double_key_new(EVP_PKEY *key, bool private, const char *file);
/* What SecKeyCopyAttributes and queries tell; item may be NULL. */
CFMutableDictionaryRef double_key_attributes(EVP_PKEY *key, bool private,
                                             const struct item *item);
/* Aborts on a key of dictionary that is not among the n of allowed. */
void double_only(const char *function, CFDictionaryRef dictionary,
                 const CFStringRef *allowed, size_t n);
#define DOUBLE_ONLY(function, dictionary, ...)                                 \
    do {                                                                       \
        const CFStringRef allowed_[] = {__VA_ARGS__};                          \
        double_only(function, dictionary, allowed_,                            \
                    sizeof(allowed_) / sizeof(allowed_[0]));                   \
    } while (0)
/* A true boolean there. */
bool double_is_true(CFDictionaryRef dictionary, CFStringRef key);
/* Equal objects, the first of which may be missing. */
bool double_is(CFTypeRef value, CFTypeRef wanted);
/* Ends the process unless the dictionary says which keychain; true for the
 * data protection keychain, which wants entitlements. */
bool double_wants_data_protection(const char *function,
                                  CFDictionaryRef dictionary);

#endif
