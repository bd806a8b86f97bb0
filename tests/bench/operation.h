/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What mesh-bench does with a key.  Knows nothing of Mesh: any OSSL_STORE URI
 * will do.
 */
#ifndef MESH_TESTS_BENCH_OPERATION_H
#define MESH_TESTS_BENCH_OPERATION_H

#include <openssl/evp.h>
#include <stdint.h>

#define RESULT_MAX 51200 /* a signature of SLH-DSA */
#define SECRET_MAX 256

struct bench_key {
    const char *label, *source;
    EVP_PKEY *private, *public; /* public: in a library context of its own */
    OSSL_LIB_CTX *plain;        /* that context: default alone */
    const char *digest;         /* NULL for EdDSA and its like */
    /* of the operation that is prepared: */
    EVP_PKEY *peer;
    unsigned char input[RESULT_MAX], expected[SECRET_MAX];
    size_t input_len, expected_len;
};

/* What one turn gave, to be checked when no clock runs. */
struct result {
    uint64_t number; /* the message is made of it */
    unsigned char octets[RESULT_MAX];
    size_t len;
    EVP_PKEY *loaded;
};

/* All functions: 1, or 0 with an error in libcrypto's queue, if it has one. */
struct operation {
    const char *name;
    int (*applies)(const struct bench_key *key);
    int (*prepare)(struct bench_key *key); /* NULL: nothing to do */
    int (*run)(const struct bench_key *key, struct result *result);
    int (*check)(const struct bench_key *key, const struct result *result);
};

/* The i-th operation, NULL past the end. */
const struct operation *operation_row(size_t i);

/* Loads key->source, a URI or a file, and makes its public half; plain is
 * borrowed.  The caller closes, on failure too. */
int bench_key_open(struct bench_key *key, OSSL_LIB_CTX *plain);
void bench_key_close(struct bench_key *key);
/* RSA-2048, prime256v1, ED25519 … */
void bench_key_name(const struct bench_key *key, char *text, size_t size);

#endif
