/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From the parameters of a native EVP_PKEY_CTX to a private operation.
 */
#include "keymgmt/parameters.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

/* OpenSSL 3.1 added it. */
#define SALTLEN_AUTO_DIGEST_MAX (-4)

static const struct padding {
    int pad_mode; /* libcrypto's number: the only form that has them all */
    enum mesh_padding padding;
} paddings[] = {
    {RSA_PKCS1_PADDING, MESH_PAD_PKCS1},
    {RSA_NO_PADDING, MESH_PAD_NONE},
    {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP},
    {RSA_PKCS1_PSS_PADDING, MESH_PAD_PSS},
    {RSA_PKCS1_WITH_TLS_PADDING, MESH_PAD_PKCS1_TLS},
};

int mesh_parameters_set(EVP_PKEY_CTX *native, const OSSL_PARAM params[])
{
    if (params == NULL || params[0].key == NULL)
        return 1;
    return EVP_PKEY_CTX_set_params(native, (OSSL_PARAM *)params) == 1;
}

/* RFC 8017, 9.1.1: what fits beside a digest into the encoded message. */
static int salt_length_max(EVP_PKEY *key, int digest_size)
{
    return (EVP_PKEY_get_bits(key) + 6) / 8 - digest_size - 2;
}

static int read_salt_length(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                            int salt_length, struct mesh_private_op *op)
{
    EVP_MD *md = EVP_MD_fetch(ctx->libctx, op->digest, NULL);
    int size = md != NULL ? EVP_MD_get_size(md) : 0;
    int max = salt_length_max(EVP_PKEY_CTX_get0_pkey(native), size);

    EVP_MD_free(md);
    if (size <= 0)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "PSS needs a digest, \"%s\" is none", op->digest);
    switch (salt_length) {
    case RSA_PSS_SALTLEN_DIGEST:
        salt_length = size;
        break;
    case RSA_PSS_SALTLEN_AUTO: /* of a signature to be made: the longest */
    case RSA_PSS_SALTLEN_MAX:
        salt_length = max;
        break;
    case SALTLEN_AUTO_DIGEST_MAX:
        salt_length = size < max ? size : max;
        break;
    }
    if (salt_length < 0 || salt_length > max)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "PSS with %s and a salt of %d octets does not fit "
                          "the key: at most %d",
                          op->digest, salt_length, max);
    op->salt_length = salt_length;
    return 1;
}

int mesh_parameters_read(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                         struct mesh_private_op *op)
{
    int pad_mode = 0, salt_length = RSA_PSS_SALTLEN_DIGEST;
    unsigned char *label = NULL;
    size_t i;
    OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_PAD_MODE, &pad_mode),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DIGEST, op->digest,
                               sizeof(op->digest)),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MGF1_DIGEST, op->mgf1_digest,
                               sizeof(op->mgf1_digest)),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_length),
        OSSL_PARAM_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &label, 0),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION,
                        &op->tls_client_version),
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
                        &op->tls_negotiated_version),
        OSSL_PARAM_uint(MESH_PARAM_IMPLICIT_REJECTION, &op->implicit_rejection),
        OSSL_PARAM_END,
    };

    op->implicit_rejection = 1;
    if (EVP_PKEY_CTX_get_params(native, params) != 1)
        return mesh_raise(ctx, MESH_R_INTERNAL,
                          "cannot read the operation's parameters");
    op->label = label;
    op->label_len = label != NULL ? params[4].return_size : 0;
    if (!OSSL_PARAM_modified(&params[0])) {
        op->padding = MESH_PAD_DEFAULT;
        return 1;
    }
    for (i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++)
        if (paddings[i].pad_mode == pad_mode)
            break;
    if (i == sizeof(paddings) / sizeof(paddings[0]))
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED, "padding mode %d",
                          pad_mode);
    op->padding = paddings[i].padding;
    /* What was set for another padding before does not count. */
    if (op->padding != MESH_PAD_PSS && op->padding != MESH_PAD_OAEP)
        op->mgf1_digest[0] = '\0';
    if (op->operation == MESH_OP_DECRYPT && op->padding != MESH_PAD_OAEP) {
        op->digest[0] = '\0';
        op->label = NULL;
        op->label_len = 0;
    }
    return op->padding != MESH_PAD_PSS
           || read_salt_length(ctx, native, salt_length, op);
}
