/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One use of a private key, and what CNG and CryptoAPI check of it alike.
 */
#ifndef MESH_PLATFORM_WINDOWS_USE_H
#define MESH_PLATFORM_WINDOWS_USE_H

#include "platform/rules.h"
#include "platform/windows/digest.h"

struct mesh_source_use {
    struct mesh_context *ctx;
    const struct mesh_source_key *key;
    const struct mesh_private_op *op;
    const struct mesh_rule *rule; /* by which it is done */
    int has_digest;
    struct mesh_digest digest; /* if has_digest */
    DWORD silent;              /* NCRYPT_SILENT_FLAG or 0 */
    size_t size;               /* RSA: octets of the modulus */
};

typedef int mesh_source_run_fn(const struct mesh_source_use *use,
                               const unsigned char *in, size_t in_len,
                               unsigned char *out, size_t *out_len);

/* How a source does an operation; a list of them ends with a run of NULL. */
struct mesh_source_method {
    enum mesh_operation operation;
    enum mesh_padding padding;
    unsigned families; /* MESH_FAMILY_… */
    mesh_source_run_fn *run;
};

/* Checks an operation and runs the first method that fits; what no rule allows
 * and no method does is refused by name. */
int mesh_source_operate(struct mesh_context *ctx,
                        const struct mesh_source_method *methods,
                        const struct mesh_source_key *key,
                        const struct mesh_private_op *op, int is_silent,
                        const unsigned char *in, size_t in_len,
                        unsigned char *out, size_t *out_len);

/* Refuses a use by name: "sign PSS with …".  Is 0. */
int mesh_source_refuse(const struct mesh_source_use *use, const char *why);
/* Refuses another digest for MGF1 than for all else, which Windows does not
 * have. */
int mesh_source_check_mgf1(const struct mesh_source_use *use,
                           const struct mesh_digest *digest);

/* Raises the status of a use.  A decryption that fails by its data has one text
 * for all reasons: the difference would be an oracle.  Is 0. */
int mesh_source_failed(const struct mesh_source_use *use, DWORD status);

/* Copies a result out if it fits. */
int mesh_source_give(const struct mesh_source_use *use,
                     const unsigned char *result, size_t len,
                     unsigned char *out, size_t *out_len);

/* Turns len octets round: the other endianness. */
void mesh_source_reverse(unsigned char *octets, size_t len);

#endif
