/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Keychain: what the files of this folder share.
 *
 * macOS has two.  A module has the entitlements of the program that loads it,
 * which are none for those that we are made for, and the data protection
 * keychain wants some: so every query says that the file-based one is meant.
 * Left out, both are asked.
 */
#ifndef MESH_PLATFORM_MACOS_KEYCHAIN_H
#define MESH_PLATFORM_MACOS_KEYCHAIN_H

#include "platform/keystore.h"

/* Not Security.h, which would need more than we do. */
#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>
#include <Security/SecCertificate.h>
#include <Security/SecImportExport.h>
#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <Security/SecKeychain.h>

/* What the labels of our keys begin with; the fingerprint follows. */
#define MESH_KEYCHAIN_PREFIX "mmm:"
#define MESH_KEYCHAIN_LABEL_MAX                                                \
    (sizeof(MESH_KEYCHAIN_PREFIX) + MESH_UDF_TEXT_MAX)

/* The functions that name a file-based keychain are deprecated, and there are
 * no others. */
#define MESH_KEYCHAIN_DEPRECATED_BEGIN                                         \
    _Pragma("GCC diagnostic push")                                             \
        _Pragma("GCC diagnostic ignored \"-Wdeprecated-declarations\"")
#define MESH_KEYCHAIN_DEPRECATED_END _Pragma("GCC diagnostic pop")

/*
 * Before anything is asked: fails with MESH_R_OPERATION_UNSUPPORTED in a
 * process that forked from one that has used the Keychain, where nothing of it
 * works.  If the configuration forbids prompts, forbids them, for the whole
 * process: there is no other way.
 */
int mesh_keychain_enter(struct mesh_context *ctx);

/* Whether the Keychain can hold such a key: MESH_FAMILY_…, length in bits. */
int mesh_keychain_takes(unsigned family, unsigned bits);
/* Raises that it cannot.  Is 0. */
int mesh_keychain_refuse(struct mesh_context *ctx, const char *what,
                         unsigned family, unsigned bits);

void mesh_keychain_release(CFTypeRef object); /* NULL is allowed */

/* One entry of a dictionary. */
struct mesh_keychain_pair {
    CFStringRef key;
    CFTypeRef value; /* NULL: it could not be made */
};
/* A dictionary of count pairs, the caller's; NULL with MESH_R_MEMORY raised. */
CFMutableDictionaryRef
mesh_keychain_dictionary(struct mesh_context *ctx,
                         const struct mesh_keychain_pair *pairs, size_t count);
/* Keys of a class (kSecAttrKeyClassPrivate …) in the file-based keychain whose
 * attribute has a value. */
CFMutableDictionaryRef mesh_keychain_query(struct mesh_context *ctx,
                                           CFStringRef key_class,
                                           CFStringRef attribute,
                                           CFTypeRef value);
/* NULL with MESH_R_MEMORY raised. */
CFDataRef mesh_keychain_data(struct mesh_context *ctx, const void *octets,
                             size_t len);
CFStringRef mesh_keychain_text(struct mesh_context *ctx, const char *text);

/* Looks for the private half: *key is the caller's, or NULL if it is not there.
 * Fails with MESH_R_KEY_DUPLICATE if it is there twice and with
 * MESH_R_KEY_MISMATCH if its public half is another key's.  No prompt. */
int mesh_keychain_find(struct mesh_context *ctx,
                       const struct mesh_key_name *name, SecKeyRef *key);

/* The public half of a private key, as SubjectPublicKeyInfo: *spki is the
 * caller's (OPENSSL_free).  Success with *spki NULL if the Keychain does not
 * have it: of a private key that came alone. */
int mesh_keychain_public(struct mesh_context *ctx, SecKeyRef key,
                         unsigned char **spki, size_t *len);

/* Deletes what has the value, private half and public half. */
int mesh_keychain_delete(struct mesh_context *ctx, CFStringRef attribute,
                         CFTypeRef value);

/* One use of a key that was found. */
int mesh_keychain_operate(struct mesh_context *ctx, SecKeyRef key,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len);

#endif
