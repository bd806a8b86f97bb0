/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * On Linux a key's certificates stand in its profile: mesh-keyd keeps none.
 */
#include "platform/keystore.h"

int mesh_keystore_certificate(struct mesh_context *ctx,
                              const struct mesh_key_name *name,
                              unsigned char **der, size_t *len)
{
    (void)ctx;
    (void)name;
    *der = NULL;
    *len = 0;
    return 1;
}
