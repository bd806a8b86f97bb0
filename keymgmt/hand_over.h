/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys on their way from a loader or a decoder to key management
 * (provider-object(7)).
 */
#ifndef MESH_KEYMGMT_HAND_OVER_H
#define MESH_KEYMGMT_HAND_OVER_H

#include "keymgmt/key.h"

#include <openssl/core.h>

/* Hands key to libcrypto by cb.  Whoever takes it has a reference of its own;
 * the caller keeps his. */
int mesh_key_give(struct mesh_key *key, OSSL_CALLBACK *cb, void *cbarg);

/* For KEYMGMT_LOAD: takes the key out of what cb was given.  NULL if it is none
 * or was taken already. */
struct mesh_key *mesh_key_take(const void *reference, size_t size);

/* For key managements of other providers, which libcrypto may ask first: a
 * public key goes there, a private one must not seem to. */
int mesh_key_export_given(const void *reference, size_t size, OSSL_CALLBACK *cb,
                          void *cbarg);

#endif
