/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's CoreFoundation: counted objects that notice a release too many,
 * a wrong type and an object that is no more.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct __CFData {
    struct object object;
    CFIndex length;
    UInt8 *bytes;
    bool foreign; /* the creator's bytes: neither copied nor freed */
};
struct __CFNumber {
    struct object object;
    long value;
};
struct __CFBoolean {
    struct object object;
    bool value;
};
struct __CFArray {
    struct object object;
    CFIndex count;
    const void **values;
};
struct __CFError {
    struct object object;
    CFIndex code;
    CFErrorDomain domain;
};
struct __CFAllocator {
    struct object object;
};

static atomic_long living[OBJECT_TYPES];
static atomic_long allocations;
static atomic_long fail_at; /* the allocation that fails; 0: none */

static struct __CFBoolean yes = {OBJECT_CONSTANT(OBJECT_BOOLEAN), true};
static struct __CFBoolean no = {OBJECT_CONSTANT(OBJECT_BOOLEAN), false};
static struct __CFString os_status = {OBJECT_CONSTANT(OBJECT_STRING),
                                      (char[]){"NSOSStatusErrorDomain"}};
static const struct __CFAllocator nothing = {OBJECT_CONSTANT(OBJECT_ALLOCATOR)};

const CFAllocatorRef kCFAllocatorDefault = NULL;
const CFAllocatorRef kCFAllocatorNull = &nothing;
const CFBooleanRef kCFBooleanTrue = &yes;
const CFBooleanRef kCFBooleanFalse = &no;
const CFErrorDomain kCFErrorDomainOSStatus = &os_status;
const CFDictionaryKeyCallBacks kCFTypeDictionaryKeyCallBacks = {0};
const CFDictionaryValueCallBacks kCFTypeDictionaryValueCallBacks = {0};
const CFArrayCallBacks kCFTypeArrayCallBacks = {0};

static const char *const type_names[OBJECT_TYPES] = {
    [OBJECT_ANY] = "object",
    [OBJECT_STRING] = "CFString",
    [OBJECT_DATA] = "CFData",
    [OBJECT_NUMBER] = "CFNumber",
    [OBJECT_BOOLEAN] = "CFBoolean",
    [OBJECT_ARRAY] = "CFArray",
    [OBJECT_DICTIONARY] = "CFDictionary",
    [OBJECT_ERROR] = "CFError",
    [OBJECT_ALLOCATOR] = "CFAllocator",
    [OBJECT_KEY] = "SecKey",
    [OBJECT_CERTIFICATE] = "SecCertificate",
    [OBJECT_ACCESS_CONTROL] = "SecAccessControl",
    [OBJECT_KEYCHAIN] = "SecKeychain"};

const char *double_type_name(enum object_type type)
{
    return type_names[type];
}

/* The double does not test what happens when its own memory ends. */
static void *grown(void *old, size_t size)
{
    void *memory = realloc(old, size == 0 ? 1 : size);

    if (memory == NULL)
        double_die("memory", "the double has none left");
    return memory;
}

void *double_new(size_t size, enum object_type type)
{
    struct object *object;

    if (atomic_fetch_add(&allocations, 1) + 1 == fail_at)
        return NULL;
    object = grown(NULL, size);
    memset(object, 0, size);
    object->mark = OBJECT_MARK;
    object->type = type;
    object->references = 1;
    living[type]++;
    return object;
}

void *double_checked(const void *pointer, enum object_type type)
{
    const struct object *object = pointer;

    if (object == NULL)
        double_die(type_names[type], "is NULL");
    if (object->mark == OBJECT_RELEASED)
        double_die(type_names[type], "was released before");
    if (object->mark != OBJECT_MARK)
        double_die(type_names[type], "is no object");
    if (type != OBJECT_ANY && object->type != type)
        double_die(type_names[type], type_names[object->type]);
    return (void *)(uintptr_t)pointer;
}

long double_living(enum object_type type)
{
    long sum = 0;

    if (type != OBJECT_ANY)
        return living[type];
    for (int i = 0; i < OBJECT_TYPES; i++)
        sum += living[i];
    return sum;
}

void double_forget_allocations(void)
{
    allocations = 0;
    fail_at = 0;
}

long macos_double_live(void)
{
    return double_living(OBJECT_ANY);
}

long macos_double_allocations(void)
{
    return allocations;
}

void macos_double_fail_allocation(long n)
{
    fail_at = n > 0 ? allocations + n : 0;
}

static void only_default(CFAllocatorRef allocator, const char *function)
{
    if (allocator != kCFAllocatorDefault)
        double_die(function, "only the default allocator");
}

CFTypeRef CFRetain(CFTypeRef object)
{
    struct object *counted = double_checked(object, OBJECT_ANY);

    if (counted->references >= 0)
        counted->references++;
    return object;
}

static void release_all(const void **values, CFIndex count)
{
    for (CFIndex i = 0; i < count; i++)
        CFRelease(values[i]);
    free(values);
}

static void free_data(struct __CFData *data)
{
    if (data->foreign)
        return;
    /* A reader of freed memory finds nonsense. */
    memset(data->bytes, 0xdd, (size_t)data->length);
    free(data->bytes);
}

static void empty(struct object *object)
{
    struct __CFDictionary *dictionary = (struct __CFDictionary *)object;
    struct __CFArray *array = (struct __CFArray *)object;

    switch (object->type) {
    case OBJECT_STRING:
        free(((struct __CFString *)object)->text);
        break;
    case OBJECT_DATA:
        free_data((struct __CFData *)object);
        break;
    case OBJECT_ARRAY:
        release_all(array->values, array->count);
        break;
    case OBJECT_DICTIONARY:
        release_all(dictionary->keys, dictionary->count);
        release_all(dictionary->values, dictionary->count);
        break;
    case OBJECT_NUMBER:
    case OBJECT_ERROR:
        break;
    default:
        double_refuse_child("CFRelease");
        double_destroy(object);
    }
}

/* What was released stays, marked: a second release is seen for certain. */
static void bury(struct object *object)
{
    static _Atomic(struct object *) released;

    object->mark = OBJECT_RELEASED;
    object->next = released;
    while (!atomic_compare_exchange_weak(&released, &object->next, object))
        ;
}

void CFRelease(CFTypeRef pointer)
{
    struct object *object = double_checked(pointer, OBJECT_ANY);

    if (object->references < 0)
        return;
    if (atomic_fetch_sub(&object->references, 1) > 1)
        return;
    empty(object);
    living[object->type]--;
    bury(object);
}

CFTypeID CFGetTypeID(CFTypeRef object)
{
    return ((struct object *)double_checked(object, OBJECT_ANY))->type;
}

static bool equal_data(const struct __CFData *one, const struct __CFData *other)
{
    return one->length == other->length
           && (one->length == 0
               || memcmp(one->bytes, other->bytes, (size_t)one->length) == 0);
}

Boolean CFEqual(CFTypeRef one, CFTypeRef other)
{
    const struct object *a = double_checked(one, OBJECT_ANY);
    const struct object *b = double_checked(other, OBJECT_ANY);

    if (a == b)
        return true;
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case OBJECT_STRING:
        return strcmp(double_text(one), double_text(other)) == 0;
    case OBJECT_NUMBER:
        return ((const struct __CFNumber *)one)->value
               == ((const struct __CFNumber *)other)->value;
    case OBJECT_DATA:
        return equal_data(one, other);
    default:
        return false;
    }
}

CFTypeID CFStringGetTypeID(void)
{
    return OBJECT_STRING;
}

const char *double_text(CFStringRef string)
{
    return ((struct __CFString *)double_checked(string, OBJECT_STRING))->text;
}

/* The octets that follow the first one of a UTF-8 character, or -1. */
static int followers(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first < 0xc2 || first > 0xf4)
        return -1;
    return first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
}

static bool is_utf8(const char *text)
{
    const unsigned char *octet = (const unsigned char *)text;

    while (*octet != 0) {
        int more = followers(*octet++);

        if (more < 0)
            return false;
        for (; more > 0; more--)
            if ((*octet++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

CFStringRef CFStringCreateWithCString(CFAllocatorRef allocator,
                                      const char *text,
                                      CFStringEncoding encoding)
{
    struct __CFString *string;

    only_default(allocator, "CFStringCreateWithCString");
    if (encoding != kCFStringEncodingUTF8)
        double_die("CFStringCreateWithCString", "only UTF-8");
    if (!is_utf8(text))
        return NULL;
    string = double_new(sizeof(*string), OBJECT_STRING);
    if (string != NULL) {
        string->text = grown(NULL, strlen(text) + 1);
        strcpy(string->text, text);
    }
    return string;
}

/* In UTF-16 units. */
CFIndex CFStringGetLength(CFStringRef string)
{
    CFIndex units = 0;

    for (const char *text = double_text(string); *text != 0; text++)
        if ((*text & 0xc0) != 0x80)
            units += (unsigned char)*text >= 0xf0 ? 2 : 1;
    return units;
}

Boolean CFStringGetCString(CFStringRef string, char *buffer, CFIndex size,
                           CFStringEncoding encoding)
{
    const char *text = double_text(string);

    if (encoding != kCFStringEncodingUTF8)
        double_die("CFStringGetCString", "only UTF-8");
    if ((CFIndex)strlen(text) >= size)
        return false;
    strcpy(buffer, text);
    return true;
}

CFTypeID CFDataGetTypeID(void)
{
    return OBJECT_DATA;
}

static struct __CFData *new_data(CFAllocatorRef allocator, CFIndex length)
{
    struct __CFData *data;

    only_default(allocator, "CFDataCreate");
    if (length < 0)
        double_die("CFDataCreate", "a negative length");
    data = double_new(sizeof(*data), OBJECT_DATA);
    if (data != NULL)
        data->length = length;
    return data;
}

CFDataRef CFDataCreate(CFAllocatorRef allocator, const UInt8 *bytes,
                       CFIndex length)
{
    struct __CFData *data = new_data(allocator, length);

    if (data == NULL)
        return NULL;
    /* Of this size, so that a sanitizer sees who reads beyond. */
    data->bytes = grown(NULL, (size_t)length);
    if (length > 0)
        memcpy(data->bytes, bytes, (size_t)length);
    return data;
}

CFDataRef CFDataCreateWithBytesNoCopy(CFAllocatorRef allocator,
                                      const UInt8 *bytes, CFIndex length,
                                      CFAllocatorRef deallocator)
{
    struct __CFData *data;

    if (deallocator != kCFAllocatorNull)
        double_die("CFDataCreateWithBytesNoCopy", "would free the bytes");
    data = new_data(allocator, length);
    if (data != NULL) {
        data->bytes = (UInt8 *)(uintptr_t)bytes;
        data->foreign = true;
    }
    return data;
}

CFIndex CFDataGetLength(CFDataRef data)
{
    return ((struct __CFData *)double_checked(data, OBJECT_DATA))->length;
}

const UInt8 *CFDataGetBytePtr(CFDataRef data)
{
    return ((struct __CFData *)double_checked(data, OBJECT_DATA))->bytes;
}

CFTypeID CFNumberGetTypeID(void)
{
    return OBJECT_NUMBER;
}

static bool is_long(CFNumberType type)
{
    if (type == kCFNumberCFIndexType || type == kCFNumberLongType)
        return true;
    if (type != kCFNumberIntType && type != kCFNumberSInt32Type)
        double_die("CFNumber", "only int and CFIndex");
    return false;
}

CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type,
                           const void *value)
{
    struct __CFNumber *number;

    only_default(allocator, "CFNumberCreate");
    number = double_new(sizeof(*number), OBJECT_NUMBER);
    if (number != NULL)
        number->value =
            is_long(type) ? *(const long *)value : *(const int *)value;
    return number;
}

Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *value)
{
    long held =
        ((struct __CFNumber *)double_checked(number, OBJECT_NUMBER))->value;

    if (is_long(type)) {
        *(long *)value = held;
        return true;
    }
    *(int *)value = (int)held;
    return held == (int)held;
}

CFTypeID CFBooleanGetTypeID(void)
{
    return OBJECT_BOOLEAN;
}

Boolean CFBooleanGetValue(CFBooleanRef boolean)
{
    return ((struct __CFBoolean *)double_checked(boolean, OBJECT_BOOLEAN))
        ->value;
}

CFTypeID CFArrayGetTypeID(void)
{
    return OBJECT_ARRAY;
}

CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef allocator,
                                       CFIndex capacity,
                                       const CFArrayCallBacks *callbacks)
{
    only_default(allocator, "CFArrayCreateMutable");
    if (capacity != 0 || callbacks != &kCFTypeArrayCallBacks)
        double_die("CFArrayCreateMutable", "only arrays of objects");
    return double_new(sizeof(struct __CFArray), OBJECT_ARRAY);
}

CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values,
                         CFIndex count, const CFArrayCallBacks *callbacks)
{
    CFMutableArrayRef array = CFArrayCreateMutable(allocator, 0, callbacks);

    for (CFIndex i = 0; array != NULL && i < count; i++)
        CFArrayAppendValue(array, values[i]);
    return array;
}

void CFArrayAppendValue(CFMutableArrayRef array, const void *value)
{
    double_checked(array, OBJECT_ARRAY);
    array->values = grown(array->values,
                          (size_t)(array->count + 1) * sizeof(*array->values));
    array->values[array->count++] = CFRetain(value);
}

CFIndex CFArrayGetCount(CFArrayRef array)
{
    return ((struct __CFArray *)double_checked(array, OBJECT_ARRAY))->count;
}

const void *CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index)
{
    double_checked(array, OBJECT_ARRAY);
    if (index < 0 || index >= array->count)
        double_die("CFArrayGetValueAtIndex", "an index beyond the end");
    return array->values[index];
}

CFTypeID CFDictionaryGetTypeID(void)
{
    return OBJECT_DICTIONARY;
}

CFMutableDictionaryRef
CFDictionaryCreateMutable(CFAllocatorRef allocator, CFIndex capacity,
                          const CFDictionaryKeyCallBacks *key_callbacks,
                          const CFDictionaryValueCallBacks *value_callbacks)
{
    only_default(allocator, "CFDictionaryCreateMutable");
    if (capacity != 0 || key_callbacks != &kCFTypeDictionaryKeyCallBacks
        || value_callbacks != &kCFTypeDictionaryValueCallBacks)
        double_die("CFDictionaryCreateMutable", "only objects for objects");
    return double_new(sizeof(struct __CFDictionary), OBJECT_DICTIONARY);
}

static CFIndex place_of(CFDictionaryRef dictionary, const void *key)
{
    double_checked(dictionary, OBJECT_DICTIONARY);
    for (CFIndex i = 0; i < dictionary->count; i++)
        if (CFEqual(dictionary->keys[i], key))
            return i;
    return -1;
}

void CFDictionarySetValue(CFMutableDictionaryRef dictionary, const void *key,
                          const void *value)
{
    CFIndex place = place_of(dictionary, key);
    size_t size;

    CFRetain(value);
    if (place >= 0) {
        CFRelease(dictionary->values[place]);
        dictionary->values[place] = value;
        return;
    }
    size = (size_t)(dictionary->count + 1) * sizeof(*dictionary->keys);
    dictionary->keys = grown(dictionary->keys, size);
    dictionary->values = grown(dictionary->values, size);
    dictionary->keys[dictionary->count] = CFRetain(key);
    dictionary->values[dictionary->count++] = value;
}

const void *CFDictionaryGetValue(CFDictionaryRef dictionary, const void *key)
{
    CFIndex place = place_of(dictionary, key);

    return place < 0 ? NULL : dictionary->values[place];
}

Boolean CFDictionaryContainsKey(CFDictionaryRef dictionary, const void *key)
{
    return place_of(dictionary, key) >= 0;
}

CFIndex CFDictionaryGetCount(CFDictionaryRef dictionary)
{
    return ((struct __CFDictionary *)double_checked(dictionary,
                                                    OBJECT_DICTIONARY))
        ->count;
}

CFTypeID CFErrorGetTypeID(void)
{
    return OBJECT_ERROR;
}

CFErrorRef CFErrorCreate(CFAllocatorRef allocator, CFErrorDomain domain,
                         CFIndex code, CFDictionaryRef user_info)
{
    struct __CFError *error;

    only_default(allocator, "CFErrorCreate");
    if (user_info != NULL)
        double_die("CFErrorCreate", "no user information here");
    error = double_new(sizeof(*error), OBJECT_ERROR);
    if (error != NULL) {
        error->code = code;
        error->domain = domain;
    }
    return error;
}

CFIndex CFErrorGetCode(CFErrorRef error)
{
    return ((struct __CFError *)double_checked(error, OBJECT_ERROR))->code;
}

CFErrorDomain CFErrorGetDomain(CFErrorRef error)
{
    return ((struct __CFError *)double_checked(error, OBJECT_ERROR))->domain;
}
