/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's import: the only way of a foreign key into the file-based
 * keychain.
 */
#include "internal.h"

#include <Security/SecImportExport.h>
#include <Security/SecItem.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const import = "SecItemImport";

/* An open PKCS#8 is not what is called the format of OpenSSL there; a decoder
 * that is asked for PKCS#1 or SEC1 takes it nevertheless. */
static bool is_pkcs8(CFDataRef data)
{
    const unsigned char *bytes = CFDataGetBytePtr(data);
    PKCS8_PRIV_KEY_INFO *info =
        d2i_PKCS8_PRIV_KEY_INFO(NULL, &bytes, CFDataGetLength(data));

    PKCS8_PRIV_KEY_INFO_free(info);
    return info != NULL;
}

/* PKCS#1 or SEC1; a public key as its SubjectPublicKeyInfo. */
static EVP_PKEY *decode(CFDataRef data, bool private)
{
    const unsigned char *bytes = CFDataGetBytePtr(data);
    size_t size = (size_t)CFDataGetLength(data);
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context;

    if (private && is_pkcs8(data))
        return NULL;
    context = OSSL_DECODER_CTX_new_for_pkey(
        &key, "DER", private ? "type-specific" : "SubjectPublicKeyInfo", NULL,
        private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, double_library(),
        NULL);
    if (context == NULL
        || OSSL_DECODER_from_data(context, &bytes, &size) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(context);
    return key;
}

/* RSA of 1024 to 4096 bits and the three curves. */
static bool is_supported(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    char group[32];

    if (EVP_PKEY_is_a(key, "RSA"))
        return bits >= 1024 && bits <= 4096;
    return EVP_PKEY_is_a(key, "EC")
           && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1
           && (strcmp(group, "prime256v1") == 0
               || strcmp(group, "secp384r1") == 0
               || strcmp(group, "secp521r1") == 0);
}

/* Attributes that were given replace the customary ones. */
static void read_attributes(struct item *item, CFArrayRef attributes)
{
    bool permanent = attributes == NULL;

    item->extractable = item->sensitive = attributes == NULL;
    for (CFIndex i = 0; attributes != NULL && i < CFArrayGetCount(attributes);
         i++) {
        CFTypeRef one = CFArrayGetValueAtIndex(attributes, i);

        if (CFEqual(one, kSecAttrIsExtractable))
            item->extractable = true;
        else if (CFEqual(one, kSecAttrIsSensitive))
            item->sensitive = true;
        else if (CFEqual(one, kSecAttrIsPermanent))
            permanent = true;
        else
            double_die(import, "an unknown attribute");
    }
    if (!permanent)
        double_die(import, "would keep the key in the process");
}

static OSStatus give_back(const struct item *item, CFArrayRef *items)
{
    SecKeyRef key;
    CFMutableArrayRef array;

    if (items == NULL)
        return errSecSuccess;
    key = double_key_new(item->key, item->private, item->file);
    array = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    if (key != NULL && array != NULL) {
        CFArrayAppendValue(array, key);
        *items = array;
    } else if (array != NULL) {
        CFRelease(array);
    }
    if (key != NULL)
        CFRelease(key);
    return key != NULL && array != NULL ? errSecSuccess : errSecAllocate;
}

static OSStatus keep(struct item *item, CFArrayRef *items)
{
    int lock;
    OSStatus status = keychain_enter(&lock);

    if (status != errSecSuccess)
        return status;
    status = double_unlock();
    if (status == errSecSuccess)
        status = keychain_add(item);
    if (status == errSecSuccess) {
        status = give_back(item, items);
        if (status != errSecSuccess)
            keychain_remove(item);
    }
    keychain_leave(lock);
    return status;
}

static OSStatus import_key(CFDataRef data, bool private,
                           const SecItemImportExportKeyParameters *parameters,
                           CFArrayRef *items)
{
    struct item item = {.private = private};
    OSStatus status = errSecUnknownFormat;

    read_attributes(&item, parameters->keyAttributes);
    item.key = decode(data, private);
    if (item.key != NULL)
        status =
            is_supported(item.key) ? errSecSuccess : errSecKeySizeNotAllowed;
    if (status == errSecSuccess) {
        /* Nothing in the call could name the key. */
        item.label =
            strdup(private ? "Imported Private Key" : "Imported Public Key");
        if ((parameters->flags & kSecKeyNoAccessControl) == 0
            && asprintf(&item.trusted, "%s\n", double_program()) < 0)
            double_die("memory", "the double has none left");
        status = keep(&item, items);
    }
    EVP_PKEY_free(item.key);
    free(item.label);
    free(item.trusted);
    return status;
}

OSStatus SecItemImport(CFDataRef data, CFStringRef name,
                       SecExternalFormat *format, SecExternalItemType *type,
                       SecItemImportExportFlags flags,
                       const SecItemImportExportKeyParameters *parameters,
                       SecKeychainRef keychain, CFArrayRef *items)
{
    OSStatus status = double_enter(__func__);

    if (name != NULL || flags != 0 || format == NULL
        || *format != kSecFormatOpenSSL || type == NULL
        || (*type != kSecItemTypePrivateKey && *type != kSecItemTypePublicKey))
        double_die(__func__, "not in the double");
    if (parameters == NULL
        || parameters->version != SEC_KEY_IMPORT_EXPORT_PARAMS_VERSION
        || (parameters->flags & ~(unsigned)kSecKeyNoAccessControl) != 0
        || parameters->passphrase != NULL || parameters->alertTitle != NULL
        || parameters->alertPrompt != NULL || parameters->accessRef != NULL
        || parameters->keyUsage != NULL)
        double_die(__func__, "parameters that are not in the double");
    double_checked(keychain, OBJECT_KEYCHAIN);
    if (status != errSecSuccess)
        return status;
    ERR_set_mark();
    status =
        import_key(data, *type == kSecItemTypePrivateKey, parameters, items);
    ERR_pop_to_mark();
    return status;
}
