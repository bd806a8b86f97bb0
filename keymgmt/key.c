/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key object.
 */
#include "keymgmt/key.h"
#include "platform/system.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdatomic.h>

/* What became of a key that was made through us. */
enum { SETTLED, MADE, UNWRITTEN };

struct mesh_key {
    atomic_uint references;
    atomic_int state;
    long maker; /* a child after fork does not undo */
    struct mesh_context *ctx;
    EVP_PKEY *public;
    char *uri;
    const char *type;
    enum mesh_key_kind kind;
    struct mesh_key_name name; /* MESH_KEY_HELD */
    _Atomic(struct mesh_kept *) kept;
};

static struct mesh_key *make(struct mesh_context *ctx, EVP_PKEY *native,
                             const char *uri, enum mesh_key_kind kind,
                             const struct mesh_key_name *name)
{
    struct mesh_key *key = OPENSSL_zalloc(sizeof(*key));

    if (key == NULL)
        return NULL;
    atomic_init(&key->references, 1);
    key->ctx = ctx;
    key->kind = kind;
    if (name != NULL)
        key->name = *name;
    if ((uri != NULL && (key->uri = OPENSSL_strdup(uri)) == NULL)
        || (native != NULL && !EVP_PKEY_up_ref(native))) {
        OPENSSL_free(key->uri);
        OPENSSL_free(key);
        return NULL;
    }
    key->public = native;
    if (native != NULL)
        key->type = EVP_PKEY_get0_type_name(native);
    return key;
}

struct mesh_key *mesh_key_new(struct mesh_context *ctx, EVP_PKEY *native,
                              const char *uri, enum mesh_key_kind kind)
{
    struct mesh_key_name name;

    if (kind != MESH_KEY_HELD)
        return make(ctx, native, uri, kind, NULL);
    return mesh_key_name_of(ctx, native, &name)
               ? mesh_key_new_held(ctx, native, uri, &name)
               : NULL;
}

struct mesh_key *mesh_key_new_held(struct mesh_context *ctx, EVP_PKEY *native,
                                   const char *uri,
                                   const struct mesh_key_name *name)
{
    return make(ctx, native, uri, MESH_KEY_HELD, name);
}

struct mesh_key *mesh_key_new_made(struct mesh_context *ctx, EVP_PKEY *native,
                                   const char *uri)
{
    struct mesh_key *key = mesh_key_new(ctx, native, uri, MESH_KEY_HELD);

    if (key != NULL) {
        atomic_store(&key->state, MADE);
        key->maker = mesh_system_process();
    }
    return key;
}

int mesh_key_is_new(const struct mesh_key *key)
{
    return atomic_load(&key->state) != SETTLED;
}

void mesh_key_unwritten(const struct mesh_key *key)
{
    int made = MADE;

    atomic_compare_exchange_strong(&((struct mesh_key *)key)->state, &made,
                                   UNWRITTEN);
}

void mesh_key_settle(const struct mesh_key *key)
{
    atomic_store(&((struct mesh_key *)key)->state, SETTLED);
}

/* Nobody is there to be told whether it works. */
static void unmake(const struct mesh_key *key)
{
    struct mesh_context quiet = mesh_context_quiet(key->ctx);

    mesh_trace(key->ctx, "%s could not be written and is deleted again",
               key->uri);
    ERR_set_mark();
    if (!quiet.unmake_key(&quiet, key->public, key->uri))
        mesh_trace(key->ctx, "%s could not be deleted", key->uri);
    ERR_pop_to_mark();
}

struct mesh_key *mesh_key_new_empty(struct mesh_context *ctx, const char *type)
{
    struct mesh_key *key = mesh_key_new(ctx, NULL, NULL, MESH_KEY_PARAMETERS);

    if (key != NULL)
        key->type = type;
    return key;
}

static void release_kept(struct mesh_key *key)
{
    struct mesh_kept *kept = atomic_exchange(&key->kept, NULL);

    if (kept != NULL)
        kept->release(kept);
}

int mesh_key_keep(struct mesh_key *key, struct mesh_kept *kept)
{
    struct mesh_kept *none = NULL;

    return atomic_compare_exchange_strong(&key->kept, &none, kept);
}

const struct mesh_kept *mesh_key_kept(const struct mesh_key *key)
{
    return atomic_load(&((struct mesh_key *)key)->kept);
}

void mesh_key_fill(struct mesh_key *key, EVP_PKEY *native,
                   enum mesh_key_kind kind)
{
    release_kept(key);
    EVP_PKEY_free(key->public);
    key->public = native;
    key->kind = kind;
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
    if (atomic_load(&key->state) == UNWRITTEN
        && key->maker == mesh_system_process())
        unmake(key);
    release_kept(key);
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

enum mesh_key_kind mesh_key_kind(const struct mesh_key *key)
{
    return key->kind;
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
    if (key->kind != MESH_KEY_HELD)
        return mesh_raise(key->ctx, MESH_R_KEY_NOT_HELD,
                          "%s: this is the public half alone",
                          key->uri != NULL ? key->uri : "an imported key");
    mesh_key_settle(key);
    return mesh_keystore_operate(key->ctx, &key->name, op, in, in_len, out,
                                 out_len);
}
