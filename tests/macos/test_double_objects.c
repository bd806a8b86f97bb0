/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's CoreFoundation: what it does, and what it does not let pass.
 */
#include "double_test.h"

#include <sys/wait.h>
#include <unistd.h>

static void release_too_often(void)
{
    CFStringRef string = new_string("once");

    CFRelease(string);
    CFRelease(string);
}

static void release_null(void)
{
    CFRelease(NULL);
}

static void use_another_type(void)
{
    CFDataGetLength((CFDataRef)(const void *)new_string("no data"));
}

static void read_beyond(void)
{
    CFArrayGetValueAtIndex(
        CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks), 0);
}

static void misuse_is_noticed(void **state)
{
    (void)state;
    expect_abort(release_too_often, "object: was released");
    expect_abort(release_null, "is NULL");
    expect_abort(use_another_type, "CFString");
    expect_abort(read_beyond, "beyond the end");
}

static void containers_hold_what_they_have(void **state)
{
    CFMutableArrayRef array =
        CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    CFMutableDictionaryRef dictionary = new_dictionary();
    CFStringRef one = new_string("one"), same = new_string("one");

    (void)state;
    CFArrayAppendValue(array, one);
    CFDictionarySetValue(dictionary, one, one);
    CFDictionarySetValue(dictionary, same, kCFBooleanTrue);
    CFRelease(one);
    assert_int_equal(CFDictionaryGetCount(dictionary), 1);
    assert_ptr_equal(CFDictionaryGetValue(dictionary, same), kCFBooleanTrue);
    assert_true(CFDictionaryContainsKey(dictionary, same));
    assert_true(CFEqual(CFArrayGetValueAtIndex(array, 0), same));
    CFRelease(dictionary);
    CFRelease(array);
    assert_int_equal(macos_double_live(), 1);
    CFRelease(same);
}

static void numbers_and_booleans(void **state)
{
    CFIndex large = 1L << 40, index;
    CFNumberRef number = CFNumberCreate(NULL, kCFNumberCFIndexType, &large);
    int small;

    (void)state;
    assert_true(CFNumberGetValue(number, kCFNumberCFIndexType, &index));
    assert_true(index == large);
    assert_false(CFNumberGetValue(number, kCFNumberIntType, &small));
    assert_true(CFBooleanGetValue(kCFBooleanTrue));
    assert_false(CFBooleanGetValue(kCFBooleanFalse));
    /* Constants outlive every release. */
    CFRelease(kCFBooleanTrue);
    CFRelease(kCFBooleanTrue);
    assert_true(CFBooleanGetValue(kCFBooleanTrue));
    CFRelease(number);
}

static void text_is_utf8(void **state)
{
    static const char *const bad[] = {"\xff", "\xc3", "\xc0\x80", "\xe2\x82"};
    CFStringRef string = new_string("a\xc3\xa4\xf0\x9f\x94\x91");
    char buffer[8];

    (void)state;
    assert_int_equal(CFStringGetLength(string), 4);
    assert_false(CFStringGetCString(string, buffer, 7, kCFStringEncodingUTF8));
    assert_true(CFStringGetCString(string, buffer, 8, kCFStringEncodingUTF8));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(new_string(bad[i]));
    CFRelease(string);
}

static void data_without_a_copy(void **state)
{
    UInt8 bytes[4] = {1, 2, 3, 4};
    CFDataRef copy = CFDataCreate(NULL, bytes, 4);
    CFDataRef same =
        CFDataCreateWithBytesNoCopy(NULL, bytes, 4, kCFAllocatorNull);

    (void)state;
    assert_true(CFEqual(copy, same));
    assert_ptr_equal(CFDataGetBytePtr(same), bytes);
    CFRelease(same);
    assert_int_equal(bytes[0], 1);
    bytes[0] = 9;
    assert_int_equal(CFDataGetBytePtr(copy)[0], 1);
    CFRelease(copy);
}

static void allocations_fail_as_asked(void **state)
{
    CFStringRef first, third;

    (void)state;
    macos_double_fail_allocation(2);
    first = new_string("first");
    assert_null(new_string("second"));
    third = new_string("third");
    assert_non_null(first);
    assert_non_null(third);
    assert_int_equal(macos_double_allocations(), 3);
    assert_int_equal(macos_double_live(), 2);
    CFRelease(first);
    CFRelease(third);
}

static void use_an_unknown_key(void)
{
    CFMutableDictionaryRef query = new_query();

    CFDictionarySetValue(query, kSecAttrIsExtractable, kCFBooleanTrue);
    SecItemCopyMatching(query, NULL);
}

static void name_no_keychain(void)
{
    CFMutableDictionaryRef query = new_dictionary();

    CFDictionarySetValue(query, kSecClass, kSecClassKey);
    SecItemDelete(query);
}

static void leave_the_size_out(void)
{
    CFMutableDictionaryRef all = new_dictionary();

    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeRSA);
    CFDictionarySetValue(all, kSecUseDataProtectionKeychain, kCFBooleanFalse);
    SecKeyCreateRandomKey(all, NULL);
}

static void take_a_private_key_in(void)
{
    CFMutableDictionaryRef all = new_dictionary();

    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeRSA);
    CFDictionarySetValue(all, kSecAttrKeyClass, kSecAttrKeyClassPrivate);
    SecKeyCreateWithData(CFDataCreate(NULL, (const UInt8 *)"", 0), all, NULL);
}

static void queries_are_read_closely(void **state)
{
    (void)state;
    expect_abort(use_an_unknown_key, "SecItemCopyMatching: extr");
    expect_abort(name_no_keychain, "does not say which keychain");
    expect_abort(leave_the_size_out, "kSecAttrKeySizeInBits");
    expect_abort(take_a_private_key_in, "private key in the process");
}

/* A child may neither call nor end the life of a key, but may leave. */
static int in_child(void (*use)(SecKeyRef key), SecKeyRef key)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        close(STDERR_FILENO);
        use(key);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void call_security(SecKeyRef key)
{
    SecKeyGetBlockSize(key);
}

static void release_key(SecKeyRef key)
{
    CFRelease(key);
}

static void keep_away(SecKeyRef key)
{
    (void)key;
    CFRelease(new_string("CoreFoundation alone may be used"));
}

static void a_forked_child_is_refused(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, 256);

    (void)state;
    assert_true(WIFSIGNALED(in_child(call_security, key)));
    assert_true(WIFSIGNALED(in_child(release_key, key)));
    assert_true(WIFEXITED(in_child(keep_away, key)));
    CFRelease(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBLE_TEST(misuse_is_noticed),
        DOUBLE_TEST(containers_hold_what_they_have),
        DOUBLE_TEST(numbers_and_booleans),
        DOUBLE_TEST(text_is_utf8),
        DOUBLE_TEST(data_without_a_copy),
        DOUBLE_TEST(allocations_fail_as_asked),
        DOUBLE_TEST(queries_are_read_closely),
        DOUBLE_TEST(a_forked_child_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
