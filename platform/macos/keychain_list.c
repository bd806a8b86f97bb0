/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the Keychain holds of ours: the keys that are labelled so.  Others can
 * be used, too, but are not ours to count.
 */
#include "platform/macos/keychain.h"

#include "platform/algorithm.h"
#include "platform/macos/status.h"
#include "platform/public_der.h"

#include <openssl/crypto.h>
#include <string.h>

struct list {
    struct mesh_keystore_item *items;
    size_t count;
};

static int is_ours(CFDictionaryRef attributes)
{
    CFTypeRef label = CFDictionaryGetValue(attributes, kSecAttrLabel);
    char text[MESH_KEYCHAIN_LABEL_MAX];

    return label != NULL && CFGetTypeID(label) == CFStringGetTypeID()
           && CFStringGetCString(label, text, sizeof(text),
                                 kCFStringEncodingUTF8)
           && strncmp(text, MESH_KEYCHAIN_PREFIX, strlen(MESH_KEYCHAIN_PREFIX))
                  == 0;
}

static int add(struct mesh_context *ctx, EVP_PKEY *public, struct list *list)
{
    struct mesh_keystore_item *items =
        OPENSSL_realloc(list->items, (list->count + 1) * sizeof(*list->items));
    struct mesh_keystore_item *item;

    if (items == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "list keys");
    list->items = items;
    item = &items[list->count];
    memset(item, 0, sizeof(*item));
    if (!mesh_key_name_of(ctx, public, &item->name))
        return 0;
    OPENSSL_strlcpy(item->algorithm, mesh_algorithm_of(public),
                    sizeof(item->algorithm));
    OPENSSL_strlcpy(item->source, "keychain", sizeof(item->source));
    list->count++;
    return 1;
}

/* One of ours is left out if its public half is not there: it has no name. */
static int add_found(struct mesh_context *ctx, CFDictionaryRef attributes,
                     struct list *list)
{
    CFTypeRef key = CFDictionaryGetValue(attributes, kSecValueRef);
    EVP_PKEY *public = NULL;
    unsigned char *spki = NULL;
    size_t len;
    int ok;

    if (!is_ours(attributes) || key == NULL
        || CFGetTypeID(key) != SecKeyGetTypeID())
        return 1;
    ok = mesh_keychain_public(ctx, (SecKeyRef)(uintptr_t)key, &spki, &len);
    if (ok && spki != NULL)
    public = mesh_public_read(ctx, spki, len);
    OPENSSL_free(spki);
    if (public != NULL)
        ok = add(ctx, public, list);
    else if (ok)
        mesh_trace(ctx, "a key in the Keychain is left out: without its "
                        "public half");
    EVP_PKEY_free(public);
    return ok;
}

/* All private keys, each with its attributes; *found is NULL if there are none.
 */
static int ask(struct mesh_context *ctx, CFTypeRef *found)
{
    CFMutableDictionaryRef query = mesh_keychain_query(
        ctx, kSecAttrKeyClassPrivate, kSecMatchLimit, kSecMatchLimitAll);
    OSStatus status;

    *found = NULL;
    if (query == NULL)
        return 0;
    CFDictionarySetValue(query, kSecReturnRef, kCFBooleanTrue);
    CFDictionarySetValue(query, kSecReturnAttributes, kCFBooleanTrue);
    status = SecItemCopyMatching(query, found);
    CFRelease(query);
    return status == errSecSuccess || status == errSecItemNotFound
           || mesh_status_raise(ctx, status, "list keys", "");
}

int mesh_keystore_list(struct mesh_context *ctx,
                       struct mesh_keystore_item **items, size_t *count)
{
    struct list list = {NULL, 0};
    CFTypeRef found = NULL, one;
    int ok;

    *items = NULL;
    *count = 0;
    ok = mesh_keychain_enter(ctx) && ask(ctx, &found);
    if (found != NULL && CFGetTypeID(found) == CFArrayGetTypeID())
        for (CFIndex i = 0; ok && i < CFArrayGetCount(found); i++) {
            one = CFArrayGetValueAtIndex(found, i);
            if (CFGetTypeID(one) == CFDictionaryGetTypeID())
                ok = add_found(ctx, one, &list);
        }
    mesh_keychain_release(found);
    if (!ok) {
        OPENSSL_free(list.items);
        return 0;
    }
    *items = list.items;
    *count = list.count;
    return 1;
}
