/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * New keys in the Keychain, which never leave it again.
 */
#include "platform/macos/keychain.h"

#include "platform/algorithm.h"
#include "platform/macos/status.h"
#include "platform/private_der.h"
#include "platform/public_der.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int change(struct mesh_context *ctx, CFStringRef key_class,
                  CFStringRef attribute, CFTypeRef value,
                  CFDictionaryRef changes)
{
    CFDictionaryRef query =
        mesh_keychain_query(ctx, key_class, attribute, value);
    OSStatus status;

    if (query == NULL)
        return 0;
    status = SecItemUpdate(query, changes);
    CFRelease(query);
    return status == errSecSuccess
           || mesh_status_raise(ctx, status, "label a key", "");
}

/* Calls both halves of what has the value (of an attribute) by their
 * fingerprint.  The public one may be missing, and is no secret. */
static int set_label(struct mesh_context *ctx, CFStringRef attribute,
                     CFTypeRef value, const char *udf)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char text[MESH_KEYCHAIN_LABEL_MAX];
    CFDictionaryRef changes = NULL;
    CFStringRef label;
    int ok;

    snprintf(text, sizeof(text), MESH_KEYCHAIN_PREFIX "%s", udf);
    label = mesh_keychain_text(ctx, text);
    if (label != NULL)
        changes = mesh_keychain_dictionary(
            ctx, &(struct mesh_keychain_pair){kSecAttrLabel, label}, 1);
    ok = changes != NULL
         && change(ctx, kSecAttrKeyClassPrivate, attribute, value, changes);
    if (ok)
        change(&quiet, kSecAttrKeyClassPublic, attribute, value, changes);
    mesh_keychain_release(changes);
    mesh_keychain_release(label);
    return ok;
}

/* A key's label is said before it is made, its fingerprint known only then: so
 * it is called by random numbers first. */
static CFStringRef first_label(struct mesh_context *ctx)
{
    unsigned char random[16];
    char hex[2 * sizeof(random) + 1];
    char text[sizeof(MESH_KEYCHAIN_PREFIX "made-") + sizeof(hex)];

    if (RAND_bytes_ex(ctx->libctx, random, sizeof(random), 0) != 1
        || !OPENSSL_buf2hexstr_ex(hex, sizeof(hex), NULL, random,
                                  sizeof(random), '\0')) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
        return NULL;
    }
    snprintf(text, sizeof(text), MESH_KEYCHAIN_PREFIX "made-%s", hex);
    return mesh_keychain_text(ctx, text);
}

/*
 * That it cannot be extracted stands at the top: among the attributes of the
 * private half the file-based keychain does not read it, and the key could be
 * exported.
 */
static CFDictionaryRef description(struct mesh_context *ctx, unsigned family,
                                   unsigned bits, CFStringRef label)
{
    const struct mesh_keychain_pair permanent = {kSecAttrIsPermanent,
                                                 kCFBooleanTrue};
    int32_t size = (int32_t)bits;
    CFNumberRef number =
        CFNumberCreate(kCFAllocatorDefault, kCFNumberSInt32Type, &size);
    CFDictionaryRef private = mesh_keychain_dictionary(ctx, &permanent, 1);
    CFDictionaryRef made = NULL;

    if (private != NULL)
        made = mesh_keychain_dictionary(
            ctx,
            (const struct mesh_keychain_pair[]){
                {kSecAttrKeyType, family == MESH_FAMILY_RSA
                                      ? kSecAttrKeyTypeRSA
                                      : kSecAttrKeyTypeECSECPrimeRandom},
                {kSecAttrKeySizeInBits, number},
                {kSecAttrLabel, label},
                {kSecAttrIsExtractable, kCFBooleanFalse},
                {kSecUseDataProtectionKeychain, kCFBooleanFalse},
                {kSecPrivateKeyAttrs, private},
            },
            6);
    mesh_keychain_release(private);
    mesh_keychain_release(number);
    return made;
}

static EVP_PKEY *read_public(struct mesh_context *ctx, SecKeyRef key)
{
    unsigned char *spki;
    EVP_PKEY *public = NULL;
    size_t len;

    if (!mesh_keychain_public(ctx, key, &spki, &len))
        return NULL;
    if (spki != NULL)
    public = mesh_public_read(ctx, spki, len);
    OPENSSL_free(spki);
    if (public == NULL)
        mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                   "generate: the Keychain does not tell the public half");
    return public;
}

/* A key that cannot be named is none. */
static void undo(struct mesh_context *ctx, CFStringRef attribute,
                 CFTypeRef value)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);

    if (!mesh_keychain_delete(&quiet, attribute, value))
        mesh_trace(ctx, "a key that could not be finished is still in the "
                        "Keychain");
}

static int generate(struct mesh_context *ctx, unsigned family, unsigned bits,
                    EVP_PKEY **public)
{
    CFStringRef label = first_label(ctx);
    CFDictionaryRef wanted = NULL;
    CFErrorRef error = NULL;
    struct mesh_key_name name;
    SecKeyRef key = NULL;
    int ok = 0;

    if (label != NULL)
        wanted = description(ctx, family, bits, label);
    if (wanted != NULL && (key = SecKeyCreateRandomKey(wanted, &error)) == NULL)
        mesh_status_raise(ctx, mesh_status_of(&error), "generate a key", "");
    if (key != NULL) {
        ok = (*public = read_public(ctx, key)) != NULL
             && mesh_key_name_of(ctx, *public, &name)
             && set_label(ctx, kSecAttrLabel, label, name.udf);
        CFRelease(key);
        if (!ok)
            undo(ctx, kSecAttrLabel, label);
    }
    mesh_keychain_release(wanted);
    mesh_keychain_release(label);
    return ok;
}

int mesh_keystore_generate(struct mesh_context *ctx, const char *algorithm,
                           EVP_PKEY **public)
{
    const struct mesh_algorithm *row = mesh_algorithm_need(ctx, algorithm);
    static const struct {
        const char *name;
        unsigned bits;
    } curves[] = {{"P-256", 256}, {"P-384", 384}, {"P-521", 521}};
    unsigned bits;

    *public = NULL;
    if (row == NULL)
        return 0;
    bits = row->bits;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(row->name, curves[i].name) == 0)
            bits = curves[i].bits;
    if (!mesh_keychain_takes(row->family, bits))
        return mesh_keychain_refuse(ctx, row->name, row->family, bits);
    if (mesh_keychain_enter(ctx) && generate(ctx, row->family, bits, public))
        return 1;
    EVP_PKEY_free(*public);
    *public = NULL;
    return 0;
}

/* The public half alone of a key. */
static EVP_PKEY *copy_public(struct mesh_context *ctx, EVP_PKEY *key)
{
    EVP_PKEY *public = NULL;
    unsigned char *spki;
    int len = mesh_public_spki(ctx, key, &spki);

    if (len > 0)
    public = mesh_public_read(ctx, spki, (size_t)len);
    OPENSSL_free(spki);
    if (public == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "import a key");
    return public;
}

/*
 * Into the default keychain, in the form that is OpenSSL's: PKCS#1 or SEC1 of a
 * private half, SubjectPublicKeyInfo of a public one.  attributes: what it is
 * to be, and nothing else.  (SecItemAdd of a key that is made of data would
 * want the other keychain.)
 */
static OSStatus put(CFDataRef der, SecExternalItemType type,
                    CFArrayRef attributes)
{
    SecItemImportExportKeyParameters parameters;
    SecExternalFormat format = kSecFormatOpenSSL;
    SecKeychainRef keychain = NULL;
    CFArrayRef items = NULL;
    OSStatus status;

    memset(&parameters, 0, sizeof(parameters));
    parameters.version = SEC_KEY_IMPORT_EXPORT_PARAMS_VERSION;
    parameters.keyAttributes = attributes;
    MESH_KEYCHAIN_DEPRECATED_BEGIN
    status = SecKeychainCopyDefault(&keychain);
    MESH_KEYCHAIN_DEPRECATED_END
    if (status == errSecSuccess)
        status = SecItemImport(der, NULL, &format, &type, 0, &parameters,
                               keychain, &items);
    mesh_keychain_release(items);
    mesh_keychain_release(keychain);
    return status;
}

/* Permanent and sensitive; what is not said to be extractable never is. */
static int put_private(struct mesh_context *ctx, EVP_PKEY *key)
{
    const void *wanted[] = {kSecAttrIsPermanent, kSecAttrIsSensitive};
    CFArrayRef attributes =
        CFArrayCreate(kCFAllocatorDefault, wanted, 2, &kCFTypeArrayCallBacks);
    unsigned char *octets = NULL;
    int len = i2d_PrivateKey(key, &octets);
    CFDataRef der = NULL;
    OSStatus status = errSecAllocate;

    if (attributes != NULL && len > 0)
        der = CFDataCreateWithBytesNoCopy(kCFAllocatorDefault, octets, len,
                                          kCFAllocatorNull);
    if (der != NULL)
        status = put(der, kSecItemTypePrivateKey, attributes);
    mesh_keychain_release(der);
    mesh_keychain_release(attributes);
    if (len > 0)
        OPENSSL_clear_free(octets, (size_t)len);
    return status == errSecSuccess
           || mesh_status_raise(ctx, status, "import a key", "");
}

/* Beside the private half, so that it can be compared; but that is found by its
 * label, too. */
static void put_public(struct mesh_context *ctx, EVP_PKEY *key)
{
    const void *wanted[] = {kSecAttrIsPermanent};
    CFArrayRef attributes =
        CFArrayCreate(kCFAllocatorDefault, wanted, 1, &kCFTypeArrayCallBacks);
    unsigned char *octets = NULL;
    int len = mesh_public_spki(ctx, key, &octets);
    CFDataRef der = NULL;
    OSStatus status = errSecAllocate;

    if (attributes != NULL && len > 0)
        der = CFDataCreate(kCFAllocatorDefault, octets, len);
    if (der != NULL)
        status = put(der, kSecItemTypePublicKey, attributes);
    if (status != errSecSuccess)
        mesh_trace(ctx, "import the public half of a key: status %ld",
                   (long)status);
    mesh_keychain_release(der);
    mesh_keychain_release(attributes);
    OPENSSL_free(octets);
}

/* The label that the Keychain computed must be the one by which we look. */
static int import(struct mesh_context *ctx, EVP_PKEY *key,
                  const struct mesh_key_name *name)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    CFDataRef label =
        mesh_keychain_data(ctx, name->identifier, sizeof(name->identifier));
    int ok = 0;

    if (label != NULL && put_private(ctx, key)) {
        put_public(&quiet, key);
        ok = set_label(ctx, kSecAttrApplicationLabel, label, name->udf);
        if (!ok)
            undo(ctx, kSecAttrApplicationLabel, label);
    }
    mesh_keychain_release(label);
    return ok;
}

int mesh_keystore_import(struct mesh_context *ctx, const unsigned char *pkcs8,
                         size_t len, EVP_PKEY **public)
{
    EVP_PKEY *key = mesh_private_read(ctx, pkcs8, len);
    struct mesh_key_name name;
    SecKeyRef old = NULL;
    int ok;

    *public = NULL;
    ok = key != NULL && mesh_key_name_of(ctx, key, &name);
    if (ok && !mesh_keychain_takes(name.family, name.bits))
        ok = mesh_keychain_refuse(ctx, mesh_algorithm_of(key), name.family,
                                  name.bits);
    ok = ok && mesh_keychain_find(ctx, &name, &old);
    if (old != NULL)
        ok = mesh_raise(ctx, MESH_R_KEY_EXISTS,
                        "%s is there already, in the Keychain", name.udf);
    mesh_keychain_release(old);
    ok = ok && (*public = copy_public(ctx, key)) != NULL
         && import(ctx, key, &name);
    if (!ok) {
        EVP_PKEY_free(*public);
        *public = NULL;
    }
    EVP_PKEY_free(key);
    return ok;
}
