/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keychain: found, renamed, deleted; locked, denied, gone; what
 * fails on request.
 */
#include "double_test.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EC kSecAttrKeyTypeECSECPrimeRandom

static OSStatus sign(SecKeyRef key)
{
    CFDataRef input = CFDataCreate(NULL, (const UInt8[32]){1}, 32);
    CFErrorRef error = NULL;
    CFDataRef signature = SecKeyCreateSignature(
        key, kSecKeyAlgorithmECDSASignatureDigestX962, input, &error);

    CFRelease(input);
    if (signature == NULL)
        return take_error(&error);
    CFRelease(signature);
    return errSecSuccess;
}

static CFMutableDictionaryRef labelled(const char *label)
{
    CFMutableDictionaryRef query = new_query();

    set_owned(query, kSecAttrLabel, new_string(label));
    return query;
}

static void *sign_often(void *key)
{
    for (int i = 0; i < 20; i++)
        if (sign(key) != errSecSuccess)
            return key;
    return NULL;
}

static void threads_share_a_key(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    pthread_t threads[4];
    void *failed;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, key), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    CFRelease(key);
}

static void all_matches_are_listed(void **state)
{
    SecKeyRef one = make_key(EC, 256), two = make_key(kSecAttrKeyTypeRSA, 1024);
    CFMutableDictionaryRef query = labelled("made");
    CFTypeRef result = NULL, item;

    (void)state;
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecReturnAttributes, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitAll);
    assert_int_equal(SecItemCopyMatching(query, &result), errSecSuccess);
    assert_int_equal(CFArrayGetCount(result), 2);
    for (CFIndex i = 0; i < 2; i++) {
        item = CFArrayGetValueAtIndex(result, i);
        assert_int_equal(CFGetTypeID(CFDictionaryGetValue(item, kSecValueRef)),
                         SecKeyGetTypeID());
        assert_int_equal(CFDataGetLength(CFDictionaryGetValue(
                             item, kSecAttrApplicationLabel)),
                         20);
        assert_ptr_equal(CFDictionaryGetValue(item, kSecAttrIsExtractable),
                         kCFBooleanFalse);
    }
    CFRelease(result);
    CFDictionarySetValue(query, kSecAttrKeyType, kSecAttrKeyTypeRSA);
    assert_int_equal(SecItemCopyMatching(query, &result), errSecSuccess);
    assert_int_equal(CFArrayGetCount(result), 1);
    CFRelease(result);
    CFRelease(query);
    CFRelease(one);
    CFRelease(two);
}

static void items_are_renamed_and_deleted(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef old = labelled("made"), new = labelled("new");
    CFMutableDictionaryRef change = new_dictionary();

    (void)state;
    set_owned(change, kSecAttrLabel, new_string("new"));
    assert_int_equal(SecItemUpdate(old, change), errSecSuccess);
    assert_int_equal(SecItemUpdate(old, change), errSecItemNotFound);
    assert_int_equal(SecItemDelete(old), errSecItemNotFound);
    assert_int_equal(sign(key), errSecSuccess);
    assert_int_equal(SecItemDelete(new), errSecSuccess);
    assert_int_equal(SecItemCopyMatching(new, NULL), errSecItemNotFound);
    /* The public half is an item of its own. */
    assert_int_equal(count_items(), 1);
    assert_int_equal(sign(key), errSecInvalidItemRef);
    CFRelease(change);
    CFRelease(old);
    CFRelease(new);
    CFRelease(key);
}

/* Without a class both halves match. */
static void a_query_without_class_finds_both(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef query = new_dictionary();

    (void)state;
    CFDictionarySetValue(query, kSecClass, kSecClassKey);
    CFDictionarySetValue(query, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    assert_int_equal(SecItemDelete(query), errSecSuccess);
    assert_int_equal(count_items(), 0);
    CFRelease(query);
    CFRelease(key);
}

static void put_file(const char *name, EVP_PKEY *key, X509 *certificate)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", macos_double_folder(), name);
    file = fopen(path, "w");
    assert_non_null(file);
    if (certificate != NULL)
        assert_int_equal(PEM_write_X509(file, certificate), 1);
    else
        assert_int_equal(
            PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

/* A file that a test puts there is an item; two of one key are found twice. */
static void an_item_twice(void **state)
{
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-256");
    CFMutableDictionaryRef query = new_query();
    CFTypeRef result = NULL;

    (void)state;
    put_file("one.pem", pkey, NULL);
    put_file("two.pem", pkey, NULL);
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitAll);
    assert_int_equal(SecItemCopyMatching(query, &result), errSecSuccess);
    assert_int_equal(CFArrayGetCount(result), 2);
    CFRelease(result);
    CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitOne);
    assert_int_equal(SecItemCopyMatching(query, &result), errSecSuccess);
    macos_double_program("/bin/whoever");
    assert_int_equal(sign((SecKeyRef)(uintptr_t)result), errSecSuccess);
    CFRelease(result);
    CFRelease(query);
    EVP_PKEY_free(pkey);
}

static X509 *self_signed(EVP_PKEY *pkey)
{
    X509 *certificate = X509_new();

    X509_set_pubkey(certificate, pkey);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_int_not_equal(X509_sign(certificate, pkey, EVP_sha256()), 0);
    return certificate;
}

static void certificates_are_found_by_their_key(void **state)
{
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-256");
    X509 *certificate = self_signed(pkey);
    CFMutableDictionaryRef query = new_dictionary();
    unsigned char *der = NULL, *bytes = NULL, hash[20];
    int size = i2d_X509(certificate, &der);
    size_t length = EVP_PKEY_get1_encoded_public_key(pkey, &bytes);
    CFTypeRef result = NULL;
    CFDataRef data;

    (void)state;
    put_file("mine.cer", NULL, certificate);
    EVP_Q_digest(NULL, "SHA1", NULL, bytes, length, hash, NULL);
    CFDictionarySetValue(query, kSecClass, kSecClassCertificate);
    CFDictionarySetValue(query, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    set_owned(query, kSecAttrPublicKeyHash, CFDataCreate(NULL, hash, 20));
    assert_int_equal(SecItemCopyMatching(query, &result), errSecSuccess);
    assert_int_equal(CFGetTypeID(result), SecCertificateGetTypeID());
    data = SecCertificateCopyData((SecCertificateRef)(uintptr_t)result);
    assert_int_equal(CFDataGetLength(data), size);
    assert_memory_equal(CFDataGetBytePtr(data), der, (size_t)size);
    CFRelease(data);
    CFRelease(result);
    hash[0] ^= 1;
    set_owned(query, kSecAttrPublicKeyHash, CFDataCreate(NULL, hash, 20));
    assert_int_equal(SecItemCopyMatching(query, &result), errSecItemNotFound);
    CFRelease(query);
    OPENSSL_free(der);
    OPENSSL_free(bytes);
    X509_free(certificate);
    EVP_PKEY_free(pkey);
}

static bool is_unlocked(void)
{
    SecKeychainStatus flags = 0;

    assert_int_equal(SecKeychainGetStatus(NULL, &flags), errSecSuccess);
    assert_int_equal(flags & kSecReadPermStatus, kSecReadPermStatus);
    return (flags & kSecUnlockStateStatus) != 0;
}

static void a_locked_keychain(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef query = new_query();
    Boolean allowed = true;

    (void)state;
    assert_true(is_unlocked());
    macos_double_lock(true);
    assert_false(is_unlocked());
    /* Looking needs no password. */
    assert_int_equal(SecItemCopyMatching(query, NULL), errSecSuccess);
    assert_int_equal(macos_double_prompts(), 0);
    assert_int_equal(sign(key), errSecInteractionNotAllowed);
    macos_double_answer(MACOS_ANSWER_CANCEL);
    assert_int_equal(sign(key), errSecUserCanceled);
    assert_int_equal(macos_double_prompts(), 2);

    assert_int_equal(SecKeychainSetUserInteractionAllowed(false),
                     errSecSuccess);
    assert_int_equal(SecKeychainGetUserInteractionAllowed(&allowed),
                     errSecSuccess);
    assert_false(allowed);
    assert_int_equal(sign(key), errSecAuthFailed);
    assert_int_equal(macos_double_prompts(), 2);

    SecKeychainSetUserInteractionAllowed(true);
    macos_double_answer(MACOS_ANSWER_ALLOW);
    assert_int_equal(sign(key), errSecSuccess);
    assert_true(is_unlocked());
    CFRelease(query);
    CFRelease(key);
}

static void nothing_is_put_into_a_locked_keychain(void **state)
{
    CFMutableDictionaryRef all = new_generation(EC, 256);
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-256");
    CFDataRef der = type_specific(pkey);
    CFErrorRef error = NULL;

    (void)state;
    macos_double_lock(true);
    assert_null(SecKeyCreateRandomKey(all, &error));
    assert_int_equal(take_error(&error), errSecInteractionNotAllowed);
    assert_int_equal(import_key(der, kSecItemTypePrivateKey, false, NULL),
                     errSecInteractionNotAllowed);
    /* The mark of being locked. */
    assert_int_equal(count_items(), 1);
    CFRelease(der);
    CFRelease(all);
    EVP_PKEY_free(pkey);
}

static void another_program_asks(void **state)
{
    SecKeyRef key = make_key(EC, 256);

    (void)state;
    assert_int_equal(sign(key), errSecSuccess);
    assert_int_equal(macos_double_prompts(), 0);
    macos_double_program("/usr/bin/another");
    assert_int_equal(sign(key), errSecInteractionNotAllowed);
    macos_double_answer(MACOS_ANSWER_DENY);
    assert_int_equal(sign(key), errSecAuthFailed);
    SecKeychainSetUserInteractionAllowed(false);
    assert_int_equal(sign(key), errSecInteractionNotAllowed);
    assert_int_equal(macos_double_prompts(), 2);
    SecKeychainSetUserInteractionAllowed(true);

    macos_double_answer(MACOS_ANSWER_ALLOW);
    assert_int_equal(sign(key), errSecSuccess);
    macos_double_answer(MACOS_ANSWER_ALWAYS);
    assert_int_equal(sign(key), errSecSuccess);
    assert_int_equal(macos_double_prompts(), 4);
    macos_double_answer(MACOS_ANSWER_CANCEL);
    assert_int_equal(sign(key), errSecSuccess);
    /* A program whose name only begins so is another one. */
    macos_double_program("/usr/bin/anoth");
    assert_int_equal(sign(key), errSecUserCanceled);
    CFRelease(key);
}

static void the_keychain_is_gone(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef query = new_query();
    SecKeychainStatus flags;
    SecKeychainRef keychain = NULL;
    char away[512];

    (void)state;
    assert_int_equal(SecKeychainCopyDefault(&keychain), errSecSuccess);
    snprintf(away, sizeof(away), "%s-away", macos_double_folder());
    assert_int_equal(rename(macos_double_folder(), away), 0);
    assert_int_equal(sign(key), errSecNoSuchKeychain);
    assert_int_equal(SecItemCopyMatching(query, NULL), errSecNoSuchKeychain);
    assert_int_equal(SecKeychainGetStatus(NULL, &flags),
                     errSecNoDefaultKeychain);
    assert_int_equal(SecKeychainGetStatus(keychain, &flags),
                     errSecNoSuchKeychain);
    CFRelease(keychain);
    assert_int_equal(SecKeychainCopyDefault(&keychain),
                     errSecNoDefaultKeychain);
    assert_int_equal(rename(away, macos_double_folder()), 0);
    assert_int_equal(sign(key), errSecSuccess);
    CFRelease(query);
    CFRelease(key);
}

static void a_file_that_is_no_item(void **state)
{
    CFMutableDictionaryRef query = new_query();
    char path[512];
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/bad.pem", macos_double_folder());
    file = fopen(path, "w");
    fputs("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
          file);
    fclose(file);
    assert_int_equal(SecItemCopyMatching(query, NULL), errSecInvalidKeychain);
    CFRelease(query);
}

static void functions_fail_as_asked(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef query = new_query();

    (void)state;
    macos_double_fail("SecKeyCreateSignature", errSecUserCanceled, 2);
    assert_int_equal(sign(key), errSecSuccess);
    assert_int_equal(sign(key), errSecUserCanceled);
    assert_int_equal(sign(key), errSecSuccess);
    macos_double_fail("SecItemCopyMatching", errSecAuthFailed, 0);
    assert_int_equal(SecItemCopyMatching(query, NULL), errSecAuthFailed);
    assert_int_equal(SecItemCopyMatching(query, NULL), errSecAuthFailed);
    macos_double_fail("SecKeyCopyPublicKey", errSecParam, 1);
    assert_null(SecKeyCopyPublicKey(key));
    CFRelease(query);
    CFRelease(key);
}

/* With each object in turn not made: an error, nothing left, nothing kept. */
static void objects_that_are_not_made(void **state)
{
    long n = 0;

    (void)state;
    for (bool done = false; !done;) {
        CFMutableDictionaryRef all = new_generation(EC, 256);
        long before = macos_double_allocations();
        SecKeyRef key;

        macos_double_fail_allocation(++n);
        key = SecKeyCreateRandomKey(all, NULL);
        done = macos_double_allocations() - before < n;
        macos_double_fail_allocation(0);
        assert_int_equal(key != NULL, done);
        assert_int_equal(count_items(), done ? 2 : 0);
        if (key != NULL)
            CFRelease(key);
        CFRelease(all);
        assert_int_equal(macos_double_live(), 0);
    }
    assert_true(n > 1);
}

static void an_import_that_is_not_made(void **state)
{
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-256");
    CFDataRef der = type_specific(pkey);
    OSStatus status = errSecAllocate;
    SecKeyRef key = NULL;
    long n;

    (void)state;
    /* The caller's own two objects come first. */
    for (n = 3; status == errSecAllocate; n++) {
        macos_double_fail_allocation(n);
        status = import_key(der, kSecItemTypePrivateKey, false, &key);
        macos_double_fail_allocation(0);
        assert_int_equal(count_items(), status == errSecSuccess ? 1 : 0);
    }
    assert_int_equal(status, errSecSuccess);
    assert_true(n > 4);
    CFRelease(key);
    CFRelease(der);
    EVP_PKEY_free(pkey);
}

static void a_list_that_is_not_made(void **state)
{
    SecKeyRef key = make_key(EC, 256);
    CFMutableDictionaryRef query = new_query();
    CFTypeRef result = NULL;
    OSStatus status = errSecAllocate;

    (void)state;
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecReturnAttributes, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitAll);
    for (long n = 1; status == errSecAllocate; n++) {
        long living = macos_double_live();

        macos_double_fail_allocation(n);
        status = SecItemCopyMatching(query, &result);
        macos_double_fail_allocation(0);
        if (status == errSecSuccess)
            CFRelease(result);
        assert_int_equal(macos_double_live(), living);
    }
    assert_int_equal(status, errSecSuccess);
    CFRelease(query);
    CFRelease(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBLE_TEST(threads_share_a_key),
        DOUBLE_TEST(all_matches_are_listed),
        DOUBLE_TEST(items_are_renamed_and_deleted),
        DOUBLE_TEST(a_query_without_class_finds_both),
        DOUBLE_TEST(an_item_twice),
        DOUBLE_TEST(certificates_are_found_by_their_key),
        DOUBLE_TEST(a_locked_keychain),
        DOUBLE_TEST(nothing_is_put_into_a_locked_keychain),
        DOUBLE_TEST(another_program_asks),
        DOUBLE_TEST(the_keychain_is_gone),
        DOUBLE_TEST(a_file_that_is_no_item),
        DOUBLE_TEST(functions_fail_as_asked),
        DOUBLE_TEST(objects_that_are_not_made),
        DOUBLE_TEST(an_import_that_is_not_made),
        DOUBLE_TEST(a_list_that_is_not_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
