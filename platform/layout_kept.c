/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout that was read last, kept for whoever opens it next.
 *
 * There is one, and who opens it has it: threads that come meanwhile read for
 * themselves.  So there is no lock, which a fork could leave taken, and no
 * reference count.
 */
#include "platform/layout_tree.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

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

struct mesh_layout *mesh_layout_take_kept(struct mesh_context *ctx,
                                          const char *home,
                                          const struct mesh_layout_stamp *stamp)
{
    struct mesh_layout *layout = atomic_exchange(&ctx->kept->layout, NULL);

    if (layout != NULL
        && (memcmp(&layout->stamp, stamp, sizeof(*stamp)) != 0
            || strcmp(layout->home, home) != 0)) {
        mesh_layout_destroy(layout);
        layout = NULL;
    }
    return layout;
}

void mesh_layout_may_keep(struct mesh_context *ctx, struct mesh_layout *layout,
                          const struct mesh_layout_stamp *stamp)
{
    static const struct mesh_layout_stamp unknown = {{0}};

    if (ctx->kept == NULL || memcmp(stamp, &unknown, sizeof(unknown)) == 0)
        return;
    layout->stamp = *stamp;
    layout->kept = ctx->kept;
}

int mesh_layout_give_kept(struct mesh_layout *layout)
{
    struct mesh_layout *none = NULL;

    return layout->kept != NULL
           && atomic_compare_exchange_strong(&layout->kept->layout, &none,
                                             layout);
}
