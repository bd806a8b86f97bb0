/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * use_double make|sign|ask|leak LABEL: one use of the double's keychain in a
 * process of its own.  Prints the OSStatus.
 */
#include <Security/SecItem.h>
#include <Security/SecKey.h>

#include <stdio.h>
#include <string.h>

static CFMutableDictionaryRef new_dictionary(CFStringRef label)
{
    CFMutableDictionaryRef all =
        CFDictionaryCreateMutable(NULL, 0, &kCFTypeDictionaryKeyCallBacks,
                                  &kCFTypeDictionaryValueCallBacks);

    CFDictionarySetValue(all, kSecAttrLabel, label);
    CFDictionarySetValue(all, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    return all;
}

static OSStatus status_of(CFErrorRef error)
{
    OSStatus status =
        error == NULL ? errSecAllocate : (OSStatus)CFErrorGetCode(error);

    if (error != NULL)
        CFRelease(error);
    return status;
}

static OSStatus make(CFStringRef label)
{
    CFMutableDictionaryRef all = new_dictionary(label);
    CFMutableDictionaryRef private =
        CFDictionaryCreateMutable(NULL, 0, &kCFTypeDictionaryKeyCallBacks,
                                  &kCFTypeDictionaryValueCallBacks);
    int bits = 256;
    CFNumberRef size = CFNumberCreate(NULL, kCFNumberIntType, &bits);
    CFErrorRef error = NULL;
    SecKeyRef key;

    CFDictionarySetValue(private, kSecAttrIsPermanent, kCFBooleanTrue);
    CFDictionarySetValue(all, kSecPrivateKeyAttrs, private);
    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeECSECPrimeRandom);
    CFDictionarySetValue(all, kSecAttrKeySizeInBits, size);
    key = SecKeyCreateRandomKey(all, &error);
    CFRelease(size);
    CFRelease(private);
    CFRelease(all);
    if (key == NULL)
        return status_of(error);
    CFRelease(key);
    return errSecSuccess;
}

static OSStatus find(CFStringRef label, SecKeyRef *key)
{
    CFMutableDictionaryRef query = new_dictionary(label);
    CFTypeRef found = NULL;
    OSStatus status;

    CFDictionarySetValue(query, kSecClass, kSecClassKey);
    CFDictionarySetValue(query, kSecAttrKeyClass, kSecAttrKeyClassPrivate);
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    status = SecItemCopyMatching(query, &found);
    CFRelease(query);
    *key = (SecKeyRef)(uintptr_t)found;
    return status;
}

static OSStatus sign(SecKeyRef key)
{
    CFDataRef input = CFDataCreate(NULL, (const UInt8[32]){7}, 32);
    CFErrorRef error = NULL;
    CFDataRef signature;

    if (input == NULL)
        return errSecAllocate;
    signature = SecKeyCreateSignature(
        key, kSecKeyAlgorithmECDSASignatureDigestX962, input, &error);
    CFRelease(input);
    if (signature == NULL)
        return status_of(error);
    CFRelease(signature);
    return errSecSuccess;
}

static OSStatus ask(SecKeyRef key)
{
    CFErrorRef error = NULL;
    CFDataRef data = SecKeyCopyExternalRepresentation(key, &error);

    if (data == NULL)
        return status_of(error);
    CFRelease(data);
    return errSecSuccess;
}

static OSStatus use(const char *what, CFStringRef label)
{
    OSStatus status;
    SecKeyRef key;

    if (strcmp(what, "make") == 0)
        return make(label);
    status = find(label, &key);
    if (status != errSecSuccess)
        return status;
    if (strcmp(what, "leak") == 0)
        return status;
    status = strcmp(what, "ask") == 0 ? ask(key) : sign(key);
    CFRelease(key);
    return status;
}

int main(int argc, char **argv)
{
    CFStringRef label;

    if (argc != 3)
        return 2;
    label = CFStringCreateWithCString(NULL, argv[2], kCFStringEncodingUTF8);
    if (label == NULL) {
        puts("no label");
        return 1;
    }
    printf("%d\n", (int)use(argv[1], label));
    CFRelease(label);
    return 0;
}
