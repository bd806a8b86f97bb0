/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout that was read last, kept for whoever opens it next.
 *
 * There is one, and who opens it has it: threads that come meanwhile read for
 * themselves.  So there is no lock, which a fork could leave taken, and no
 * reference count.
 */
#include "platform/posix/profiles_json.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* A file that was changed less than this before it was read may be changed
 * again without getting another time. */
#define SETTLED_SECONDS 2

struct mesh_layout_kept {
    _Atomic(struct mesh_layout *) layout;
};

void mesh_layout_keep(struct mesh_context *ctx)
{
    ctx->kept = OPENSSL_zalloc(sizeof(*ctx->kept));
}

void mesh_layout_forget(struct mesh_context *ctx)
{
    if (ctx->kept != NULL)
        mesh_layout_destroy(atomic_exchange(&ctx->kept->layout, NULL));
    OPENSSL_free(ctx->kept);
    ctx->kept = NULL;
}

static int is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino
           && a->st_size == b->st_size && is_same_time(&a->st_mtim, &b->st_mtim)
           && is_same_time(&a->st_ctim, &b->st_ctim);
}

struct mesh_layout *mesh_layout_take_kept(struct mesh_context *ctx,
                                          const char *home,
                                          const struct stat *st)
{
    struct mesh_layout *layout = atomic_exchange(&ctx->kept->layout, NULL);

    if (layout != NULL
        && (!is_same(&layout->read, st) || strcmp(layout->home, home) != 0)) {
        mesh_layout_destroy(layout);
        layout = NULL;
    }
    return layout;
}

void mesh_layout_may_keep(struct mesh_context *ctx, struct mesh_layout *layout,
                          const struct stat *st)
{
    struct timespec now;

    if (ctx->kept == NULL || st->st_ino == 0
        || clock_gettime(CLOCK_REALTIME, &now) != 0
        || now.tv_sec < st->st_ctim.tv_sec + SETTLED_SECONDS)
        return;
    layout->read = *st;
    layout->kept = ctx->kept;
}

int mesh_layout_give_kept(struct mesh_layout *layout)
{
    struct mesh_layout *none = NULL;

    return layout->kept != NULL
           && atomic_compare_exchange_strong(&layout->kept->layout, &none,
                                             layout);
}
