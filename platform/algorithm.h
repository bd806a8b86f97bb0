/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key algorithms that can be generated: one row each.
 */
#ifndef MESH_PLATFORM_ALGORITHM_H
#define MESH_PLATFORM_ALGORITHM_H

#include "platform/context.h"

#include <openssl/evp.h>

struct mesh_algorithm {
    const char *name;    /* as the user writes it: RSA-2048, P-256, ED25519 */
    const char *keytype; /* as EVP_PKEY_CTX_new_from_name() wants it */
    const char *group;   /* EC: the group's name; else NULL */
    unsigned bits;       /* RSA: length of the modulus; else 0 */
};

/* The row of that name, in any case, or NULL. */
const struct mesh_algorithm *mesh_algorithm_find(const char *name);
/* The i-th row, NULL past the end. */
const struct mesh_algorithm *mesh_algorithm_row(size_t i);
/* The name of a key's algorithm for people and logs: a row's name, or the
 * key's type name.  Static or owned by key. */
const char *mesh_algorithm_of(const EVP_PKEY *key);
/* SHA-256 over the DER SubjectPublicKeyInfo of key. */
int mesh_spki_sha256(struct mesh_context *ctx, EVP_PKEY *key,
                     unsigned char digest[32]);

#endif
