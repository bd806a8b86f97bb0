/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What keeps private keys out of other hands and out of freed memory.
 */
#include "platform/linux/keyd/harden.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SECURE_HEAP_MAX ((size_t)4 << 20)
#define SECURE_HEAP_MIN ((size_t)64 << 10)
#define SECURE_UNIT_MIN 32

/* libcrypto decodes keys through plain buffers and keeps Montgomery forms of
 * the primes outside the secure heap; wiping every block covers them all. */
static void *wiping_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 ? NULL : malloc(size);
}

static void wiping_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block == NULL)
        return;
    OPENSSL_cleanse(block, malloc_usable_size(block));
    free(block);
}

/* realloc() would move the block and leave the old one as it was. */
static void *wiping_realloc(void *block, size_t size, const char *file,
                            int line)
{
    size_t old = block == NULL ? 0 : malloc_usable_size(block);
    void *moved;

    if (size == 0) {
        wiping_free(block, file, line);
        return NULL;
    }
    moved = malloc(size);
    if (moved == NULL || block == NULL)
        return moved;
    memcpy(moved, block, old < size ? old : size);
    wiping_free(block, file, line);
    return moved;
}

int mesh_harden_allocator(void)
{
    return CRYPTO_set_mem_functions(wiping_malloc, wiping_realloc, wiping_free);
}

int mesh_harden_process(const char **failed)
{
    const struct rlimit none = {0, 0};

    umask(077);
    if (setrlimit(RLIMIT_CORE, &none) < 0) {
        *failed = "RLIMIT_CORE";
        return 0;
    }
    /* after a change of identity the kernel may have set it again */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        *failed = "PR_SET_DUMPABLE";
        return 0;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        *failed = "PR_SET_NO_NEW_PRIVS";
        return 0;
    }
    return 1;
}

size_t mesh_harden_secure_heap(void)
{
    struct rlimit limit;
    size_t size = SECURE_HEAP_MAX;

    /* libsecret locks memory too: leave it a half */
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0
        && limit.rlim_cur != RLIM_INFINITY)
        while (size > limit.rlim_cur / 2 && size >= SECURE_HEAP_MIN)
            size /= 2;
    if (size < SECURE_HEAP_MIN)
        return 0;
    /* 2: made, but not everything about it could be locked or guarded */
    return CRYPTO_secure_malloc_init(size, SECURE_UNIT_MIN) == 1 ? size : 0;
}
