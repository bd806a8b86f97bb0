/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's queries: find, change and delete what the keychain holds.
 */
#include "internal.h"

#include <Security/SecCertificate.h>
#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

struct __SecCertificate {
    struct object object;
    CFDataRef data;
};

void double_destroy(struct object *object)
{
    if (object->type == OBJECT_KEY)
        EVP_PKEY_free(((struct __SecKey *)object)->key);
    if (object->type == OBJECT_CERTIFICATE)
        CFRelease(((struct __SecCertificate *)object)->data);
}

/* ----------------------------------------------------- reading dictionaries */

void double_only(const char *function, CFDictionaryRef dictionary,
                 const CFStringRef *allowed, size_t n)
{
    double_checked(dictionary, OBJECT_DICTIONARY);
    for (CFIndex i = 0; i < dictionary->count; i++) {
        size_t known = 0;

        while (known < n && !CFEqual(dictionary->keys[i], allowed[known]))
            known++;
        if (known == n)
            double_die(function, double_text(dictionary->keys[i]));
    }
}

bool double_is(CFTypeRef value, CFTypeRef wanted)
{
    return value != NULL && CFEqual(value, wanted);
}

bool double_is_true(CFDictionaryRef dictionary, CFStringRef key)
{
    CFTypeRef value = CFDictionaryGetValue(dictionary, key);

    return value != NULL && CFBooleanGetValue(value);
}

bool double_wants_data_protection(const char *function,
                                  CFDictionaryRef dictionary)
{
    if (!CFDictionaryContainsKey(dictionary, kSecUseDataProtectionKeychain))
        double_die(function, "does not say which keychain");
    return double_is_true(dictionary, kSecUseDataProtectionKeychain)
           || CFDictionaryContainsKey(dictionary, kSecAttrTokenID)
           || CFDictionaryContainsKey(dictionary, kSecAttrAccessControl);
}

/* -------------------------------------------------------- what comes back */

/* Takes value over; false if there is none. */
static bool put(CFMutableDictionaryRef dictionary, CFStringRef key,
                CFTypeRef value)
{
    if (value == NULL)
        return false;
    CFDictionarySetValue(dictionary, key, value);
    CFRelease(value);
    return true;
}

/* A string of its own: who compares addresses finds nothing. */
static CFTypeRef copy_of(CFStringRef constant)
{
    return CFStringCreateWithCString(NULL, double_text(constant),
                                     kCFStringEncodingUTF8);
}

static bool put_item(CFMutableDictionaryRef all, const struct item *item)
{
    CFDictionarySetValue(all, kSecAttrIsPermanent, kCFBooleanTrue);
    CFDictionarySetValue(all, kSecAttrIsExtractable,
                         item->extractable ? kCFBooleanTrue : kCFBooleanFalse);
    CFDictionarySetValue(all, kSecAttrIsSensitive,
                         item->sensitive ? kCFBooleanTrue : kCFBooleanFalse);
    if (item->label != NULL
        && !put(all, kSecAttrLabel,
                CFStringCreateWithCString(NULL, item->label,
                                          kCFStringEncodingUTF8)))
        return false;
    return item->tag == NULL
           || put(all, kSecAttrApplicationTag,
                  CFDataCreate(NULL, (const UInt8 *)item->tag,
                               (CFIndex)strlen(item->tag)));
}

static bool put_key(CFMutableDictionaryRef all, EVP_PKEY *key, bool private)
{
    CFIndex bits = EVP_PKEY_get_bits(key);
    unsigned char hash[SHA1_SIZE];

    keychain_hash(key, hash);
    return put(all, kSecClass, copy_of(kSecClassKey))
           && put(all, kSecAttrKeyClass,
                  copy_of(private ? kSecAttrKeyClassPrivate
                                  : kSecAttrKeyClassPublic))
           && put(all, kSecAttrKeyType,
                  copy_of(EVP_PKEY_is_a(key, "RSA")
                              ? kSecAttrKeyTypeRSA
                              : kSecAttrKeyTypeECSECPrimeRandom))
           && put(all, kSecAttrKeySizeInBits,
                  CFNumberCreate(NULL, kCFNumberCFIndexType, &bits))
           && put(all, kSecAttrApplicationLabel,
                  CFDataCreate(NULL, hash, SHA1_SIZE));
}

static CFMutableDictionaryRef new_dictionary(void)
{
    return CFDictionaryCreateMutable(NULL, 0, &kCFTypeDictionaryKeyCallBacks,
                                     &kCFTypeDictionaryValueCallBacks);
}

CFMutableDictionaryRef double_key_attributes(EVP_PKEY *key, bool private,
                                             const struct item *item)
{
    CFMutableDictionaryRef all = new_dictionary();

    if (all == NULL)
        return NULL;
    if (put_key(all, key, private) && (item == NULL || put_item(all, item)))
        return all;
    CFRelease(all);
    return NULL;
}

static CFTypeRef new_certificate(const struct item *item)
{
    struct __SecCertificate *made =
        double_new(sizeof(*made), OBJECT_CERTIFICATE);

    if (made == NULL)
        return NULL;
    /* The bytes are part of the object and not an allocation that fails. */
    made->data =
        CFDataCreate(NULL, item->certificate, (CFIndex)item->certificate_len);
    if (made->data != NULL)
        return made;
    made->data = CFRetain(kCFBooleanTrue);
    CFRelease(made);
    return NULL;
}

CFTypeID SecCertificateGetTypeID(void)
{
    return OBJECT_CERTIFICATE;
}

CFDataRef SecCertificateCopyData(SecCertificateRef certificate)
{
    double_checked(certificate, OBJECT_CERTIFICATE);
    if (double_enter(__func__) != errSecSuccess)
        return NULL;
    return CFDataCreate(NULL, CFDataGetBytePtr(certificate->data),
                        CFDataGetLength(certificate->data));
}

static CFTypeRef reference(const struct item *item)
{
    if (item->certificate != NULL)
        return new_certificate(item);
    return double_key_new(item->key, item->private, item->file);
}

/* A reference, or a dictionary, or a dictionary that has the reference. */
static CFTypeRef answer(CFDictionaryRef query, const struct item *item)
{
    CFMutableDictionaryRef all;

    if (!double_is_true(query, kSecReturnAttributes))
        return reference(item);
    if (item->key == NULL)
        double_die("SecItemCopyMatching", "no attributes of certificates");
    all = double_key_attributes(item->key, item->private, item);
    if (all == NULL || !double_is_true(query, kSecReturnRef)
        || put(all, kSecValueRef, reference(item)))
        return all;
    CFRelease(all);
    return NULL;
}

/* ---------------------------------------------------------------- matching */

static bool same_bytes(CFTypeRef wanted, const unsigned char *bytes,
                       size_t size)
{
    return wanted == NULL
           || (CFDataGetLength(wanted) == (CFIndex)size
               && memcmp(CFDataGetBytePtr(wanted), bytes, size) == 0);
}

static bool matches_key(CFDictionaryRef query, const struct item *item)
{
    CFTypeRef key_class = CFDictionaryGetValue(query, kSecAttrKeyClass);
    CFTypeRef type = CFDictionaryGetValue(query, kSecAttrKeyType);
    CFTypeRef tag = CFDictionaryGetValue(query, kSecAttrApplicationTag);

    if (key_class != NULL
        && item->private != double_is(key_class, kSecAttrKeyClassPrivate))
        return false;
    if (type != NULL
        && double_is(type, kSecAttrKeyTypeRSA)
               != (EVP_PKEY_is_a(item->key, "RSA") == 1))
        return false;
    if (tag != NULL
        && (item->tag == NULL
            || !same_bytes(tag, (const unsigned char *)item->tag,
                           strlen(item->tag))))
        return false;
    return same_bytes(CFDictionaryGetValue(query, kSecAttrApplicationLabel),
                      item->hash, SHA1_SIZE);
}

static bool matches(CFDictionaryRef query, const struct item *item)
{
    CFTypeRef label = CFDictionaryGetValue(query, kSecAttrLabel);
    bool keys = double_is(CFDictionaryGetValue(query, kSecClass), kSecClassKey);

    if (keys != (item->key != NULL))
        return false;
    if (label != NULL
        && (item->label == NULL
            || strcmp(double_text(label), item->label) != 0))
        return false;
    if (keys)
        return matches_key(query, item);
    return same_bytes(CFDictionaryGetValue(query, kSecAttrPublicKeyHash),
                      item->hash, SHA1_SIZE);
}

static void check_query(const char *function, CFDictionaryRef query)
{
    CFTypeRef class = CFDictionaryGetValue(query, kSecClass);

    if (double_is(class, kSecClassKey))
        DOUBLE_ONLY(function, query, kSecClass, kSecAttrKeyClass,
                    kSecAttrKeyType, kSecAttrApplicationLabel,
                    kSecAttrApplicationTag, kSecAttrLabel, kSecAttrTokenID,
                    kSecUseDataProtectionKeychain, kSecReturnRef,
                    kSecReturnAttributes, kSecReturnData, kSecMatchLimit);
    else if (double_is(class, kSecClassCertificate))
        DOUBLE_ONLY(function, query, kSecClass, kSecAttrPublicKeyHash,
                    kSecAttrLabel, kSecUseDataProtectionKeychain, kSecReturnRef,
                    kSecMatchLimit);
    else
        double_die(function, "asks neither for keys nor for certificates");
}

/* Calls use for each item that matches, until it fails; errSecItemNotFound if
 * none does. */
static OSStatus each_match(CFDictionaryRef query,
                           OSStatus (*use)(struct item *item, void *argument),
                           void *argument)
{
    OSStatus status, found = errSecItemNotFound;
    struct items items;
    int lock;

    status = keychain_enter(&lock);
    if (status != errSecSuccess)
        return status;
    ERR_set_mark();
    status = keychain_read(&items);
    if (status == errSecSuccess) {
        for (size_t i = 0; i < items.count && status == errSecSuccess; i++)
            if (matches(query, &items.list[i]))
                found = status = use(&items.list[i], argument);
        keychain_free(&items);
    }
    ERR_pop_to_mark();
    keychain_leave(lock);
    return status == errSecSuccess ? found : status;
}

/* ----------------------------------------------------------------- finding */

struct search {
    CFDictionaryRef query;
    bool all;
    CFMutableArrayRef array;
    CFTypeRef one;
};

static OSStatus collect(struct item *item, void *argument)
{
    struct search *search = argument;
    CFTypeRef result;

    if (search->one != NULL)
        return errSecSuccess;
    result = answer(search->query, item);
    if (result == NULL)
        return errSecAllocate;
    if (!search->all) {
        search->one = result;
        return errSecSuccess;
    }
    CFArrayAppendValue(search->array, result);
    CFRelease(result);
    return errSecSuccess;
}

static OSStatus exists(struct item *item, void *argument)
{
    (void)item;
    (void)argument;
    return errSecSuccess;
}

static OSStatus find(CFDictionaryRef query, CFTypeRef *result)
{
    struct search search = {.query = query};
    OSStatus status;

    search.all = double_is(CFDictionaryGetValue(query, kSecMatchLimit),
                           kSecMatchLimitAll);
    if (search.all) {
        search.array = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
        if (search.array == NULL)
            return errSecAllocate;
    }
    status = each_match(query, collect, &search);
    if (status == errSecSuccess) {
        *result = search.all ? search.array : search.one;
        return status;
    }
    if (search.array != NULL)
        CFRelease(search.array);
    if (search.one != NULL)
        CFRelease(search.one);
    return status;
}

OSStatus SecItemCopyMatching(CFDictionaryRef query, CFTypeRef *result)
{
    OSStatus status = double_enter(__func__);

    check_query(__func__, query);
    if (double_is_true(query, kSecReturnData)) {
        double_count_private_attempt(__func__);
        return errSecDataNotAvailable;
    }
    if (status != errSecSuccess)
        return status;
    /* Everybody may look there; without entitlements there is nothing. */
    if (double_wants_data_protection(__func__, query))
        return errSecItemNotFound;
    if (result == NULL
        || (!double_is_true(query, kSecReturnRef)
            && !double_is_true(query, kSecReturnAttributes)))
        return each_match(query, exists, NULL);
    return find(query, result);
}

/* ---------------------------------------------------------------- changing */

static OSStatus relabel(struct item *item, void *argument)
{
    const char *label = double_text(argument);

    if (label[strcspn(label, "\r\n")] != 0)
        double_die(label, "the double has no labels of several lines");
    free(item->label);
    item->label = strdup(label);
    return keychain_replace(item);
}

static OSStatus delete_one(struct item *item, void *argument)
{
    (void)argument;
    return keychain_remove(item);
}

static OSStatus may_change(const char *function, CFDictionaryRef query)
{
    OSStatus status = double_enter(function);

    check_query(function, query);
    if (status == errSecSuccess
        && double_wants_data_protection(function, query))
        status = errSecMissingEntitlement;
    return status;
}

OSStatus SecItemUpdate(CFDictionaryRef query, CFDictionaryRef changes)
{
    OSStatus status = may_change(__func__, query);

    DOUBLE_ONLY(__func__, changes, kSecAttrLabel);
    if (status != errSecSuccess)
        return status;
    return each_match(
        query, relabel,
        (void *)(uintptr_t)CFDictionaryGetValue(changes, kSecAttrLabel));
}

/* Every item that matches, both halves of a key if the class is not said. */
OSStatus SecItemDelete(CFDictionaryRef query)
{
    OSStatus status = may_change(__func__, query);

    if (status != errSecSuccess)
        return status;
    return each_match(query, delete_one, NULL);
}

/* A key that was not found in a file-based keychain goes to the other one. */
OSStatus SecItemAdd(CFDictionaryRef attributes, CFTypeRef *result)
{
    OSStatus status = double_enter(__func__);
    SecKeyRef key;

    (void)result;
    DOUBLE_ONLY(__func__, attributes, kSecClass, kSecValueRef, kSecAttrLabel,
                kSecAttrApplicationTag, kSecAttrIsExtractable,
                kSecUseDataProtectionKeychain);
    key = double_checked(CFDictionaryGetValue(attributes, kSecValueRef),
                         OBJECT_KEY);
    if (status != errSecSuccess)
        return status;
    return key->file[0] == 0 ? errSecMissingEntitlement : errSecDuplicateItem;
}
