/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keys: made, imported, asked for what is public about them.
 */
#include "internal.h"

#include <Security/SecImportExport.h>
#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

struct curve {
    const char *name;
    int bits;
    CFIndex point_size;
};
static const struct curve curves[] = {
    {"P-256", 256, 65}, {"P-384", 384, 97}, {"P-521", 521, 133}};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

CFTypeID SecKeyGetTypeID(void)
{
    return OBJECT_KEY;
}

SecKeyRef double_key_new(EVP_PKEY *key, bool private, const char *file)
{
    SecKeyRef made = double_new(sizeof(*made), OBJECT_KEY);

    if (made == NULL)
        return NULL;
    EVP_PKEY_up_ref(key);
    made->key = key;
    made->private = private;
    if (file != NULL)
        strcpy(made->file, file);
    return made;
}

/* ------------------------------------------------------------- generation */

static CFTypeRef either(CFDictionaryRef outer, CFDictionaryRef inner,
                        CFStringRef key)
{
    CFTypeRef value = NULL;

    if (inner != NULL)
        value = CFDictionaryGetValue(inner, key);
    return value != NULL ? value : CFDictionaryGetValue(outer, key);
}

static EVP_PKEY *generate(CFTypeRef type, int bits)
{
    if (double_is(type, kSecAttrKeyTypeRSA)) {
        if (bits < 1024 || bits > 4096 || bits % 8 != 0)
            return NULL;
        return EVP_PKEY_Q_keygen(double_library(), NULL, "RSA", (size_t)bits);
    }
    if (!double_is(type, kSecAttrKeyTypeECSECPrimeRandom))
        return NULL;
    for (size_t i = 0; i < CURVES; i++)
        if (curves[i].bits == bits)
            return EVP_PKEY_Q_keygen(double_library(), NULL, "EC",
                                     curves[i].name);
    return NULL;
}

static char *line_of(const char *text)
{
    if (text[strcspn(text, "\r\n")] != 0)
        double_die(text, "the double has no labels of several lines");
    return strdup(text);
}

static void describe(struct item *item, CFDictionaryRef outer,
                     CFDictionaryRef inner)
{
    CFStringRef label = either(outer, inner, kSecAttrLabel);
    CFDataRef tag = either(outer, inner, kSecAttrApplicationTag);
    char text[256];

    if (label != NULL)
        item->label = line_of(double_text(label));
    if (tag != NULL) {
        snprintf(text, sizeof(text), "%.*s", (int)CFDataGetLength(tag),
                 (const char *)CFDataGetBytePtr(tag));
        item->tag = line_of(text);
    }
}

static char *this_program(void)
{
    char *line;

    if (asprintf(&line, "%s\n", double_program()) < 0)
        double_die("memory", "the double has none left");
    return line;
}

/* Both halves become items, and one reference goes back. */
static OSStatus keep(struct item *item, SecKeyRef *made)
{
    OSStatus status = keychain_add(item);

    if (status != errSecSuccess)
        return status;
    *made = double_key_new(item->key, item->private, item->file);
    if (*made != NULL)
        return errSecSuccess;
    keychain_remove(item);
    return errSecAllocate;
}

static OSStatus keep_pair(struct item *private, SecKeyRef *made)
{
    struct item public = {.key = private->key, .label = private->label};
    OSStatus status = double_unlock();

    if (status == errSecSuccess)
        status = keep(private, made);
    if (status != errSecSuccess)
        return status;
    public.extractable = true;
    return keychain_add(&public);
}

static OSStatus make_permanent(EVP_PKEY *key, CFDictionaryRef outer,
                               CFDictionaryRef inner, SecKeyRef *made)
{
    struct item item = {.key = key, .private = true, .sensitive = true};
    OSStatus status;
    int lock;

    /* Only the outer dictionary counts: of the inner one the file-based
     * keychain does not read this attribute. */
    item.extractable = !CFDictionaryContainsKey(outer, kSecAttrIsExtractable)
                       || double_is_true(outer, kSecAttrIsExtractable);
    describe(&item, outer, inner);
    item.trusted = this_program();
    status = keychain_enter(&lock);
    if (status == errSecSuccess) {
        status = keep_pair(&item, made);
        keychain_leave(lock);
    }
    free(item.label);
    free(item.tag);
    free(item.trusted);
    return status;
}

static OSStatus make(CFDictionaryRef outer, SecKeyRef *made)
{
    CFDictionaryRef inner = CFDictionaryGetValue(outer, kSecPrivateKeyAttrs);
    CFTypeRef size = CFDictionaryGetValue(outer, kSecAttrKeySizeInBits);
    bool protected =
        double_wants_data_protection("SecKeyCreateRandomKey", outer);
    bool permanent = false;
    OSStatus status;
    EVP_PKEY *key;
    int bits = 0;

    if (size == NULL)
        double_die("SecKeyCreateRandomKey",
                   "crashes without kSecAttrKeySizeInBits");
    if (inner != NULL) {
        DOUBLE_ONLY("SecKeyCreateRandomKey", inner, kSecAttrIsPermanent,
                    kSecAttrIsExtractable, kSecAttrIsSensitive,
                    kSecAttrApplicationTag, kSecAttrLabel,
                    kSecAttrAccessControl);
        permanent = double_is_true(inner, kSecAttrIsPermanent);
        protected =
            protected || CFDictionaryContainsKey(inner, kSecAttrAccessControl);
    }
    if (protected)
        return errSecMissingEntitlement;
    CFNumberGetValue(size, kCFNumberIntType, &bits);
    key = generate(CFDictionaryGetValue(outer, kSecAttrKeyType), bits);
    if (key == NULL)
        return errSecParam;
    if (permanent) {
        status = make_permanent(key, outer, inner, made);
    } else {
        *made = double_key_new(key, true, NULL);
        status = *made != NULL ? errSecSuccess : errSecAllocate;
    }
    EVP_PKEY_free(key);
    return status;
}

SecKeyRef SecKeyCreateRandomKey(CFDictionaryRef parameters, CFErrorRef *error)
{
    OSStatus status = double_enter(__func__);
    SecKeyRef made = NULL;

    DOUBLE_ONLY(__func__, parameters, kSecAttrKeyType, kSecAttrKeySizeInBits,
                kSecAttrLabel, kSecAttrApplicationTag, kSecAttrIsExtractable,
                kSecAttrIsPermanent, kSecAttrTokenID,
                kSecUseDataProtectionKeychain, kSecPrivateKeyAttrs);
    ERR_set_mark();
    if (status == errSecSuccess)
        status = make(parameters, &made);
    ERR_pop_to_mark();
    if (status == errSecSuccess)
        return made;
    if (made != NULL)
        CFRelease(made);
    double_set_error(error, status);
    return NULL;
}

/* ------------------------------------------------------- public keys alone */

static EVP_PKEY *point(const UInt8 *bytes, CFIndex size)
{
    OSSL_PARAM parameters[3] = {OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END};
    EVP_PKEY_CTX *context;
    EVP_PKEY *key = NULL;
    size_t i = 0;

    while (i < CURVES && curves[i].point_size != size)
        i++;
    if (i == CURVES || bytes[0] != 4)
        return NULL;
    parameters[0] = OSSL_PARAM_construct_utf8_string(
        OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curves[i].name, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(
        OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)bytes, (size_t)size);
    context = EVP_PKEY_CTX_new_from_name(double_library(), "EC", NULL);
    if (EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters)
               != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *public_key(CFTypeRef type, CFDataRef data)
{
    const unsigned char *bytes = CFDataGetBytePtr(data);
    CFIndex size = CFDataGetLength(data);

    if (double_is(type, kSecAttrKeyTypeECSECPrimeRandom))
        return point(bytes, size);
    if (double_is(type, kSecAttrKeyTypeRSA))
        return d2i_PublicKey(EVP_PKEY_RSA, NULL, &bytes, size);
    return NULL;
}

SecKeyRef SecKeyCreateWithData(CFDataRef data, CFDictionaryRef attributes,
                               CFErrorRef *error)
{
    OSStatus status = double_enter(__func__);
    EVP_PKEY *key = NULL;
    SecKeyRef made = NULL;

    DOUBLE_ONLY(__func__, attributes, kSecAttrKeyType, kSecAttrKeyClass,
                kSecAttrKeySizeInBits);
    if (!double_is(CFDictionaryGetValue(attributes, kSecAttrKeyClass),
                   kSecAttrKeyClassPublic))
        double_die(__func__, "would keep a private key in the process");
    ERR_set_mark();
    if (status == errSecSuccess) {
        key =
            public_key(CFDictionaryGetValue(attributes, kSecAttrKeyType), data);
        status = key == NULL ? errSecParam : errSecSuccess;
    }
    if (status == errSecSuccess) {
        made = double_key_new(key, false, NULL);
        status = made == NULL ? errSecAllocate : errSecSuccess;
    }
    ERR_pop_to_mark();
    EVP_PKEY_free(key);
    if (made == NULL)
        double_set_error(error, status);
    return made;
}

/* --------------------------------------------------- what a key tells of
 * itself */

size_t SecKeyGetBlockSize(SecKeyRef key)
{
    double_enter(__func__);
    double_checked(key, OBJECT_KEY);
    return ((size_t)EVP_PKEY_get_bits(key->key) + 7) / 8;
}

/* A file-based private key has a public half only if that is an item, too. */
static SecKeyRef find_public(SecKeyRef key)
{
    unsigned char hash[SHA1_SIZE];
    SecKeyRef found = NULL;
    struct items items;
    int lock;

    keychain_hash(key->key, hash);
    if (keychain_enter(&lock) != errSecSuccess)
        return NULL;
    if (keychain_read(&items) == errSecSuccess) {
        for (size_t i = 0; i < items.count && found == NULL; i++)
            if (items.list[i].key != NULL && !items.list[i].private
                && memcmp(items.list[i].hash, hash, SHA1_SIZE) == 0)
                found = double_key_new(items.list[i].key, false,
                                       items.list[i].file);
        keychain_free(&items);
    }
    keychain_leave(lock);
    return found;
}

SecKeyRef SecKeyCopyPublicKey(SecKeyRef key)
{
    SecKeyRef found;

    if (double_enter(__func__) != errSecSuccess)
        return NULL;
    double_checked(key, OBJECT_KEY);
    if (key->file[0] == 0)
        return double_key_new(key->key, false, NULL);
    ERR_set_mark();
    found = find_public(key);
    ERR_pop_to_mark();
    return found;
}

CFDictionaryRef SecKeyCopyAttributes(SecKeyRef key)
{
    if (double_enter(__func__) != errSecSuccess)
        return NULL;
    double_checked(key, OBJECT_KEY);
    /* It puts an export of the key under kSecValueData. */
    if (key->private)
        double_count_private_attempt(__func__);
    return double_key_attributes(key->key, key->private, NULL);
}

CFDataRef SecKeyCopyExternalRepresentation(SecKeyRef key, CFErrorRef *error)
{
    OSStatus status = double_enter(__func__);
    unsigned char *bytes = NULL;
    CFDataRef data = NULL;
    size_t size;

    double_checked(key, OBJECT_KEY);
    if (key->private) {
        double_count_private_attempt(__func__);
        status = errSecDataNotAvailable;
    }
    if (status == errSecSuccess) {
        size = keychain_public_bytes(key->key, &bytes);
        data = CFDataCreate(NULL, bytes, (CFIndex)size);
        OPENSSL_free(bytes);
        status = errSecAllocate;
    }
    if (data == NULL)
        double_set_error(error, status);
    return data;
}

OSStatus SecItemExport(CFTypeRef items, SecExternalFormat format,
                       SecItemImportExportFlags flags,
                       const SecItemImportExportKeyParameters *parameters,
                       CFDataRef *data)
{
    OSStatus status = double_enter(__func__);

    (void)format;
    (void)flags;
    (void)parameters;
    (void)data;
    double_checked(items, OBJECT_ANY);
    double_count_private_attempt(__func__);
    return status == errSecSuccess ? errSecDataNotAvailable : status;
}
