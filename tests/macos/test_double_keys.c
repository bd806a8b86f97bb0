/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keys: generation, import, the two halves, what may be asked.
 */
#include "double_test.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const CFStringRef *type;
    int bits;
} kinds[] = {{&kSecAttrKeyTypeRSA, 1024},
             {&kSecAttrKeyTypeECSECPrimeRandom, 256},
             {&kSecAttrKeyTypeECSECPrimeRandom, 384},
             {&kSecAttrKeyTypeECSECPrimeRandom, 521}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool has_line(const char *suffix, const char *line)
{
    char *found = item_line(suffix, line);
    bool has = found != NULL;

    free(found);
    return has;
}

static void generated_keys_have_two_halves(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        SecKeyRef key = make_key(*kinds[i].type, kinds[i].bits);
        EVP_PKEY *half = public_half(key);

        assert_int_equal(EVP_PKEY_get_bits(half), kinds[i].bits);
        assert_int_equal(SecKeyGetBlockSize(key), (kinds[i].bits + 7) / 8);
        assert_int_equal(count_items(), 2 * (i + 1));
        EVP_PKEY_free(half);
        CFRelease(key);
    }
    assert_true(has_line(".private", "extractable: no"));
    assert_true(has_line(".private", "label: made"));
    assert_int_equal(macos_double_private_attempts(), 0);
}

static bool is_extractable(CFMutableDictionaryRef generation)
{
    SecKeyRef key;

    macos_double_reset();
    key = SecKeyCreateRandomKey(generation, NULL);
    assert_non_null(key);
    CFRelease(key);
    CFRelease(generation);
    return has_line(".private", "extractable: yes");
}

/* Trap: the attribute counts in the outer dictionary alone, and its absence
 * means yes. */
static void where_not_extractable_counts(void **state)
{
    CFMutableDictionaryRef right, wrong = new_dictionary();
    CFMutableDictionaryRef inner = new_dictionary();
    CFStringRef type = kSecAttrKeyTypeECSECPrimeRandom;
    int bits = 256;

    (void)state;
    right = new_generation(type, bits);
    assert_false(is_extractable(right));
    right = new_generation(type, bits);
    CFDictionarySetValue(right, kSecAttrIsExtractable, kCFBooleanTrue);
    assert_true(is_extractable(right));

    CFDictionarySetValue(inner, kSecAttrIsPermanent, kCFBooleanTrue);
    CFDictionarySetValue(inner, kSecAttrIsExtractable, kCFBooleanFalse);
    CFDictionarySetValue(wrong, kSecAttrKeyType, type);
    set_owned(wrong, kSecAttrKeySizeInBits,
              CFNumberCreate(NULL, kCFNumberIntType, &bits));
    CFDictionarySetValue(wrong, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    set_owned(wrong, kSecPrivateKeyAttrs, inner);
    assert_true(is_extractable(wrong));
}

static void sizes_that_are_not_made(void **state)
{
    static const struct {
        const CFStringRef *type;
        int bits;
    } bad[] = {{&kSecAttrKeyTypeRSA, 512},
               {&kSecAttrKeyTypeRSA, 8192},
               {&kSecAttrKeyTypeECSECPrimeRandom, 255},
               {&kSecAttrLabel, 256}};
    CFErrorRef error = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CFMutableDictionaryRef all = new_generation(*bad[i].type, bad[i].bits);

        assert_null(SecKeyCreateRandomKey(all, &error));
        assert_int_equal(take_error(&error), errSecParam);
        CFRelease(all);
    }
    assert_int_equal(count_items(), 0);
}

static void what_wants_an_entitlement(void **state)
{
    CFStringRef keys[] = {kSecUseDataProtectionKeychain, kSecAttrTokenID};
    CFTypeRef values[] = {kCFBooleanTrue, kSecAttrTokenIDSecureEnclave};
    CFErrorRef error = NULL;

    (void)state;
    for (int i = 0; i < 2; i++) {
        CFMutableDictionaryRef all =
            new_generation(kSecAttrKeyTypeECSECPrimeRandom, 256);
        CFMutableDictionaryRef query = new_query();

        CFDictionarySetValue(all, keys[i], values[i]);
        CFDictionarySetValue(query, keys[i], values[i]);
        assert_null(SecKeyCreateRandomKey(all, &error));
        assert_int_equal(take_error(&error), errSecMissingEntitlement);
        assert_int_equal(SecItemCopyMatching(query, NULL), errSecItemNotFound);
        assert_int_equal(SecItemDelete(query), errSecMissingEntitlement);
        CFRelease(query);
        CFRelease(all);
    }
}

/* The label under which the keychain finds the key, computed here from the
 * public half alone. */
static void check_label(SecKeyRef key, EVP_PKEY *half)
{
    CFMutableDictionaryRef query = new_query();
    unsigned char *bytes = NULL, hash[20];
    CFTypeRef found = NULL;
    size_t size;

    size = EVP_PKEY_is_a(half, "RSA")
               ? (size_t)i2d_PublicKey(half, &bytes)
               : EVP_PKEY_get1_encoded_public_key(half, &bytes);
    assert_int_equal(EVP_Q_digest(NULL, "SHA1", NULL, bytes, size, hash, NULL),
                     1);
    OPENSSL_free(bytes);
    set_owned(query, kSecAttrApplicationLabel, CFDataCreate(NULL, hash, 20));
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    assert_int_equal(SecItemCopyMatching(query, &found), errSecSuccess);
    assert_int_equal(CFGetTypeID(found), SecKeyGetTypeID());
    assert_int_equal(SecKeyGetBlockSize((SecKeyRef)(uintptr_t)found),
                     SecKeyGetBlockSize(key));
    CFRelease(found);
    hash[7] ^= 1;
    set_owned(query, kSecAttrApplicationLabel, CFDataCreate(NULL, hash, 20));
    assert_int_equal(SecItemCopyMatching(query, &found), errSecItemNotFound);
    CFRelease(query);
}

static void check_import(EVP_PKEY *pkey, bool extractable)
{
    CFDataRef der = type_specific(pkey);
    SecKeyRef key = NULL;

    assert_int_equal(import_key(der, kSecItemTypePrivateKey, extractable, &key),
                     errSecSuccess);
    check_label(key, pkey);
    assert_null(SecKeyCopyPublicKey(key));
    assert_int_equal(import_key(der, kSecItemTypePrivateKey, false, NULL),
                     errSecDuplicateItem);
    assert_true(has_line(".private",
                         extractable ? "extractable: yes" : "extractable: no"));
    CFRelease(key);
    CFRelease(der);
}

static void imported_keys_are_found_by_label(void **state)
{
    EVP_PKEY *rsa = new_pkey("RSA", 2048, NULL);
    EVP_PKEY *p256 = new_pkey("EC", 0, "P-256");
    EVP_PKEY *p521 = new_pkey("EC", 0, "P-521");

    (void)state;
    check_import(rsa, false);
    macos_double_reset();
    check_import(p256, true);
    macos_double_reset();
    /* However the file has the point, the label is that of the long form. */
    assert_int_equal(
        EVP_PKEY_set_utf8_string_param(
            p521, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
        1);
    check_import(p521, false);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p521);
}

/* The public half of an imported key is an item only if it was imported. */
static void the_public_half_is_imported_apart(void **state)
{
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-384"), *half;
    CFDataRef der = type_specific(pkey), public;
    unsigned char *spki = NULL;
    int size = i2d_PUBKEY(pkey, &spki);
    SecKeyRef key = NULL;

    (void)state;
    public = CFDataCreate(NULL, spki, size);
    assert_int_equal(import_key(der, kSecItemTypePrivateKey, false, &key),
                     errSecSuccess);
    assert_int_equal(import_key(public, kSecItemTypePublicKey, true, NULL),
                     errSecSuccess);
    half = public_half(key);
    assert_int_equal(EVP_PKEY_eq(half, pkey), 1);
    EVP_PKEY_free(half);
    EVP_PKEY_free(pkey);
    OPENSSL_free(spki);
    CFRelease(public);
    CFRelease(der);
    CFRelease(key);
}

static void what_is_not_imported(void **state)
{
    EVP_PKEY *ec = new_pkey("EC", 0, "P-256");
    EVP_PKEY *small = new_pkey("RSA", 512, NULL);
    EVP_PKEY *odd = new_pkey("EC", 0, "secp256k1");
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(ec);
    unsigned char *bytes = NULL;
    int size = i2d_PKCS8_PRIV_KEY_INFO(info, &bytes);
    CFDataRef open = CFDataCreate(NULL, bytes, size);
    CFDataRef cut, few = type_specific(small), other = type_specific(odd);
    CFDataRef whole = type_specific(ec);

    (void)state;
    cut =
        CFDataCreate(NULL, CFDataGetBytePtr(whole), CFDataGetLength(whole) - 2);
    assert_int_equal(import_key(open, kSecItemTypePrivateKey, false, NULL),
                     errSecUnknownFormat);
    assert_int_equal(import_key(cut, kSecItemTypePrivateKey, false, NULL),
                     errSecUnknownFormat);
    assert_int_equal(import_key(few, kSecItemTypePrivateKey, false, NULL),
                     errSecKeySizeNotAllowed);
    assert_int_equal(import_key(other, kSecItemTypePrivateKey, false, NULL),
                     errSecKeySizeNotAllowed);
    assert_int_equal(count_items(), 0);
    CFRelease(open);
    CFRelease(cut);
    CFRelease(few);
    CFRelease(other);
    CFRelease(whole);
    OPENSSL_free(bytes);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(small);
    EVP_PKEY_free(odd);
}

static void a_public_key_tells_what_it_is(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, 384);
    SecKeyRef public = SecKeyCopyPublicKey(key);
    CFDictionaryRef all = SecKeyCopyAttributes(public);
    CFTypeRef type = CFDictionaryGetValue(all, kSecAttrKeyType);
    int bits = 0;

    (void)state;
    assert_true(CFEqual(type, kSecAttrKeyTypeECSECPrimeRandom));
    /* Equal, but not the constant itself. */
    assert_ptr_not_equal(type, kSecAttrKeyTypeECSECPrimeRandom);
    assert_true(
        CFNumberGetValue(CFDictionaryGetValue(all, kSecAttrKeySizeInBits),
                         kCFNumberIntType, &bits));
    assert_int_equal(bits, 384);
    assert_int_equal(macos_double_private_attempts(), 0);
    CFRelease(all);
    CFRelease(public);
    CFRelease(key);
}

static void asking_for_private_bytes_is_counted(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, 256);
    CFMutableDictionaryRef query = new_query();
    CFErrorRef error = NULL;
    CFTypeRef result = NULL;
    CFDataRef data = NULL;

    (void)state;
    assert_null(SecKeyCopyExternalRepresentation(key, &error));
    assert_int_equal(take_error(&error), errSecDataNotAvailable);
    assert_int_equal(macos_double_private_attempts(), 1);
    CFRelease(SecKeyCopyAttributes(key));
    assert_int_equal(macos_double_private_attempts(), 2);
    assert_int_equal(SecItemExport(key, kSecFormatOpenSSL, 0, NULL, &data),
                     errSecDataNotAvailable);
    assert_int_equal(macos_double_private_attempts(), 3);
    CFDictionarySetValue(query, kSecReturnData, kCFBooleanTrue);
    assert_int_equal(SecItemCopyMatching(query, &result),
                     errSecDataNotAvailable);
    assert_int_equal(macos_double_private_attempts(), 4);
    CFRelease(query);
    CFRelease(key);
}

static void points_are_checked(void **state)
{
    CFMutableDictionaryRef all = new_dictionary();
    EVP_PKEY *pkey = new_pkey("EC", 0, "P-256");
    unsigned char *bytes = NULL;
    size_t size = EVP_PKEY_get1_encoded_public_key(pkey, &bytes);
    CFErrorRef error = NULL;
    CFDataRef data;

    (void)state;
    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeECSECPrimeRandom);
    CFDictionarySetValue(all, kSecAttrKeyClass, kSecAttrKeyClassPublic);
    bytes[size - 1] ^= 1;
    data = CFDataCreate(NULL, bytes, (CFIndex)size);
    assert_null(SecKeyCreateWithData(data, all, &error));
    assert_int_equal(take_error(&error), errSecParam);
    CFRelease(data);
    data = CFDataCreate(NULL, bytes, (CFIndex)size - 1);
    assert_null(SecKeyCreateWithData(data, all, NULL));
    CFRelease(data);
    CFRelease(all);
    OPENSSL_free(bytes);
    EVP_PKEY_free(pkey);
}

/* A key that came as bytes would go where entitlements are wanted. */
static void adding_a_key_made_of_bytes(void **state)
{
    EVP_PKEY *pkey = new_pkey("RSA", 1024, NULL);
    CFMutableDictionaryRef all = new_dictionary();
    unsigned char *bytes = NULL;
    int size = i2d_PublicKey(pkey, &bytes);
    CFDataRef data = CFDataCreate(NULL, bytes, size);
    SecKeyRef key;

    (void)state;
    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeRSA);
    CFDictionarySetValue(all, kSecAttrKeyClass, kSecAttrKeyClassPublic);
    key = SecKeyCreateWithData(data, all, NULL);
    assert_non_null(key);
    CFRelease(all);
    all = new_dictionary();
    set_owned(all, kSecValueRef, key);
    assert_int_equal(SecItemAdd(all, NULL), errSecMissingEntitlement);
    CFRelease(all);
    CFRelease(data);
    OPENSSL_free(bytes);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBLE_TEST(generated_keys_have_two_halves),
        DOUBLE_TEST(where_not_extractable_counts),
        DOUBLE_TEST(sizes_that_are_not_made),
        DOUBLE_TEST(what_wants_an_entitlement),
        DOUBLE_TEST(imported_keys_are_found_by_label),
        DOUBLE_TEST(the_public_half_is_imported_apart),
        DOUBLE_TEST(what_is_not_imported),
        DOUBLE_TEST(a_public_key_tells_what_it_is),
        DOUBLE_TEST(asking_for_private_bytes_is_counted),
        DOUBLE_TEST(points_are_checked),
        DOUBLE_TEST(adding_a_key_made_of_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
