/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The connections that a process keeps.
 */
#include "platform/linux/pool.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESS_BITS 22 /* the kernel's limit for a pid, too */
#define INODE_BITS   21
#define FD_BITS      20
#define SAME_BITS    (FD_BITS + INODE_BITS)
_Static_assert((MESH_POOL_SIZE & (MESH_POOL_SIZE - 1)) == 0, "a power of 2");
#define IN_USE    ((uint64_t)1 << SAME_BITS)
#define LOW(bits) (((uint64_t)1 << (bits)) - 1)

/* The pid is not enough: a child that is the first process of a PID namespace
 * may have its parent's. */
uint32_t mesh_pool_process(struct mesh_keystore *store)
{
    uint32_t id, count, fresh;

    if (store->process == NULL)
        return (uint32_t)getpid();
    id = atomic_load(store->process);
    if (id != 0)
        return id;
    /* counted before it is used: a child forked in between counts on */
    count = atomic_fetch_add(&store->processes, 1);
    fresh = (uint32_t)(count % LOW(PROCESS_BITS)) + 1;
    return atomic_compare_exchange_strong(store->process, &id, fresh) ? fresh
                                                                      : id;
}

static int is_ours(struct mesh_keystore *store, mesh_socket_word socket)
{
    return socket >> (SAME_BITS + 1) == mesh_pool_process(store);
}

/* The descriptor and its inode in their places; 0 if fd is no socket. */
static mesh_socket_word same_bits(int fd)
{
    struct stat st;

    if (fd > (int)LOW(FD_BITS) || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return 0;
    return ((uint64_t)st.st_ino & LOW(INODE_BITS)) << FD_BITS | (uint64_t)fd;
}

int mesh_connection_fd(const struct mesh_connection *c)
{
    return (int)(c->socket & LOW(FD_BITS));
}

int mesh_connection_is_open(const struct mesh_connection *c)
{
    return same_bits(mesh_connection_fd(c)) == (c->socket & LOW(SAME_BITS));
}

/* The i-th place to look at.  Every thread begins elsewhere, so that it gets
 * its own connection again: the kernel then keeps its partner near. */
static int place_of(int i)
{
    uint64_t self = (uint64_t)pthread_self();

    return (int)((self * UINT64_C(0x9E3779B97F4A7C15) >> 32) + (uint64_t)i)
           & (MESH_POOL_SIZE - 1);
}

int mesh_pool_take(struct mesh_keystore *store, struct mesh_connection *c)
{
    int i;

    for (i = 0; i < MESH_POOL_SIZE; i++) {
        int n = place_of(i);
        struct mesh_pool_place *place = &store->places[n];
        mesh_socket_word socket = atomic_load(&place->socket);

        if (socket == 0 || (socket & IN_USE) != 0 || !is_ours(store, socket)
            || !atomic_compare_exchange_strong(&place->socket, &socket,
                                               socket | IN_USE))
            continue;
        *c = (struct mesh_connection){socket | IN_USE, place->lane, n};
        return 1;
    }
    return 0;
}

int mesh_pool_has(struct mesh_keystore *store)
{
    int i;

    for (i = 0; i < MESH_POOL_SIZE; i++)
        if (is_ours(store, atomic_load(&store->places[i].socket)))
            return 1;
    return 0;
}

void mesh_pool_give_back(struct mesh_keystore *store, struct mesh_connection *c)
{
    if (c->place < 0)
        mesh_pool_drop(store, c);
    else
        atomic_store(&store->places[c->place].socket, c->socket & ~IN_USE);
}

void mesh_pool_drop(struct mesh_keystore *store, struct mesh_connection *c)
{
    int saved = errno;

    if (c->lane != NULL)
        mesh_lane_leave(c->lane); /* mesh-keyd sees the end at once */
    mesh_lane_free(c->lane);
    /* before the close: a child finds open ones alone */
    if (c->place >= 0)
        atomic_store(&store->places[c->place].socket, 0);
    if (mesh_connection_is_open(c))
        close(mesh_connection_fd(c));
    errno = saved;
}

int mesh_pool_add(struct mesh_keystore *store, int fd, struct mesh_lane *lane,
                  struct mesh_connection *c)
{
    int i;

    *c = (struct mesh_connection){same_bits(fd), lane, -1};
    if (c->socket == 0)
        return 0;
    c->socket |= (uint64_t)mesh_pool_process(store) << (SAME_BITS + 1) | IN_USE;
    for (i = 0; i < MESH_POOL_SIZE && c->place < 0; i++) {
        int n = place_of(i);
        struct mesh_pool_place *place = &store->places[n];
        mesh_socket_word none = 0;

        if (atomic_load(&place->socket) == 0
            && atomic_compare_exchange_strong(&place->socket, &none,
                                              c->socket)) {
            place->lane = lane;
            c->place = n;
        }
    }
    return 1;
}

int mesh_pool_inherited(struct mesh_keystore *store, int place,
                        struct mesh_connection *c)
{
    mesh_socket_word socket = atomic_load(&store->places[place].socket);

    *c = (struct mesh_connection){socket, NULL, place};
    return socket != 0 && !is_ours(store, socket);
}

int mesh_pool_is_heir(struct mesh_keystore *store)
{
    struct mesh_connection c;
    int i;

    for (i = 0; i < MESH_POOL_SIZE && !atomic_load(&store->heir); i++)
        if (mesh_pool_inherited(store, i, &c))
            atomic_store(&store->heir, 1);
    return atomic_load(&store->heir);
}

int mesh_keystore_open(struct mesh_context *ctx)
{
    struct mesh_keystore *store = OPENSSL_zalloc(sizeof(*store));
    const size_t size = sizeof(*store->process);
    int saved = errno;
    void *page;

    page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (store == NULL || page == MAP_FAILED) {
        if (page != MAP_FAILED)
            munmap(page, size);
        OPENSSL_free(store);
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    }
    if (madvise(page, size, MADV_WIPEONFORK) == 0)
        store->process = page;
    else
        munmap(page, size);
    ctx->keystore = store;
    errno = saved;
    return 1;
}

void mesh_keystore_close(struct mesh_context *ctx)
{
    struct mesh_keystore *store = ctx->keystore;
    struct mesh_connection c;
    int i, saved = errno;

    if (store == NULL)
        return;
    while (mesh_pool_take(store, &c))
        mesh_pool_drop(store, &c);
    for (i = 0; i < MESH_POOL_SIZE; i++)
        if (mesh_pool_inherited(store, i, &c))
            mesh_pool_drop(store, &c);
    if (store->process != NULL)
        munmap((void *)store->process, sizeof(*store->process));
    OPENSSL_free(store);
    ctx->keystore = NULL;
    errno = saved;
}
