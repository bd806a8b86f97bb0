/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A source of keys for the tests.
 */
#include "tests/linux/memory_source.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/operate.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <time.h>

#define TEST_KEYS_MAX 64

/* The connections of a test use the source at the same time. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int enter(struct memory_source *memory, struct mesh_context *ctx)
{
    enum mesh_reason reason = (enum mesh_reason)atomic_load(&memory->fails);

    atomic_fetch_add(&memory->calls, 1);
    return reason == MESH_R_NONE || mesh_raise(ctx, reason, "on order");
}

static size_t place_of(const struct memory_source *memory,
                       const struct mesh_key_name *name)
{
    size_t i = 0;

    while (i < MEMORY_KEYS_MAX
           && (memory->keys[i] == NULL
               || memcmp(memory->names[i].spki_sha256, name->spki_sha256, 32)
                      != 0))
        i++;
    return i;
}

static int memory_holds(struct mesh_key_source *source,
                        struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    struct memory_source *memory = (struct memory_source *)source;

    if (!enter(memory, ctx))
        return 0;
    pthread_mutex_lock(&mutex);
    *held = place_of(memory, name) < MEMORY_KEYS_MAX;
    pthread_mutex_unlock(&mutex);
    return 1;
}

static int memory_find(struct mesh_key_source *source, struct mesh_context *ctx,
                       const struct mesh_key_name *name,
                       const struct mesh_patience *patience, EVP_PKEY **key)
{
    struct memory_source *memory = (struct memory_source *)source;
    int delay = atomic_load(&memory->delay_ms);
    const struct timespec pause = {.tv_sec = delay / 1000,
                                   .tv_nsec = delay % 1000 * 1000000L};
    size_t i;

    *key = NULL;
    atomic_fetch_add(&memory->finds, 1);
    if (!enter(memory, ctx))
        return 0;
    nanosleep(&pause, NULL);
    if (atomic_load(&memory->locked)) {
        if (!patience->may_prompt)
            return mesh_raise(ctx, MESH_R_LOCKED, "nobody may be asked");
        atomic_store(&memory->locked, 0);
    }
    pthread_mutex_lock(&mutex);
    i = place_of(memory, name);
    if (i < MEMORY_KEYS_MAX && EVP_PKEY_up_ref(memory->keys[i]))
        *key = memory->keys[i];
    pthread_mutex_unlock(&mutex);
    return 1;
}

void memory_source_put(struct memory_source *memory,
                       const struct mesh_key_name *name, EVP_PKEY *key)
{
    size_t i = 0;

    pthread_mutex_lock(&mutex);
    while (i < MEMORY_KEYS_MAX && memory->keys[i] != NULL)
        i++;
    assert_true(i < MEMORY_KEYS_MAX);
    EVP_PKEY_up_ref(key);
    memory->keys[i] = key;
    memory->names[i] = *name;
    pthread_mutex_unlock(&mutex);
}

static int memory_store(struct mesh_key_source *source,
                        struct mesh_context *ctx,
                        const struct mesh_key_name *name, EVP_PKEY *key,
                        const struct mesh_patience *patience)
{
    struct memory_source *memory = (struct memory_source *)source;

    (void)patience;
    if (!enter(memory, ctx))
        return 0;
    memory_source_put(memory, name, key);
    return 1;
}

static int memory_remove(struct mesh_key_source *source,
                         struct mesh_context *ctx,
                         const struct mesh_key_name *name,
                         const struct mesh_patience *patience, int *removed)
{
    struct memory_source *memory = (struct memory_source *)source;
    EVP_PKEY *key = NULL;
    size_t i;

    (void)patience;
    if (!enter(memory, ctx))
        return 0;
    pthread_mutex_lock(&mutex);
    i = place_of(memory, name);
    *removed = i < MEMORY_KEYS_MAX;
    if (*removed) {
        key = memory->keys[i];
        memory->keys[i] = NULL;
    }
    pthread_mutex_unlock(&mutex);
    EVP_PKEY_free(key);
    return 1;
}

static int memory_list(struct mesh_key_source *source, struct mesh_context *ctx,
                       const struct mesh_patience *patience, mesh_item_fn *item,
                       void *arg)
{
    struct memory_source *memory = (struct memory_source *)source;
    int ok = 1;

    (void)patience;
    if (!enter(memory, ctx))
        return 0;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; ok && i < MEMORY_KEYS_MAX; i++) {
        struct mesh_keystore_item entry = {.name = memory->names[i],
                                           .source = "memory"};

        if (memory->keys[i] == NULL)
            continue;
        OPENSSL_strlcpy(entry.algorithm, mesh_algorithm_of(memory->keys[i]),
                        sizeof(entry.algorithm));
        ok = item(arg, &entry);
    }
    pthread_mutex_unlock(&mutex);
    return ok;
}

static void memory_status(struct mesh_key_source *source,
                          struct mesh_context *ctx,
                          struct mesh_keystore_status *status)
{
    struct memory_source *memory = (struct memory_source *)source;

    (void)ctx;
    status->locked = atomic_load(&memory->locked);
}

static void memory_free(struct mesh_key_source *source)
{
    ((struct memory_source *)source)->freed = 1;
}

void memory_source_init(struct memory_source *memory)
{
    memset(memory, 0, sizeof(*memory));
    memory->source = (struct mesh_key_source){
        .name = "memory",
        .holds = memory_holds,
        .find = memory_find,
        .store = memory_store,
        .remove = memory_remove,
        .list = memory_list,
        .status = memory_status,
        .free = memory_free,
    };
}

void memory_source_clear(struct memory_source *memory)
{
    for (size_t i = 0; i < MEMORY_KEYS_MAX; i++) {
        EVP_PKEY_free(memory->keys[i]);
        memory->keys[i] = NULL;
    }
}

EVP_PKEY *test_key(struct mesh_context *ctx, const char *algorithm)
{
    static struct {
        char name[32];
        EVP_PKEY *key;
    } made[TEST_KEYS_MAX];
    size_t i = 0;

    if (ctx == NULL) {
        for (; i < TEST_KEYS_MAX; i++) {
            EVP_PKEY_free(made[i].key);
            made[i].key = NULL;
        }
        return NULL;
    }
    while (i < TEST_KEYS_MAX - 1 && made[i].key != NULL
           && strcmp(made[i].name, algorithm) != 0)
        i++;
    if (made[i].key == NULL) {
        OPENSSL_strlcpy(made[i].name, algorithm, sizeof(made[i].name));
        assert_true(mesh_operate_generate(ctx, algorithm, &made[i].key));
    }
    return made[i].key;
}
