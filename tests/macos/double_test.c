/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "double_test.h"

#include <dirent.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int double_setup(void **state)
{
    (void)state;
    macos_double_reset();
    return 0;
}

int double_teardown(void **state)
{
    (void)state;
    if (macos_double_live() != 0)
        fail_msg("%ld objects are left", macos_double_live());
    return 0;
}

static void misuse_in_child(void (*misuse)(void), int output)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    dup2(output, STDERR_FILENO);
    macos_double_reset();
    misuse();
    _exit(0);
}

void expect_abort(void (*misuse)(void), const char *text)
{
    char output[512] = "";
    size_t length = 0;
    int ends[2], status = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        misuse_in_child(misuse, ends[1]);
    close(ends[1]);
    while ((got = read(ends[0], output + length, sizeof(output) - 1 - length))
           > 0)
        length += (size_t)got;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT
        || strstr(output, text) == NULL)
        fail_msg("no abort with \"%s\": status %x, \"%s\"", text,
                 (unsigned)status, output);
}

CFMutableDictionaryRef new_dictionary(void)
{
    return CFDictionaryCreateMutable(NULL, 0, &kCFTypeDictionaryKeyCallBacks,
                                     &kCFTypeDictionaryValueCallBacks);
}

void set_owned(CFMutableDictionaryRef dictionary, CFStringRef key,
               CFTypeRef value)
{
    assert_non_null(value);
    CFDictionarySetValue(dictionary, key, value);
    CFRelease(value);
}

CFStringRef new_string(const char *text)
{
    return CFStringCreateWithCString(NULL, text, kCFStringEncodingUTF8);
}

CFMutableDictionaryRef new_query(void)
{
    CFMutableDictionaryRef query = new_dictionary();

    CFDictionarySetValue(query, kSecClass, kSecClassKey);
    CFDictionarySetValue(query, kSecAttrKeyClass, kSecAttrKeyClassPrivate);
    CFDictionarySetValue(query, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    return query;
}

CFMutableDictionaryRef new_generation(CFStringRef type, int bits)
{
    CFMutableDictionaryRef all = new_dictionary();
    CFMutableDictionaryRef private = new_dictionary();

    CFDictionarySetValue(private, kSecAttrIsPermanent, kCFBooleanTrue);
    CFDictionarySetValue(all, kSecAttrKeyType, type);
    set_owned(all, kSecAttrKeySizeInBits,
              CFNumberCreate(NULL, kCFNumberIntType, &bits));
    set_owned(all, kSecAttrLabel, new_string("made"));
    CFDictionarySetValue(all, kSecAttrIsExtractable, kCFBooleanFalse);
    CFDictionarySetValue(all, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    set_owned(all, kSecPrivateKeyAttrs, private);
    return all;
}

SecKeyRef make_key(CFStringRef type, int bits)
{
    CFMutableDictionaryRef all = new_generation(type, bits);
    SecKeyRef key = SecKeyCreateRandomKey(all, NULL);

    CFRelease(all);
    assert_non_null(key);
    return key;
}

OSStatus take_error(CFErrorRef *error)
{
    OSStatus status;

    assert_non_null(*error);
    assert_true(CFEqual(CFErrorGetDomain(*error), kCFErrorDomainOSStatus));
    status = (OSStatus)CFErrorGetCode(*error);
    CFRelease(*error);
    *error = NULL;
    return status;
}

static EVP_PKEY *point(const UInt8 *bytes, CFIndex size)
{
    const char *curve = size == 65 ? "P-256" : size == 97 ? "P-384" : "P-521";
    OSSL_PARAM parameters[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                         (char *)(uintptr_t)curve, 0),
        OSSL_PARAM_construct_octet_string(
            OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)bytes, (size_t)size),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *public_half(SecKeyRef key)
{
    SecKeyRef public = SecKeyCopyPublicKey(key);
    const unsigned char *bytes;
    CFDataRef data;
    EVP_PKEY *half;

    assert_non_null(public);
    data = SecKeyCopyExternalRepresentation(public, NULL);
    assert_non_null(data);
    bytes = CFDataGetBytePtr(data);
    half = bytes[0] == 4 ? point(bytes, CFDataGetLength(data))
                         : d2i_PublicKey(EVP_PKEY_RSA, NULL, &bytes,
                                         CFDataGetLength(data));
    CFRelease(data);
    CFRelease(public);
    assert_non_null(half);
    return half;
}

EVP_PKEY *new_pkey(const char *type, unsigned bits, const char *curve)
{
    EVP_PKEY *key = curve != NULL
                        ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve)
                        : EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits);

    assert_non_null(key);
    return key;
}

CFDataRef type_specific(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    size_t size = 0;
    CFDataRef data;
    OSSL_ENCODER_CTX *context = OSSL_ENCODER_CTX_new_for_pkey(
        key, EVP_PKEY_KEYPAIR, "DER", "type-specific", NULL);

    assert_int_equal(OSSL_ENCODER_to_data(context, &der, &size), 1);
    data = CFDataCreate(NULL, der, (CFIndex)size);
    OSSL_ENCODER_CTX_free(context);
    OPENSSL_free(der);
    return data;
}

OSStatus import_key(CFDataRef data, SecExternalItemType type, bool extractable,
                    SecKeyRef *key)
{
    const void *names[] = {kSecAttrIsPermanent, kSecAttrIsSensitive,
                           kSecAttrIsExtractable};
    SecItemImportExportKeyParameters parameters = {
        .version = SEC_KEY_IMPORT_EXPORT_PARAMS_VERSION};
    SecExternalFormat format = kSecFormatOpenSSL;
    SecKeychainRef keychain;
    CFArrayRef items = NULL;
    OSStatus status;

    assert_int_equal(SecKeychainCopyDefault(&keychain), errSecSuccess);
    parameters.keyAttributes =
        CFArrayCreate(NULL, names, extractable ? 3 : 2, &kCFTypeArrayCallBacks);
    status = SecItemImport(data, NULL, &format, &type, 0, &parameters, keychain,
                           key == NULL ? NULL : &items);
    if (status == errSecSuccess && key != NULL) {
        assert_int_equal(CFArrayGetCount(items), 1);
        *key = (SecKeyRef)(uintptr_t)CFRetain(CFArrayGetValueAtIndex(items, 0));
        CFRelease(items);
    }
    CFRelease(parameters.keyAttributes);
    CFRelease(keychain);
    return status;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), end = strlen(suffix);

    return length >= end && strcmp(name + length - end, suffix) == 0;
}

/* The first item whose name ends so; the number of them in *count. */
static void find_item(const char *suffix, char path[PATH_MAX], unsigned *count)
{
    DIR *folder = opendir(macos_double_folder());
    struct dirent *entry;

    *count = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' && ends_with(entry->d_name, suffix)
            && (*count)++ == 0)
            snprintf(path, PATH_MAX, "%s/%s", macos_double_folder(),
                     entry->d_name);
    closedir(folder);
}

char *item_line(const char *suffix, const char *begin)
{
    char path[PATH_MAX], line[PATH_MAX], *found = NULL;
    unsigned count;
    FILE *file;

    find_item(suffix, path, &count);
    assert_int_not_equal(count, 0);
    file = fopen(path, "r");
    assert_non_null(file);
    while (found == NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, begin, strlen(begin)) == 0) {
            line[strcspn(line, "\n")] = 0;
            found = strdup(line);
        }
    fclose(file);
    return found;
}

unsigned count_items(void)
{
    char path[PATH_MAX];
    unsigned count;

    find_item("", path, &count);
    return count;
}
