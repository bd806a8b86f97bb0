/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key store of this operating system: does it hold this key; sign, decrypt,
 * derive; generate, import, delete, list.  No function here can return a
 * private key.  On Linux linux/client.c asks mesh-keyd, on Windows
 * windows/keystore.c the providers of CNG and CryptoAPI, on macOS
 * macos/keychain.c the Keychain.
 */
#ifndef MESH_PLATFORM_KEYSTORE_H
#define MESH_PLATFORM_KEYSTORE_H

#include "platform/context.h"
#include "platform/udf.h"

#include <openssl/evp.h>

/* What keeps the private keys on this system, for people. */
#if defined(MESH_PLATFORM_WINDOWS)
#define MESH_KEYSTORE_HOLDER "the Windows key store"
#elif defined(MESH_PLATFORM_MACOS)
#define MESH_KEYSTORE_HOLDER "the Keychain"
#else
#define MESH_KEYSTORE_HOLDER "mesh-keyd"
#endif

/* Which key: its fingerprint and the public half that a holder must have. */
struct mesh_key_name {
    char udf[MESH_UDF_TEXT_MAX];   /* canonical, as mesh_udf_of_key() */
    unsigned char spki_sha256[32]; /* over the DER SubjectPublicKeyInfo */
#ifdef MESH_PLATFORM_MACOS
    /* What the Keychain finds a key by, and what it does not tell of one
     * without an attempt at exporting it. */
    unsigned char identifier[20]; /* mesh_public_identifier() */
    unsigned family;              /* MESH_FAMILY_… of platform/algorithm.h */
    unsigned bits;
#endif
};

/* Names a key by its public half. */
int mesh_key_name_of(struct mesh_context *ctx, EVP_PKEY *key,
                     struct mesh_key_name *name);

/* The numbers of these enums travel in mesh-keyd's protocol: append only. */
enum mesh_operation {
    MESH_OP_SIGN = 1,
    MESH_OP_DECRYPT,
    MESH_OP_DERIVE, /* input: the peer's DER SubjectPublicKeyInfo; output: the
                     * shared secret as it is, without a KDF */
    MESH_OP_DECAPSULATE /* input: the encapsulated secret */
};

enum mesh_padding {
    MESH_PAD_DEFAULT = 0, /* the only one that the algorithm has */
    MESH_PAD_NONE,        /* raw RSA */
    MESH_PAD_PKCS1,
    MESH_PAD_PSS,
    MESH_PAD_OAEP,
    MESH_PAD_PKCS1_TLS /* TLS premaster secret, 48 octets always */
};

#define MESH_DIGEST_NAME_MAX 32
#define MESH_VARIANT_MAX     16

/*
 * One private operation.  An empty digest means none was set: the input of a
 * signature is then signed as it stands (PKCS#1: without DigestInfo; EdDSA: it
 * is the message).  With one, the input is a digest of that length.
 */
struct mesh_private_op {
    enum mesh_operation operation;
    enum mesh_padding padding;
    char digest[MESH_DIGEST_NAME_MAX]; /* SHA2-256 …; of OAEP its digest */
    char mgf1_digest[MESH_DIGEST_NAME_MAX]; /* PSS, OAEP; empty: as digest */
    int salt_length;                        /* PSS: octets, never negative */
    /* OAEP: its label; EdDSA, ML-DSA, SLH-DSA: the context string; NULL if
     * label_len is 0 */
    const unsigned char *label;
    size_t label_len;
    /* EdDSA: "Ed25519ph" …; KEM: "RSASVE", "DHKEM"; empty: the algorithm's own
     * or only one */
    char variant[MESH_VARIANT_MAX];
    unsigned deterministic;      /* ECDSA (RFC 6979), ML-DSA, SLH-DSA: 1 for a
                                  * signature without random numbers */
    unsigned encoded;            /* ML-DSA, SLH-DSA: 1 if the input is encoded
                                  * already ("message-encoding" 0) */
    unsigned tls_client_version; /* MESH_PAD_PKCS1_TLS */
    unsigned tls_negotiated_version;
    unsigned implicit_rejection; /* PKCS#1, where libcrypto has it */
};

/* Gives ctx its key store; opens nothing yet, touches no file. */
int mesh_keystore_open(struct mesh_context *ctx);
/* Closes connections and frees; NULL keystore is allowed. */
void mesh_keystore_close(struct mesh_context *ctx);

/* Whether the key store holds the private half: *held 1 or 0.  No unlock, no
 * prompt.  Fails when it cannot tell, with the reason why. */
int mesh_keystore_holds(struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held);

/*
 * Does op with the key's private half.  *out_len: room in out, then octets
 * written; never asks for the size (callers know it from the public half).
 * May prompt to unlock the key store if the configuration allows.
 */
int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len);

/* Makes a key of an algorithm (mesh_algorithm_find() names) in the key store.
 * *public is the caller's. */
int mesh_keystore_generate(struct mesh_context *ctx, const char *algorithm,
                           EVP_PKEY **public);

/* Puts a private key into the key store: DER PKCS#8, unencrypted; the caller
 * cleanses it.  Fails with MESH_R_KEY_EXISTS if it is there.  *public is the
 * caller's. */
int mesh_keystore_import(struct mesh_context *ctx, const unsigned char *pkcs8,
                         size_t len, EVP_PKEY **public);

/* Registers a key file to be used where it lies (on Linux alone; elsewhere it
 * fails with MESH_R_OPERATION_UNSUPPORTED): absolute path, and where its
 * passphrase is (NULL: not encrypted; "secret-service"; "credential:NAME").
 * passphrase/passphrase_len: for "secret-service", what to keep there, or NULL
 * if it is there already. */
int mesh_keystore_register_file(struct mesh_context *ctx, const char *path,
                                const char *passphrase_source,
                                const char *passphrase, size_t passphrase_len,
                                EVP_PKEY **public);

/* Removes the private half for ever (a key file: its registration only). */
int mesh_keystore_delete(struct mesh_context *ctx,
                         const struct mesh_key_name *name);

struct mesh_keystore_item {
    struct mesh_key_name name;
    char algorithm[32];
    char source[32]; /* "secret-service", "key-file", "memory"; on Windows
                      * "cng", "tpm", "cryptoapi"; on macOS "keychain" */
};
/* Lists what the key store holds.  *items is the caller's (OPENSSL_free). */
int mesh_keystore_list(struct mesh_context *ctx,
                       struct mesh_keystore_item **items, size_t *count);

/*
 * The certificate that the system itself has for a key, in a store of its own:
 * DER, the caller's (OPENSSL_free).  Success with NULL if it has none, as on
 * Linux.  Its public half is the key's.  No prompt.
 */
int mesh_keystore_certificate(struct mesh_context *ctx,
                              const struct mesh_key_name *name,
                              unsigned char **der, size_t *len);

/* Forgets every key held in memory, at once. */
int mesh_keystore_lock(struct mesh_context *ctx);

/* Of a holder that has no session bus: with its process. */
#define MESH_KEYSTORE_NO_BUS                                                   \
    MESH_KEYSTORE_HOLDER                                                       \
    ", process %d, was started without a session bus, or its bus has ended; "  \
    "end that process, and the next use in a session starts one that has it"

/* What doctor wants to know of a reachable key store. */
struct mesh_keystore_status {
    char program[64]; /* name and version of the holder */
    char home[512];   /* the layout that it uses for key files */
    int pid;
    int secret_service; /* 1: answers */
    int locked;         /* 1: the collection is locked */
    int no_bus;         /* 1: the holder has no session bus to reach it by */
    unsigned cached;    /* keys in memory now */
    unsigned connections;
};
int mesh_keystore_status(struct mesh_context *ctx,
                         struct mesh_keystore_status *status);

#endif
