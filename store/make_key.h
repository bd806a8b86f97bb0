/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A new key in the key store and in a profile.
 */
#ifndef MESH_STORE_MAKE_KEY_H
#define MESH_STORE_MAKE_KEY_H

#include "platform/context.h"

/* What keymgmt/ asks for through the context: platform/context.h. */
mesh_make_key_fn mesh_make_key;
mesh_unmake_key_fn mesh_unmake_key;

/* Takes the public half of a key out of a profile, which is signed again: a key
 * that was entered under a role (mesh_payload_lists_key). */
int mesh_forget_key(struct mesh_context *ctx, EVP_PKEY *public,
                    const char *profile);

#endif
