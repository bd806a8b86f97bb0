/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One use of a private key.
 */
#include "platform/windows/use.h"

#include "platform/windows/status.h"

#include <openssl/crypto.h>
#include <string.h>

int mesh_source_refuse(const struct mesh_source_use *use, const char *why)
{
    return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%s with a key in the %s: %s", use->rule->name,
                      use->key->source->label, why);
}

int mesh_source_check_mgf1(const struct mesh_source_use *use,
                           const struct mesh_digest *digest)
{
    struct mesh_digest mgf1;

    if (use->op->mgf1_digest[0] == '\0')
        return 1;
    return mesh_digest_find(use->ctx, use->op->mgf1_digest, &mgf1)
           && ((mgf1.nid == digest->nid && mgf1.size == digest->size)
               || mesh_source_refuse(use, "MGF1 has the same digest as all "
                                          "else, or it cannot be done"));
}

int mesh_source_failed(const struct mesh_source_use *use, DWORD status)
{
    if (use->op->operation == MESH_OP_DECRYPT
        && (mesh_status_kind(status) & MESH_STATUS_DATA) != 0)
        return mesh_raise(use->ctx, MESH_R_OPERATION_FAILED,
                          "%s: the data cannot be decrypted with this key",
                          use->rule->name);
    return mesh_status_raise(use->ctx, status, use->rule->name,
                             use->key->source->label);
}

int mesh_source_give(const struct mesh_source_use *use,
                     const unsigned char *result, size_t len,
                     unsigned char *out, size_t *out_len)
{
    if (len > *out_len)
        return mesh_raise(use->ctx, MESH_R_BUFFER_TOO_SMALL,
                          "%s: the result has %lu octets, there is room for "
                          "%lu",
                          use->rule->name, (unsigned long)len,
                          (unsigned long)*out_len);
    memcpy(out, result, len);
    *out_len = len;
    return 1;
}

void mesh_source_reverse(unsigned char *octets, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        unsigned char octet = octets[i];

        octets[i] = octets[len - 1 - i];
        octets[len - 1 - i] = octet;
    }
}

static int check(struct mesh_source_use *use, unsigned family,
                 const unsigned char *in, size_t in_len)
{
    const char *against;

    (void)in;
    use->rule = mesh_rule_find(use->op, family, in_len, &against);
    if (use->rule == NULL)
        use->rule = mesh_rule_find(use->op, 0, in_len, &against);
    if (use->rule == NULL)
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "operation %d with padding %d",
                          (int)use->op->operation, (int)use->op->padding);
    if ((use->rule->families & family) == 0)
        return mesh_source_refuse(use, "it is of a type that cannot do this");
    if (against != NULL)
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED, "%s %s",
                          use->rule->name, against);
    use->has_digest = use->op->digest[0] != '\0';
    if (use->has_digest
        && !mesh_digest_find(use->ctx, use->op->digest, &use->digest))
        return 0;
    if (use->has_digest && use->op->operation == MESH_OP_SIGN
        && in_len != use->digest.size)
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s needs input of the digest's length",
                          use->rule->name);
    return 1;
}

int mesh_source_operate(struct mesh_context *ctx,
                        const struct mesh_source_method *methods,
                        const struct mesh_source_key *key,
                        const struct mesh_private_op *op, int is_silent,
                        const unsigned char *in, size_t in_len,
                        unsigned char *out, size_t *out_len)
{
    struct mesh_source_use use = {.ctx = ctx, .key = key, .op = op};
    unsigned family = mesh_algorithm_family(key->public);
    const struct mesh_source_method *method = methods;

    use.silent = is_silent ? NCRYPT_SILENT_FLAG : 0;
    use.size =
        family == MESH_FAMILY_RSA ? (size_t)EVP_PKEY_get_size(key->public) : 0;
    if (!check(&use, family, in, in_len))
        return 0;
    while (method->run != NULL
           && (method->operation != op->operation
               || method->padding != op->padding
               || (method->families & family) == 0))
        method++;
    return method->run != NULL
               ? method->run(&use, in, in_len, out, out_len)
               : mesh_source_refuse(&use, "Windows cannot do this");
}
