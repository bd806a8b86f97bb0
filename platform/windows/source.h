/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The places where Windows keeps private keys, one after the other: the
 * software provider of CNG, the TPM's, and CryptoAPI's containers.
 */
#ifndef MESH_PLATFORM_WINDOWS_SOURCE_H
#define MESH_PLATFORM_WINDOWS_SOURCE_H

#include "platform/keystore.h"

#include "platform/algorithm.h"
#include "platform/windows/crypt.h"

/* What the names of our keys begin with. */
#define MESH_KEY_PREFIX L"mmm:"
/*
 * A key's name must be said before the key is made, and its fingerprint is
 * known only afterwards: so a key that is made here is called by random
 * numbers, and found by its public half.
 */
#define MESH_MADE_PREFIX L"mmm:made-"
#define MESH_KEY_NAME_MAX                                                      \
    (MESH_UDF_TEXT_MAX + 16) /* characters of our names, with the NUL */
#define MESH_RSA_MAX 2048    /* octets of a modulus */

struct mesh_source;

/* A key that was opened where it is kept. */
struct mesh_source_key {
    const struct mesh_source *source;
    ULONG_PTR handle; /* NCRYPT_KEY_HANDLE, or HCRYPTPROV of its container */
    EVP_PKEY *public;
    wchar_t name[MESH_KEY_NAME_MAX];
};

/* Takes one key of a list; 0 ends it, with an error raised. */
typedef int mesh_source_visit_fn(struct mesh_context *ctx,
                                 const struct mesh_source_key *key, void *arg);

typedef DWORD mesh_source_open_fn(struct mesh_context *ctx,
                                  const struct mesh_source *source,
                                  const struct mesh_key_name *name,
                                  int is_silent, struct mesh_source_key *key);

/*
 * What is silent shows no window, and fails where one would be needed.  Of a
 * DWORD that is returned, 0 is success: mesh_status_raise() raises the others.
 */
struct mesh_source {
    const char *name;        /* of mesh_keystore_item.source */
    const char *label;       /* for people */
    const wchar_t *provider; /* Windows's name */

    /* Opens the key of this name; whether its public half is the one that is
     * asked for, the caller sees. */
    mesh_source_open_fn *open;
    void (*close)(struct mesh_source_key *key);
    /* As mesh_keystore_operate(); what the source cannot do is refused by name
     * before the key is used. */
    int (*operate)(struct mesh_context *ctx, const struct mesh_source_key *key,
                   const struct mesh_private_op *op, int is_silent,
                   const unsigned char *in, size_t in_len, unsigned char *out,
                   size_t *out_len);
    /* Removes it for ever; closes it in any case. */
    DWORD (*destroy)(struct mesh_source_key *key, int is_silent);
    int (*list)(struct mesh_context *ctx, const struct mesh_source *source,
                mesh_source_visit_fn *visit, void *arg);
    /* NULL: no new keys.  private: with both halves; udf: its name. */
    int (*generate)(struct mesh_context *ctx, const struct mesh_source *source,
                    const struct mesh_algorithm *algorithm, int is_silent,
                    EVP_PKEY **public);
    int (*import)(struct mesh_context *ctx, const struct mesh_source *source,
                  EVP_PKEY *private, const char *udf, int is_silent,
                  EVP_PKEY **public);
};

extern const struct mesh_source mesh_source_software, mesh_source_tpm,
    mesh_source_legacy;

/* Writes our name of a key: MESH_KEY_PREFIX and the fingerprint, which is
 * ASCII. */
void mesh_source_name(const char *udf, wchar_t name[MESH_KEY_NAME_MAX]);
/* Whether a name is one of ours, and fits; copies it. */
int mesh_source_take_name(const wchar_t *from, wchar_t name[MESH_KEY_NAME_MAX]);

#endif
