/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The keys: looked for in the sources, proved, and kept in memory for a while.
 */
#include "platform/linux/keyd/keys.h"

#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/harden.h"
#include "platform/linux/keyd/key_data.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define BUCKETS  256
#define PREPARED 4 /* of one key; more take each other's place */

struct entry {
    struct entry *next;
    struct mesh_key_name name;
    EVP_PKEY *key;
    struct mesh_prepared *prepared[PREPARED];
    unsigned next_prepared;
    time_t loaded, used; /* CLOCK_BOOTTIME: a suspended machine ages keys too */
};

struct mesh_keys {
    struct mesh_key_source *sources[MESH_KEY_SOURCES_MAX];
    size_t source_count;
    time_t key_timeout, idle_timeout;
    pthread_mutex_t mutex; /* for what follows; never held while blocking */
    struct entry *buckets[BUCKETS];
    unsigned cached;
    unsigned generation; /* counts mesh_keys_forget() */
};

static time_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec;
}

struct mesh_keys *mesh_keys_new(unsigned key_timeout, unsigned idle_timeout)
{
    struct mesh_keys *keys = OPENSSL_zalloc(sizeof(*keys));

    if (keys == NULL)
        return NULL;
    keys->key_timeout = key_timeout;
    keys->idle_timeout = idle_timeout;
    pthread_mutex_init(&keys->mutex, NULL);
    return keys;
}

void mesh_keys_free(struct mesh_keys *keys)
{
    if (keys == NULL)
        return;
    mesh_keys_forget(keys);
    for (size_t i = 0; i < keys->source_count; i++)
        keys->sources[i]->free(keys->sources[i]);
    pthread_mutex_destroy(&keys->mutex);
    OPENSSL_free(keys);
}

void mesh_keys_add_source(struct mesh_keys *keys,
                          struct mesh_key_source *source)
{
    OPENSSL_assert(keys->source_count < MESH_KEY_SOURCES_MAX);
    keys->sources[keys->source_count++] = source;
}

static int expired(const struct mesh_keys *keys, const struct entry *entry,
                   time_t t)
{
    return t - entry->loaded >= keys->key_timeout
           || t - entry->used >= keys->idle_timeout;
}

/* Takes an entry out and puts it on a list to be freed without the lock. */
static void unlink_entry(struct mesh_keys *keys, struct entry **at,
                         struct entry **dead)
{
    struct entry *entry = *at;

    *at = entry->next;
    entry->next = *dead;
    *dead = entry;
    keys->cached--;
}

static void free_entries(struct entry *entry)
{
    struct entry *next;

    for (; entry != NULL; entry = next) {
        next = entry->next;
        for (size_t i = 0; i < PREPARED; i++)
            mesh_prepared_free(entry->prepared[i]);
        EVP_PKEY_free(entry->key);
        OPENSSL_free(entry);
    }
}

/* The entry of that name with the lock held, or NULL. */
static struct entry **lookup(struct mesh_keys *keys,
                             const unsigned char spki_sha256[32])
{
    struct entry **at = &keys->buckets[spki_sha256[0]];

    while (*at != NULL && memcmp((*at)->name.spki_sha256, spki_sha256, 32) != 0)
        at = &(*at)->next;
    return *at == NULL ? NULL : at;
}

/* The entry of that name with the lock held, if its time is not over; it is
 * being used. */
static struct entry *use(struct mesh_keys *keys,
                         const struct mesh_key_name *name)
{
    struct entry **at = lookup(keys, name->spki_sha256);
    time_t t = now();

    if (at == NULL || strcmp((*at)->name.udf, name->udf) != 0
        || expired(keys, *at, t))
        return NULL;
    (*at)->used = t;
    return *at;
}

/* A reference from memory, or NULL; *generation tells whether keys were
 * forgotten between this and keep(). */
static EVP_PKEY *from_memory(struct mesh_keys *keys,
                             const struct mesh_key_name *name,
                             unsigned *generation)
{
    struct entry *entry;
    EVP_PKEY *key = NULL;

    pthread_mutex_lock(&keys->mutex);
    entry = use(keys, name);
    if (entry != NULL && EVP_PKEY_up_ref(entry->key))
        key = entry->key;
    *generation = keys->generation;
    pthread_mutex_unlock(&keys->mutex);
    return key;
}

static void keep(struct mesh_keys *keys, const struct mesh_key_name *name,
                 EVP_PKEY *key, unsigned generation)
{
    struct entry *entry = OPENSSL_zalloc(sizeof(*entry)), *dead = NULL, **at;

    if (entry == NULL)
        return;
    entry->name = *name;
    entry->loaded = entry->used = now();
    pthread_mutex_lock(&keys->mutex);
    if (keys->generation == generation && EVP_PKEY_up_ref(key)) {
        entry->key = key;
        at = lookup(keys, name->spki_sha256);
        if (at != NULL)
            unlink_entry(keys, at, &dead);
        entry->next = keys->buckets[name->spki_sha256[0]];
        keys->buckets[name->spki_sha256[0]] = entry;
        keys->cached++;
        entry = NULL;
    }
    pthread_mutex_unlock(&keys->mutex);
    OPENSSL_free(entry);
    free_entries(dead);
}

static void sweep(struct mesh_keys *keys, int all, time_t *next)
{
    struct entry *dead = NULL, **at;
    time_t t = now();

    pthread_mutex_lock(&keys->mutex);
    if (all)
        keys->generation++;
    for (size_t i = 0; i < BUCKETS; i++)
        for (at = &keys->buckets[i]; *at != NULL;) {
            time_t aged = (*at)->loaded + keys->key_timeout - t;
            time_t idle = (*at)->used + keys->idle_timeout - t;

            if (all || expired(keys, *at, t)) {
                unlink_entry(keys, at, &dead);
                continue;
            }
            if (aged < *next)
                *next = aged;
            if (idle < *next)
                *next = idle;
            at = &(*at)->next;
        }
    pthread_mutex_unlock(&keys->mutex);
    free_entries(dead);
    mesh_wipe_stack();
}

void mesh_keys_forget(struct mesh_keys *keys)
{
    time_t next = 0;

    sweep(keys, 1, &next);
}

unsigned mesh_keys_expire(struct mesh_keys *keys)
{
    time_t next = keys->key_timeout < keys->idle_timeout ? keys->key_timeout
                                                         : keys->idle_timeout;

    sweep(keys, 0, &next);
    return (unsigned)next;
}

/* The second link of the chain of proof: what a source handed out is the
 * private half of the key that was named, by both parts of the name: one finds
 * the key, the other stands in the log. */
static int prove(struct mesh_context *ctx, const struct mesh_key_source *source,
                 const struct mesh_key_name *name, EVP_PKEY *key)
{
    struct mesh_key_name own;

    if (!mesh_key_check(ctx, key) || !mesh_key_name_of(ctx, key, &own))
        return 0;
    if (memcmp(own.spki_sha256, name->spki_sha256, 32) != 0)
        return mesh_raise(ctx, MESH_R_KEY_MISMATCH,
                          "%s: the %s has another private key under this name",
                          name->udf, source->name);
    if (strcmp(own.udf, name->udf) != 0)
        return mesh_raise(ctx, MESH_R_KEY_MISMATCH,
                          "%s: the fingerprint of this private key is %s",
                          name->udf, own.udf);
    return 1;
}

int mesh_keys_hold(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_key_name *name, int *held)
{
    struct mesh_failure first = {MESH_R_NONE, ""}, failure;
    unsigned generation;
    EVP_PKEY *key = from_memory(keys, name, &generation);

    *held = key != NULL;
    EVP_PKEY_free(key);
    for (size_t i = 0; i < keys->source_count && !*held; i++) {
        struct mesh_context local = mesh_failure_context(ctx, &failure);
        struct mesh_key_source *source = keys->sources[i];

        if (!source->holds(source, &local, name, held)
            && first.reason == MESH_R_NONE)
            first = failure;
    }
    if (!*held && first.reason != MESH_R_NONE)
        return mesh_failure_raise(ctx, &first);
    return 1;
}

int mesh_keys_find(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_key_name *name,
                   const struct mesh_patience *patience, EVP_PKEY **key)
{
    struct mesh_failure first = {MESH_R_NONE, ""}, failure;
    unsigned generation;

    *key = from_memory(keys, name, &generation);
    if (*key != NULL)
        return 1;
    /* One source that fails must not hide the key that another one has. */
    for (size_t i = 0; i < keys->source_count; i++) {
        struct mesh_context local = mesh_failure_context(ctx, &failure);
        struct mesh_key_source *source = keys->sources[i];
        int ok = source->find(source, &local, name, patience, key)
                 && (*key == NULL || prove(&local, source, name, *key));

        mesh_wipe_stack();
        if (ok && *key != NULL) {
            keep(keys, name, *key, generation);
            return 1;
        }
        EVP_PKEY_free(*key);
        *key = NULL;
        if (!ok && first.reason == MESH_R_NONE)
            first = failure;
    }
    if (first.reason != MESH_R_NONE)
        return mesh_failure_raise(ctx, &first);
    return mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                      "%s: neither the Secret Service nor a registered key "
                      "file has the private key",
                      name->udf);
}

static struct mesh_prepared *find_prepared(const struct entry *entry,
                                           const struct mesh_private_op *op)
{
    for (size_t i = 0; entry != NULL && i < PREPARED; i++)
        if (entry->prepared[i] != NULL
            && mesh_prepared_is(entry->prepared[i], op))
            return mesh_prepared_up_ref(entry->prepared[i]);
    return NULL;
}

struct mesh_prepared *mesh_keys_prepared(struct mesh_keys *keys,
                                         const struct mesh_key_name *name,
                                         const struct mesh_private_op *op)
{
    struct mesh_prepared *prepared;

    pthread_mutex_lock(&keys->mutex);
    prepared = find_prepared(use(keys, name), op);
    pthread_mutex_unlock(&keys->mutex);
    return prepared;
}

struct mesh_prepared *mesh_keys_prepare(struct mesh_keys *keys,
                                        struct mesh_context *ctx,
                                        const struct mesh_key_name *name,
                                        EVP_PKEY *key,
                                        const struct mesh_private_op *op)
{
    struct mesh_prepared *prepared = mesh_operate_prepare(ctx, key, op);
    struct mesh_prepared *other, *old = NULL;
    struct entry *entry;

    if (prepared == NULL || !mesh_prepared_is(prepared, op))
        return prepared; /* not again */
    pthread_mutex_lock(&keys->mutex);
    entry = use(keys, name);
    if (entry != NULL && entry->key != key)
        entry = NULL; /* forgotten, and read again */
    other = find_prepared(entry, op);
    if (entry != NULL && other == NULL) {
        old = entry->prepared[entry->next_prepared];
        entry->prepared[entry->next_prepared] = mesh_prepared_up_ref(prepared);
        entry->next_prepared = (entry->next_prepared + 1) % PREPARED;
    }
    pthread_mutex_unlock(&keys->mutex);
    mesh_prepared_free(old);
    if (other == NULL)
        return prepared;
    mesh_prepared_free(prepared); /* another thread was faster */
    return other;
}

int mesh_keys_store(struct mesh_keys *keys, struct mesh_context *ctx,
                    EVP_PKEY *key, const struct mesh_patience *patience)
{
    struct mesh_key_name name;
    int held = 0;

    if (!mesh_key_name_of(ctx, key, &name))
        return 0;
    for (size_t i = 0; i < keys->source_count; i++) {
        struct mesh_key_source *source = keys->sources[i];

        if (!source->holds(source, ctx, &name, &held))
            return 0;
        if (held)
            return mesh_raise(ctx, MESH_R_KEY_EXISTS,
                              "%s: the private key is in the %s already",
                              name.udf, source->name);
    }
    for (size_t i = 0; i < keys->source_count; i++)
        if (keys->sources[i]->store != NULL)
            return keys->sources[i]->store(keys->sources[i], ctx, &name, key,
                                           patience);
    return mesh_raise(ctx, MESH_R_NO_SECRET_SERVICE,
                      "there is no place that takes new keys");
}

int mesh_keys_remove(struct mesh_keys *keys, struct mesh_context *ctx,
                     const struct mesh_key_name *name,
                     const struct mesh_patience *patience)
{
    struct mesh_failure first = {MESH_R_NONE, ""}, failure;
    struct entry *dead = NULL, **at;
    int removed, any = 0;

    for (size_t i = 0; i < keys->source_count; i++) {
        struct mesh_context local = mesh_failure_context(ctx, &failure);
        struct mesh_key_source *source = keys->sources[i];

        removed = 0;
        if (!source->remove(source, &local, name, patience, &removed)
            && first.reason == MESH_R_NONE)
            first = failure;
        any |= removed;
    }
    pthread_mutex_lock(&keys->mutex);
    at = lookup(keys, name->spki_sha256);
    if (at != NULL)
        unlink_entry(keys, at, &dead);
    keys->generation++; /* nor may a look-up under way bring it back */
    pthread_mutex_unlock(&keys->mutex);
    free_entries(dead);
    /* What one source has removed may be in the other still, which failed; a
     * server has no Secret Service. */
    if (first.reason != MESH_R_NONE
        && !(any && first.reason == MESH_R_NO_SECRET_SERVICE))
        return mesh_failure_raise(ctx, &first);
    if (any)
        return 1;
    return mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                      "%s: there is no such private key to delete", name->udf);
}

struct item_list {
    struct mesh_keystore_item *items;
    size_t count, room;
};

static int add_item(void *arg, const struct mesh_keystore_item *item)
{
    struct item_list *list = arg;

    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : 2 * list->room;
        struct mesh_keystore_item *grown =
            OPENSSL_realloc(list->items, room * sizeof(*grown));

        if (grown == NULL)
            return 0;
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = *item;
    return 1;
}

int mesh_keys_list(struct mesh_keys *keys, struct mesh_context *ctx,
                   const struct mesh_patience *patience,
                   struct mesh_keystore_item **items, size_t *count)
{
    struct mesh_failure first = {MESH_R_NONE, ""}, failure;
    struct item_list list = {NULL, 0, 0};

    for (size_t i = 0; i < keys->source_count; i++) {
        struct mesh_context local = mesh_failure_context(ctx, &failure);
        struct mesh_key_source *source = keys->sources[i];

        if (!source->list(source, &local, patience, add_item, &list)
            && first.reason == MESH_R_NONE)
            first = failure;
    }
    /* A server has no Secret Service, and its key files are a list still. */
    if (first.reason != MESH_R_NONE
        && (first.reason != MESH_R_NO_SECRET_SERVICE || list.count == 0)) {
        OPENSSL_free(list.items);
        return mesh_failure_raise(ctx, &first);
    }
    *items = list.items;
    *count = list.count;
    return 1;
}

void mesh_keys_status(struct mesh_keys *keys, struct mesh_context *ctx,
                      struct mesh_keystore_status *status)
{
    pthread_mutex_lock(&keys->mutex);
    status->cached = keys->cached;
    pthread_mutex_unlock(&keys->mutex);
    for (size_t i = 0; i < keys->source_count; i++)
        if (keys->sources[i]->status != NULL)
            keys->sources[i]->status(keys->sources[i], ctx, status);
}
