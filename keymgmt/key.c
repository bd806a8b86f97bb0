/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key object.
 */
#include "keymgmt/key.h"

#include <openssl/crypto.h>
#include <stdatomic.h>

struct mesh_key {
    atomic_uint references;
    struct mesh_context *ctx;
    EVP_PKEY *public;
    char *uri;
    const char *type;
    int is_private;
    struct mesh_key_name name; /* of a private key alone */
};

struct mesh_key *mesh_key_new(struct mesh_context *ctx, EVP_PKEY *public,
                              const char *uri, int is_private)
{
    struct mesh_key *key = OPENSSL_zalloc(sizeof(*key));

    if (key == NULL)
        return NULL;
    atomic_init(&key->references, 1);
    key->ctx = ctx;
    key->is_private = is_private;
    if ((uri != NULL && (key->uri = OPENSSL_strdup(uri)) == NULL)
        || (is_private && !mesh_key_name_of(ctx, public, &key->name))
        || (public != NULL && !EVP_PKEY_up_ref(public))) {
        OPENSSL_free(key->uri);
        OPENSSL_free(key);
        return NULL;
    }
    key->public = public;
    if (public != NULL)
        key->type = EVP_PKEY_get0_type_name(public);
    return key;
}

struct mesh_key *mesh_key_new_empty(struct mesh_context *ctx, const char *type)
{
    struct mesh_key *key = mesh_key_new(ctx, NULL, NULL, 0);

    if (key != NULL)
        key->type = type;
    return key;
}

void mesh_key_fill(struct mesh_key *key, EVP_PKEY *public)
{
    EVP_PKEY_free(key->public);
    key->public = public;
}

struct mesh_key *mesh_key_up_ref(struct mesh_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void mesh_key_free(struct mesh_key *key)
{
    if (key == NULL
        || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel)
               != 1)
        return;
    EVP_PKEY_free(key->public);
    OPENSSL_free(key->uri);
    OPENSSL_free(key);
}

struct mesh_context *mesh_key_context(const struct mesh_key *key)
{
    return key->ctx;
}

EVP_PKEY *mesh_key_public(const struct mesh_key *key)
{
    return key->public;
}

int mesh_key_is_private(const struct mesh_key *key)
{
    return key->is_private;
}

const char *mesh_key_uri(const struct mesh_key *key)
{
    return key->uri;
}

const char *mesh_key_type(const struct mesh_key *key)
{
    return key->type;
}

int mesh_key_operate(struct mesh_key *key, const struct mesh_private_op *op,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len)
{
    if (!key->is_private)
        return mesh_raise(key->ctx, MESH_R_KEY_NOT_HELD,
                          "%s: this is the public half alone",
                          key->uri != NULL ? key->uri : "an imported key");
    return mesh_keystore_operate(key->ctx, &key->name, op, in, in_len, out,
                                 out_len);
}
