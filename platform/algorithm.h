/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key algorithms: one row each.
 */
#ifndef MESH_PLATFORM_ALGORITHM_H
#define MESH_PLATFORM_ALGORITHM_H

#include "platform/context.h"

#include <openssl/evp.h>

/* Keys with which the same operations can be done; bits, so that a table can
 * name several. */
#define MESH_FAMILY_RSA     0x01u
#define MESH_FAMILY_RSA_PSS 0x02u
#define MESH_FAMILY_EC      0x04u
#define MESH_FAMILY_ED25519 0x08u
#define MESH_FAMILY_ED448   0x10u
#define MESH_FAMILY_XDH     0x20u /* X25519, X448 */
#define MESH_FAMILY_PQ_SIGN 0x40u /* ML-DSA, SLH-DSA */
#define MESH_FAMILY_ML_KEM  0x80u

/* What a key is for. */
#define MESH_USE_SIGN    1u
#define MESH_USE_DECRYPT 2u /* RSA alone */
#define MESH_USE_AGREE   4u /* key agreement, or encapsulation */
#define MESH_USE_ENCRYPT (MESH_USE_DECRYPT | MESH_USE_AGREE)

struct mesh_algorithm {
    const char *name;    /* as the user writes it: RSA-2048, P-256, ED25519 */
    const char *keytype; /* as EVP_PKEY_CTX_new_from_name() wants it */
    const char *group;   /* EC: the group's name; else NULL */
    unsigned bits;       /* RSA, RSA-PSS: length of the modulus; else 0 */
    unsigned family;     /* MESH_FAMILY_… */
    unsigned uses;       /* MESH_USE_… */
    const char *since;   /* the first OpenSSL that has it; NULL: all */
};

/* The row of that name, in any case, or NULL; this libcrypto may lack it. */
const struct mesh_algorithm *mesh_algorithm_find(const char *name);
/* The i-th row, NULL past the end. */
const struct mesh_algorithm *mesh_algorithm_row(size_t i);
/* Whether this libcrypto has it. */
int mesh_algorithm_available(struct mesh_context *ctx,
                             const struct mesh_algorithm *row);
/* The row of that name; NULL with the error raised: MESH_R_USAGE, which lists
 * the names that there are, or MESH_R_ALGORITHM if this libcrypto lacks it. */
const struct mesh_algorithm *mesh_algorithm_need(struct mesh_context *ctx,
                                                 const char *name);
#define MESH_ALGORITHM_LIST_MAX 1024
/* Writes the names of the rows for one of uses that this libcrypto has, with
 * ", " between them. */
void mesh_algorithm_list(struct mesh_context *ctx, unsigned uses,
                         char text[MESH_ALGORITHM_LIST_MAX]);

/* The name of a key's algorithm for people and logs: a row's name, or the
 * key's type name.  Static or owned by key. */
const char *mesh_algorithm_of(const EVP_PKEY *key);
/* MESH_FAMILY_… of a key, whatever its size or curve; 0: of no use here. */
unsigned mesh_algorithm_family(const EVP_PKEY *key);

#endif
