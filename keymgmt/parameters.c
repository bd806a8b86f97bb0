/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From the parameters of a native EVP_PKEY_CTX to a private operation.
 */
#include "keymgmt/parameters.h"

#include "keymgmt/types.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

/* OpenSSL 3.1 added it. */
#define SALTLEN_AUTO_DIGEST_MAX (-4)

/* OpenSSL 3.2 and 3.5 named them. */
#define PARAM_INSTANCE         "instance"
#define PARAM_CONTEXT_STRING   "context-string"
#define PARAM_NONCE_TYPE       "nonce-type"
#define PARAM_DETERMINISTIC    "deterministic"
#define PARAM_MESSAGE_ENCODING "message-encoding"

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

static const struct padding *padding_of(int pad_mode)
{
    size_t i;

    for (i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++)
        if (paddings[i].pad_mode == pad_mode)
            return &paddings[i];
    return NULL;
}

static int refuse_padding(struct mesh_context *ctx, int pad_mode)
{
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%s (padding mode %d) by a key of the key store",
                      pad_mode == RSA_X931_PADDING ? "X9.31" : "an operation",
                      pad_mode);
}

int mesh_parameters_can_decrypt(struct mesh_context *ctx,
                                const OSSL_PARAM params[])
{
    static const char *const names[] = {"pkcs1", "oaep", "oeap", "none",
                                        "x931"};
    const OSSL_PARAM *p = NULL;
    const char *name = NULL;
    int pad_mode = 0;
    size_t i;

    if (params != NULL)
        p = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PAD_MODE);
    if (p == NULL)
        return 1;
    if (p->data_type != OSSL_PARAM_UTF8_STRING) {
        if (!OSSL_PARAM_get_int(p, &pad_mode)
            || pad_mode != RSA_PKCS1_PSS_PADDING)
            return 1;
        name = OSSL_PKEY_RSA_PAD_MODE_PSS;
    } else if (!OSSL_PARAM_get_utf8_string_ptr(p, &name)) {
        return 1;
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    if (strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "PSS is for signatures; decryption takes oaep, "
                          "pkcs1, none");
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "padding \"%.40s\"; decryption takes oaep, pkcs1, none",
                      name);
}

int mesh_parameters_set(EVP_PKEY_CTX *native, const OSSL_PARAM params[])
{
    if (params == NULL || params[0].key == NULL)
        return 1;
    return EVP_PKEY_CTX_set_params(native, (OSSL_PARAM *)params) == 1;
}

void mesh_algorithm_id_copy(struct mesh_algorithm_id *to,
                            const struct mesh_algorithm_id *from,
                            EVP_PKEY_CTX *native)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, to->der,
                                sizeof(to->der)),
        OSSL_PARAM_END,
    };

    to->len = from->len;
    if (from->len != 0) {
        memcpy(to->der, from->der, from->len);
        return;
    }
    if (native == NULL
        || strncmp(EVP_PKEY_get0_type_name(EVP_PKEY_CTX_get0_pkey(native)),
                   "RSA", 3)
               == 0)
        return; /* of RSA it is made when it is asked for */
    ERR_set_mark();
    if (EVP_PKEY_CTX_get_params(native, params) == 1
        && OSSL_PARAM_modified(&params[0]))
        to->len = params[0].return_size;
    ERR_pop_to_mark();
}

int mesh_parameters_get(EVP_PKEY_CTX *native,
                        const struct mesh_algorithm_id *id, OSSL_PARAM params[])
{
    OSSL_PARAM one[] = {OSSL_PARAM_END, OSSL_PARAM_END}, *p;

    if (id->len == 0)
        return EVP_PKEY_CTX_get_params(native, params) == 1;
    for (p = params; p->key != NULL; p++)
        if (strcmp(p->key, OSSL_SIGNATURE_PARAM_ALGORITHM_ID) == 0) {
            if (!OSSL_PARAM_set_octet_string(p, id->der, id->len))
                return 0;
        } else {
            one[0] = *p;
            if (EVP_PKEY_CTX_get_params(native, one) != 1)
                return 0;
            *p = one[0];
        }
    return 1;
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
    const struct padding *row;
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
    if ((row = padding_of(pad_mode)) == NULL)
        return refuse_padding(ctx, pad_mode);
    op->padding = row->padding;
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

/* What a private operation can carry. */
static const char *const carried[] = {
    OSSL_SIGNATURE_PARAM_DIGEST,
    OSSL_SIGNATURE_PARAM_PROPERTIES,
    OSSL_SIGNATURE_PARAM_PAD_MODE,
    OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
    OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
    OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES,
    PARAM_INSTANCE,
    PARAM_CONTEXT_STRING,
    PARAM_NONCE_TYPE,
    PARAM_DETERMINISTIC,
    PARAM_MESSAGE_ENCODING,
};

static int can_carry(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                     const char *name)
{
    const OSSL_PARAM *settable = EVP_PKEY_CTX_settable_params(native);
    size_t i;

    if (settable == NULL || OSSL_PARAM_locate_const(settable, name) == NULL)
        return mesh_raise(
            ctx, MESH_R_OPERATION_UNSUPPORTED,
            "libcrypto %s has no parameter %.40s for signatures of %s",
            OpenSSL_version(OPENSSL_VERSION_STRING), name,
            EVP_PKEY_get0_type_name(EVP_PKEY_CTX_get0_pkey(native)));
    for (i = 0; i < sizeof(carried) / sizeof(carried[0]); i++)
        if (strcmp(carried[i], name) == 0)
            return 1;
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "a signature with the parameter %.40s by a key of the "
                      "key store",
                      name);
}

/* A restricted key verifies with no salt length that depends on the signature;
 * to sign with, it is another name for one that does not. */
static OSSL_PARAM salt_to_sign(EVP_PKEY_CTX *native, const OSSL_PARAM *p)
{
    static char max[] = OSSL_PKEY_RSA_PSS_SALT_LEN_MAX;
    static char digest[] = OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
    const char *text = "";
    int number = 0;

    if (!EVP_PKEY_is_a(EVP_PKEY_CTX_get0_pkey(native), "RSA-PSS"))
        return *p;
    if (p->data_type == OSSL_PARAM_UTF8_STRING)
        OSSL_PARAM_get_utf8_string_ptr(p, &text);
    else
        OSSL_PARAM_get_int(p, &number);
    if (number == RSA_PSS_SALTLEN_AUTO
        || strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO) == 0)
        return OSSL_PARAM_construct_utf8_string(p->key, max, 0);
    if (mesh_libcrypto_is(3, 1)
        && (number == SALTLEN_AUTO_DIGEST_MAX
            || strcmp(text, "auto-digestmax") == 0))
        return OSSL_PARAM_construct_utf8_string(p->key, digest, 0);
    return *p;
}

static int keep_extra(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                      const OSSL_PARAM *p, struct mesh_signature_extra *extra)
{
    const char *type = EVP_PKEY_get0_type_name(EVP_PKEY_CTX_get0_pkey(native));
    const char *text = NULL;
    void *context = extra->context;
    int number = 0, ok = 1;

    if (strcmp(p->key, PARAM_INSTANCE) == 0) {
        /* libcrypto leaves out that of another type without a word */
        if (!OSSL_PARAM_get_utf8_string_ptr(p, &text)
            || OPENSSL_strncasecmp(text, type, strlen(type)) != 0
            || strlen(text) >= sizeof(extra->variant))
            return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                              "instance \"%.40s\" of a key of type %s",
                              text != NULL ? text : "", type);
        OPENSSL_strlcpy(extra->variant, text, sizeof(extra->variant));
    } else if (strcmp(p->key, PARAM_CONTEXT_STRING) == 0) {
        ok = OSSL_PARAM_get_octet_string(p, &context, sizeof(extra->context),
                                         &extra->context_len);
    } else if (strcmp(p->key, PARAM_MESSAGE_ENCODING) == 0) {
        ok = OSSL_PARAM_get_int(p, &number);
        extra->encoded = number == 0;
    } else if (strcmp(p->key, PARAM_NONCE_TYPE) == 0
               || strcmp(p->key, PARAM_DETERMINISTIC) == 0) {
        ok = OSSL_PARAM_get_int(p, &number) && (number == 0 || number == 1);
        extra->deterministic = (unsigned)number;
    }
    return ok
           || mesh_raise(ctx, MESH_R_USAGE,
                         "the parameter %s has not such a value", p->key);
}

int mesh_parameters_set_held(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                             const OSSL_PARAM params[],
                             struct mesh_signature_extra *extra)
{
    OSSL_PARAM copy[sizeof(carried) / sizeof(carried[0]) + 1];
    const OSSL_PARAM *p;
    size_t n = 0;
    int pad_mode = 0;
    OSSL_PARAM get[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_PAD_MODE, &pad_mode),
        OSSL_PARAM_END,
    };

    if (params == NULL || params[0].key == NULL)
        return 1;
    for (p = params; p->key != NULL; p++) {
        if (!can_carry(ctx, native, p->key))
            return 0;
        if (n == sizeof(copy) / sizeof(copy[0]) - 1)
            return mesh_raise(ctx, MESH_R_USAGE, "a parameter is there twice");
        copy[n++] = strcmp(p->key, OSSL_SIGNATURE_PARAM_PSS_SALTLEN) == 0
                        ? salt_to_sign(native, p)
                        : *p;
    }
    copy[n] = OSSL_PARAM_construct_end();
    if (!mesh_parameters_set(native, copy))
        return 0;
    for (p = params; p->key != NULL; p++)
        if (!keep_extra(ctx, native, p, extra))
            return 0;
    if (OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE) != NULL
        && EVP_PKEY_CTX_get_params(native, get) == 1
        && padding_of(pad_mode) == NULL)
        return refuse_padding(ctx, pad_mode);
    return 1;
}

void mesh_parameters_add(const struct mesh_signature_extra *extra,
                         struct mesh_private_op *op)
{
    memcpy(op->variant, extra->variant, sizeof(op->variant));
    op->label = extra->context_len != 0 ? extra->context : NULL;
    op->label_len = extra->context_len;
    op->deterministic = extra->deterministic;
    op->encoded = extra->encoded;
}
