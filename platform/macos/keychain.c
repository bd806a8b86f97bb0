/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key store of macOS: the file-based keychain.
 *
 * A key is found by its application label, which every key in it has: SHA-1 of
 * the public half.  Nothing is kept between two calls, so there is nothing to
 * lock or to forget.
 */
#include "platform/macos/keychain.h"

#include "platform/algorithm.h"
#include "platform/macos/status.h"
#include "platform/public_der.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096

/* The process that first asked anything. */
static _Atomic long first_process;

int mesh_keychain_enter(struct mesh_context *ctx)
{
    long self = (long)getpid(), first = 0;
    OSStatus status = errSecSuccess;

    if (!atomic_compare_exchange_strong(&first_process, &first, self)
        && first != self)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "process %ld has used the Keychain, and this one, "
                          "%ld, was forked from it: the Keychain works there "
                          "only after an exec; use the key in the first one, "
                          "or let the program not fork",
                          first, self);
    if (ctx->config.prompt == MESH_PROMPT_NEVER) {
        MESH_KEYCHAIN_DEPRECATED_BEGIN
        status = SecKeychainSetUserInteractionAllowed(0);
        MESH_KEYCHAIN_DEPRECATED_END
    }
    return status == errSecSuccess
           || mesh_status_raise(ctx, status, "forbid prompts", "");
}

int mesh_keychain_takes(unsigned family, unsigned bits)
{
    return family == MESH_FAMILY_RSA
               ? bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX
               : family == MESH_FAMILY_EC
                     && (bits == 256 || bits == 384 || bits == 521);
}

int mesh_keychain_refuse(struct mesh_context *ctx, const char *what,
                         unsigned family, unsigned bits)
{
    if (family == MESH_FAMILY_RSA)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "%s: RSA of %u bits is not available in the "
                          "Keychain, which takes from %d to %d",
                          what, bits, RSA_BITS_MIN, RSA_BITS_MAX);
    return mesh_raise(ctx, MESH_R_ALGORITHM,
                      "%s is not available in the Keychain, which has RSA, "
                      "P-256, P-384 and P-521",
                      what);
}

void mesh_keychain_release(CFTypeRef object)
{
    if (object != NULL)
        CFRelease(object);
}

CFMutableDictionaryRef
mesh_keychain_dictionary(struct mesh_context *ctx,
                         const struct mesh_keychain_pair *pairs, size_t count)
{
    CFMutableDictionaryRef made = CFDictionaryCreateMutable(
        kCFAllocatorDefault, 0, &kCFTypeDictionaryKeyCallBacks,
        &kCFTypeDictionaryValueCallBacks);
    size_t i = 0;

    for (; made != NULL && i < count && pairs[i].value != NULL; i++)
        CFDictionarySetValue(made, pairs[i].key, pairs[i].value);
    if (made != NULL && i == count)
        return made;
    mesh_keychain_release(made);
    mesh_raise(ctx, MESH_R_MEMORY, "a question to the Keychain");
    return NULL;
}

CFMutableDictionaryRef mesh_keychain_query(struct mesh_context *ctx,
                                           CFStringRef key_class,
                                           CFStringRef attribute,
                                           CFTypeRef value)
{
    const struct mesh_keychain_pair pairs[] = {
        {kSecClass, kSecClassKey},
        {kSecAttrKeyClass, key_class},
        {kSecUseDataProtectionKeychain, kCFBooleanFalse},
        {attribute, value},
    };

    return mesh_keychain_dictionary(ctx, pairs, 4);
}

CFDataRef mesh_keychain_data(struct mesh_context *ctx, const void *octets,
                             size_t len)
{
    CFDataRef data = CFDataCreate(kCFAllocatorDefault, octets, (CFIndex)len);

    if (data == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "data for the Keychain");
    return data;
}

CFStringRef mesh_keychain_text(struct mesh_context *ctx, const char *text)
{
    CFStringRef string = CFStringCreateWithCString(kCFAllocatorDefault, text,
                                                   kCFStringEncodingUTF8);

    if (string == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "text for the Keychain");
    return string;
}

/* What the Keychain gives of a public half is PKCS#1 for RSA and the point for
 * EC, whose length tells the curve. */
static X509_PUBKEY *wrap_public(const unsigned char *octets, size_t len)
{
    static const struct {
        size_t len;
        int nid;
    } curves[] = {
        {65, NID_X9_62_prime256v1}, {97, NID_secp384r1}, {133, NID_secp521r1}};
    unsigned char *copy = OPENSSL_memdup(octets, len);
    X509_PUBKEY *spki = X509_PUBKEY_new();
    int nid = NID_rsaEncryption, is_set;

    for (size_t i = 0; i < 3; i++)
        if (len == curves[i].len && octets[0] == POINT_CONVERSION_UNCOMPRESSED)
            nid = curves[i].nid;
    is_set = copy != NULL && spki != NULL
             && (nid == NID_rsaEncryption
                     ? X509_PUBKEY_set0_param(spki, OBJ_nid2obj(nid),
                                              V_ASN1_NULL, NULL, copy, (int)len)
                     : X509_PUBKEY_set0_param(
                         spki, OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
                         V_ASN1_OBJECT, OBJ_nid2obj(nid), copy, (int)len));
    if (is_set)
        return spki;
    OPENSSL_free(copy);
    X509_PUBKEY_free(spki);
    return NULL;
}

int mesh_keychain_public(struct mesh_context *ctx, SecKeyRef key,
                         unsigned char **spki, size_t *len)
{
    SecKeyRef public = SecKeyCopyPublicKey(key);
    CFErrorRef error = NULL;
    X509_PUBKEY *wrapped = NULL;
    CFDataRef data;
    int der_len = 0;

    *spki = NULL;
    *len = 0;
    if (public == NULL)
        return 1;
    data = SecKeyCopyExternalRepresentation(public, &error);
    CFRelease(public);
    if (data == NULL)
        return mesh_status_raise(ctx, mesh_status_of(&error),
                                 "read a public key", "");
    if (CFDataGetLength(data) > 0)
        wrapped =
            wrap_public(CFDataGetBytePtr(data), (size_t)CFDataGetLength(data));
    CFRelease(data);
    if (wrapped != NULL)
        der_len = i2d_X509_PUBKEY(wrapped, spki);
    X509_PUBKEY_free(wrapped);
    if (der_len <= 0)
        return mesh_raise(ctx, MESH_R_MEMORY, "read a public key");
    *len = (size_t)der_len;
    return 1;
}

/* The label alone is what a program wrote; the public half is the proof.  Where
 * that did not come with the private one, there is nothing else. */
static int check_public(struct mesh_context *ctx, SecKeyRef key,
                        const struct mesh_key_name *name)
{
    unsigned char *spki, digest[32];
    size_t len;
    int ok;

    if (!mesh_keychain_public(ctx, key, &spki, &len))
        return 0;
    if (spki == NULL) {
        mesh_trace(ctx, "%s: found by its label, without its public half",
                   name->udf);
        return 1;
    }
    ok = EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, spki, len, digest, NULL)
         || mesh_raise(ctx, MESH_R_INTERNAL,
                       "SHA2-256 is not available in libcrypto");
    OPENSSL_free(spki);
    return ok
           && (memcmp(digest, name->spki_sha256, sizeof(digest)) == 0
               || mesh_raise(ctx, MESH_R_KEY_MISMATCH,
                             "the Keychain has another key under the label of "
                             "%s: remove it in Keychain Access",
                             name->udf));
}

static CFDataRef label_of(struct mesh_context *ctx,
                          const struct mesh_key_name *name)
{
    return mesh_keychain_data(ctx, name->identifier, sizeof(name->identifier));
}

/* Asks for all that has the label; *found is an array or, if there is none,
 * NULL. */
static int ask(struct mesh_context *ctx, const struct mesh_key_name *name,
               CFTypeRef *found)
{
    CFDataRef label = label_of(ctx, name);
    CFMutableDictionaryRef query = NULL;
    OSStatus status;

    *found = NULL;
    if (label != NULL)
        query = mesh_keychain_query(ctx, kSecAttrKeyClassPrivate,
                                    kSecAttrApplicationLabel, label);
    mesh_keychain_release(label);
    if (query == NULL)
        return 0;
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecMatchLimit, kSecMatchLimitAll);
    status = SecItemCopyMatching(query, found);
    CFRelease(query);
    return status == errSecSuccess || status == errSecItemNotFound
           || mesh_status_raise(ctx, status, "look for a key", name->udf);
}

int mesh_keychain_find(struct mesh_context *ctx,
                       const struct mesh_key_name *name, SecKeyRef *key)
{
    CFTypeRef found, first = NULL;
    CFIndex count = 0;
    int ok;

    *key = NULL;
    /* what it cannot hold is not there */
    if (!mesh_keychain_takes(name->family, name->bits))
        return 1;
    if (!mesh_keychain_enter(ctx) || !ask(ctx, name, &found))
        return 0;
    if (found == NULL)
        return 1;
    if (CFGetTypeID(found) == CFArrayGetTypeID())
        count = CFArrayGetCount(found);
    if (count > 0)
        first = CFArrayGetValueAtIndex(found, 0);
    if (count > 1)
        ok = mesh_raise(ctx, MESH_R_KEY_DUPLICATE,
                        "%s is %ld times in the Keychain, perhaps in several "
                        "keychains: leave one of them",
                        name->udf, (long)count);
    else if (first == NULL || CFGetTypeID(first) != SecKeyGetTypeID())
        ok = mesh_status_raise(ctx, errSecInternalComponent, "look for a key",
                               name->udf);
    else
        ok = check_public(ctx, (SecKeyRef)(uintptr_t)first, name);
    if (ok)
        *key = (SecKeyRef)(uintptr_t)CFRetain(first);
    CFRelease(found);
    return ok;
}

static int find_held(struct mesh_context *ctx, const struct mesh_key_name *name,
                     SecKeyRef *key)
{
    return mesh_keychain_find(ctx, name, key)
           && (*key != NULL
               || mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                             "%s: the Keychain does not have it", name->udf));
}

int mesh_keystore_open(struct mesh_context *ctx)
{
    ctx->keystore = NULL;
    return 1;
}

void mesh_keystore_close(struct mesh_context *ctx)
{
    ctx->keystore = NULL;
}

int mesh_keystore_holds(struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    SecKeyRef key;

    if (!mesh_keychain_find(ctx, name, &key))
        return 0;
    *held = key != NULL;
    mesh_keychain_release(key);
    return 1;
}

int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    SecKeyRef key;
    int ok;

    if (!find_held(ctx, name, &key))
        return 0;
    ok = mesh_keychain_operate(ctx, key, name, op, in, in_len, out, out_len);
    CFRelease(key);
    return ok;
}

int mesh_keystore_register_file(struct mesh_context *ctx, const char *path,
                                const char *passphrase_source,
                                const char *passphrase, size_t passphrase_len,
                                EVP_PKEY **public)
{
    (void)passphrase_source;
    (void)passphrase;
    (void)passphrase_len;
    *public = NULL;
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%.200s: on macOS no key is used in a file; import it "
                      "into the Keychain",
                      path);
}

static int delete_half(struct mesh_context *ctx, CFStringRef key_class,
                       CFStringRef attribute, CFTypeRef value, OSStatus *status)
{
    CFMutableDictionaryRef query =
        mesh_keychain_query(ctx, key_class, attribute, value);

    if (query == NULL)
        return 0;
    *status = SecItemDelete(query);
    CFRelease(query);
    return 1;
}

int mesh_keychain_delete(struct mesh_context *ctx, CFStringRef attribute,
                         CFTypeRef value)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    OSStatus status;

    if (!delete_half(ctx, kSecAttrKeyClassPrivate, attribute, value, &status))
        return 0;
    if (status != errSecSuccess)
        return mesh_status_raise(ctx, status, "delete a key", "");
    /* a public half is no secret, and may not be there */
    if (delete_half(&quiet, kSecAttrKeyClassPublic, attribute, value, &status)
        && status != errSecSuccess && status != errSecItemNotFound)
        mesh_trace(ctx, "a public half stays in the Keychain: status %ld",
                   (long)status);
    return 1;
}

int mesh_keystore_delete(struct mesh_context *ctx,
                         const struct mesh_key_name *name)
{
    CFDataRef label;
    SecKeyRef key;
    int ok;

    if (!find_held(ctx, name, &key))
        return 0;
    CFRelease(key);
    if ((label = label_of(ctx, name)) == NULL)
        return 0;
    ok = mesh_keychain_delete(ctx, kSecAttrApplicationLabel, label);
    CFRelease(label);
    return ok;
}

int mesh_keystore_lock(struct mesh_context *ctx)
{
    (void)ctx;
    return 1;
}

int mesh_keystore_status(struct mesh_context *ctx,
                         struct mesh_keystore_status *status)
{
    SecKeychainRef keychain = NULL;
    SecKeychainStatus state = 0;
    OSStatus answer;

    memset(status, 0, sizeof(*status));
    if (!mesh_keychain_enter(ctx))
        return 0;
    MESH_KEYCHAIN_DEPRECATED_BEGIN
    answer = SecKeychainCopyDefault(&keychain);
    if (answer == errSecSuccess)
        answer = SecKeychainGetStatus(keychain, &state);
    MESH_KEYCHAIN_DEPRECATED_END
    mesh_keychain_release(keychain);
    if (answer != errSecSuccess)
        return mesh_status_raise(ctx, answer, "look at the default keychain",
                                 "");
    OPENSSL_strlcpy(status->program, "Keychain of macOS (file-based)",
                    sizeof(status->program));
    status->pid = (int)getpid();
    status->locked = (state & kSecUnlockStateStatus) == 0;
    return 1;
}
