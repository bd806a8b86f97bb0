/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key.
 */
#include "platform/linux/keyd/operate.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/harden.h"
#include "platform/linux/keyd/rules.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* Names that OpenSSL 3.0 does not have yet. */
#define PARAM_IMPLICIT_REJECTION "implicit-rejection" /* 3.2, and backports */
#define PARAM_INSTANCE           "instance"           /* 3.2: EdDSA */
#define PARAM_CONTEXT_STRING     "context-string"     /* 3.2: EdDSA; 3.5 */
#define PARAM_NONCE_TYPE         "nonce-type"         /* 3.2: ECDSA */
#define PARAM_DETERMINISTIC      "deterministic"      /* 3.5 */
#define PARAM_MESSAGE_ENCODING   "message-encoding"   /* 3.5 */

/* The length of a digest in octets, or 0 with the error raised. */
static int digest_size(struct mesh_context *ctx, const char *name)
{
    EVP_MD *md;
    int size = 0;

    ERR_set_mark();
    md = EVP_MD_fetch(ctx->libctx, name, NULL);
    ERR_pop_to_mark();
    if (md != NULL && (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) == 0)
        size = EVP_MD_get_size(md);
    EVP_MD_free(md);
    if (size <= 0)
        mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                   "\"%s\" is not a digest that libcrypto has", name);
    return size;
}

static EVP_PKEY *peer_key(struct mesh_context *ctx, const unsigned char *in,
                          size_t in_len)
{
    const unsigned char *end = in;
    EVP_PKEY *peer = NULL;

    ERR_set_mark();
    if (in_len <= MESH_INPUT_MAX)
        peer = d2i_PUBKEY_ex(NULL, &end, (long)in_len, ctx->libctx, NULL);
    ERR_pop_to_mark();
    if (peer != NULL && end != in + in_len) {
        EVP_PKEY_free(peer);
        peer = NULL;
    }
    if (peer == NULL)
        mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                   "the peer's public key is not a SubjectPublicKeyInfo");
    return peer;
}

int mesh_operate_check(struct mesh_context *ctx,
                       const struct mesh_private_op *op,
                       const unsigned char *in, size_t in_len)
{
    const struct mesh_rule *first = mesh_rule_next(op, 0, NULL), *rule = first;
    int size;

    if (first == NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "operation %d with padding %d", (int)op->operation,
                          (int)op->padding);
    /* which one it is, the key will decide */
    while (rule != NULL && mesh_rule_objection(rule, op, in_len) != NULL)
        rule = mesh_rule_next(op, 0, rule);
    if (rule == NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED, "%s %s",
                          first->name, mesh_rule_objection(first, op, in_len));
    if (op->mgf1_digest[0] != '\0' && digest_size(ctx, op->mgf1_digest) <= 0)
        return 0;
    if (op->digest[0] != '\0') {
        size = digest_size(ctx, op->digest);
        if (size <= 0)
            return 0;
        if (op->operation == MESH_OP_SIGN && in_len != (size_t)size)
            return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                              "%s needs input of the digest's length",
                              rule->name);
    }
    if (op->operation == MESH_OP_DERIVE) {
        EVP_PKEY *peer = peer_key(ctx, in, in_len);

        EVP_PKEY_free(peer);
        return peer != NULL;
    }
    return 1;
}

/* The numbers that parameters point to, and room for all that an operation can
 * take. */
struct parameters {
    int pad_mode, salt_length, deterministic, encoding;
    unsigned nonce_type, tls_client, tls_negotiated, rejection;
    OSSL_PARAM list[10];
};

static void build_parameters(const struct mesh_private_op *op,
                             const struct mesh_rule *rule, struct parameters *p)
{
    const char *variant = mesh_rule_variant(rule, op);
    int is_kem = op->operation == MESH_OP_DECAPSULATE;
    OSSL_PARAM *next = p->list;

    p->pad_mode = rule->pad_mode;
    if (rule->pad_mode != 0)
        *next++ =
            OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &p->pad_mode);
    if (variant != NULL)
        *next++ = OSSL_PARAM_construct_utf8_string(
            is_kem ? OSSL_KEM_PARAM_OPERATION : PARAM_INSTANCE, (char *)variant,
            0);
    /* "digest" and "mgf1-digest" are the same words for both operations */
    if (op->digest[0] != '\0')
        *next++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_DIGEST,
                                                   (char *)op->digest, 0);
    if (op->mgf1_digest[0] != '\0')
        *next++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_MGF1_DIGEST,
                                                   (char *)op->mgf1_digest, 0);
    p->salt_length = op->salt_length;
    if ((rule->takes & MESH_TAKES_SALT) != 0)
        *next++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
                                           &p->salt_length);
    if (op->label_len != 0)
        *next++ = OSSL_PARAM_construct_octet_string(
            (rule->takes & MESH_TAKES_CONTEXT) != 0
                ? PARAM_CONTEXT_STRING
                : OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
            (void *)op->label, op->label_len);
    p->nonce_type = 1;
    p->deterministic = 1;
    if (op->deterministic != 0)
        *next++ =
            (rule->families & MESH_FAMILY_EC) != 0
                ? OSSL_PARAM_construct_uint(PARAM_NONCE_TYPE, &p->nonce_type)
                : OSSL_PARAM_construct_int(PARAM_DETERMINISTIC,
                                           &p->deterministic);
    p->encoding = 0; /* it is done */
    if (op->encoded != 0)
        *next++ =
            OSSL_PARAM_construct_int(PARAM_MESSAGE_ENCODING, &p->encoding);
    p->tls_client = op->tls_client_version;
    p->tls_negotiated = op->tls_negotiated_version;
    if ((rule->takes & MESH_TAKES_TLS) != 0) {
        *next++ = OSSL_PARAM_construct_uint(
            OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &p->tls_client);
        *next++ = OSSL_PARAM_construct_uint(
            OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &p->tls_negotiated);
    }
    p->rejection = op->implicit_rejection;
    if ((rule->takes & MESH_TAKES_REJECTION) != 0)
        *next++ =
            OSSL_PARAM_construct_uint(PARAM_IMPLICIT_REJECTION, &p->rejection);
    *next = OSSL_PARAM_construct_end();
}

/* Raises what libcrypto says about why it did not do what; the first error is
 * the cause. */
static int raise_native(struct mesh_context *ctx, const struct mesh_rule *rule,
                        const char *what)
{
    const char *data = NULL, *why;
    int flags = 0;

    why = ERR_reason_error_string(
        ERR_peek_error_all(NULL, NULL, NULL, &data, &flags));
    if ((flags & ERR_TXT_STRING) == 0 || data == NULL || *data == '\0')
        data = NULL;
    return mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s: %s%s%s%s%s",
                      rule->name, what, *what != '\0' ? ": " : "",
                      why != NULL ? why : "libcrypto does not say why",
                      data != NULL ? ": " : "", data != NULL ? data : "");
}

/* One by one, so that the one that libcrypto does not take can be named.  None
 * is left out without a word, but for implicit rejection: a libcrypto without
 * it knows no other way than to fail. */
static int set_parameters(struct mesh_context *ctx,
                          const struct mesh_rule *rule, EVP_PKEY_CTX *native,
                          const OSSL_PARAM *params)
{
    const OSSL_PARAM *settable = EVP_PKEY_CTX_settable_params(native);

    for (; params->key != NULL; params++) {
        const OSSL_PARAM one[] = {*params, OSSL_PARAM_END};
        int is_text = params->data_type == OSSL_PARAM_UTF8_STRING;
        char what[80];

        if (settable != NULL
            && OSSL_PARAM_locate_const(settable, params->key) != NULL) {
            if (EVP_PKEY_CTX_set_params(native, one) == 1)
                continue;
            snprintf(what, sizeof(what), "%s%s%s", params->key,
                     is_text ? " " : "", is_text ? (char *)params->data : "");
            return raise_native(ctx, rule, what);
        } else if (strcmp(params->key, PARAM_IMPLICIT_REJECTION) != 0) {
            return mesh_raise(
                ctx, MESH_R_OPERATION_UNSUPPORTED,
                "%s: libcrypto %s has no \"%s\" for keys of type %s",
                rule->name, OpenSSL_version(OPENSSL_VERSION_STRING),
                params->key,
                EVP_PKEY_get0_type_name(EVP_PKEY_CTX_get0_pkey(native)));
        }
    }
    return 1;
}

/* One clear text for each that is refused. */
static int check_peer(struct mesh_context *ctx, EVP_PKEY *key, EVP_PKEY *peer)
{
    const char *type = EVP_PKEY_get0_type_name(key);
    EVP_PKEY_CTX *check;
    int ok;

    if (!EVP_PKEY_is_a(peer, type))
        return mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                          "derive: the peer's key is of type %s, not %s",
                          EVP_PKEY_get0_type_name(peer), type);
    if (EVP_PKEY_parameters_eq(peer, key) != 1)
        return mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                          "derive: the peer's key is on %s, not on %s",
                          mesh_algorithm_of(peer), mesh_algorithm_of(key));
    /* a point off the curve gives bits of the private key away */
    check = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, peer, NULL);
    ok = check != NULL && EVP_PKEY_public_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    return ok
           || mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                         "derive: the peer's key is the point at infinity, or "
                         "no point of its curve");
}

/* The peer is set: there is no other input. */
static int derive(EVP_PKEY_CTX *native, unsigned char *out, size_t *out_len,
                  const unsigned char *in, size_t in_len)
{
    (void)in;
    (void)in_len;
    return EVP_PKEY_derive(native, out, out_len);
}

static const struct method {
    int (*init)(EVP_PKEY_CTX *native, const OSSL_PARAM params[]);
    int (*run)(EVP_PKEY_CTX *native, unsigned char *out, size_t *out_len,
               const unsigned char *in, size_t in_len);
    /* One text for all reasons: the difference would be an oracle.  NULL:
     * libcrypto may say why. */
    const char *failed;
} methods[] = {
    [MESH_OP_SIGN] = {EVP_PKEY_sign_init_ex, EVP_PKEY_sign, NULL},
    [MESH_OP_DECRYPT] = {EVP_PKEY_decrypt_init_ex, EVP_PKEY_decrypt,
                         "the data cannot be decrypted with this key"},
    [MESH_OP_DERIVE] = {EVP_PKEY_derive_init_ex, derive,
                        "the shared secret would be zero: the peer's key is a "
                        "point of small order"},
    [MESH_OP_DECAPSULATE] = {EVP_PKEY_decapsulate_init, EVP_PKEY_decapsulate,
                             "the data cannot be decapsulated with this key"},
};

/* The one way in which everything is done. */
static int run(struct mesh_context *ctx, EVP_PKEY *key, EVP_PKEY *peer,
               const struct mesh_rule *rule, const OSSL_PARAM *params,
               const unsigned char *in, size_t in_len, unsigned char *out,
               size_t *out_len)
{
    const struct method *method = &methods[rule->operation];
    int is_message = (rule->takes & MESH_TAKES_MESSAGE) != 0;
    EVP_MD_CTX *md = is_message ? EVP_MD_CTX_new() : NULL;
    EVP_PKEY_CTX *native = NULL, *own = NULL;
    int ok;

    if (is_message) {
        ok = md != NULL
             && EVP_DigestSignInit_ex(md, &native, NULL, ctx->libctx, NULL, key,
                                      NULL)
                    == 1;
    } else {
        native = own = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
        ok = native != NULL && method->init(native, NULL) == 1;
    }
    if (!ok) {
        mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                   "%s: libcrypto %s cannot do this with a key of type %s",
                   rule->name, OpenSSL_version(OPENSSL_VERSION_STRING),
                   EVP_PKEY_get0_type_name(key));
        goto end;
    }
    ok = set_parameters(ctx, rule, native, params);
    if (!ok)
        goto end;
    ok = (peer == NULL || EVP_PKEY_derive_set_peer_ex(native, peer, 0) == 1)
         && (is_message ? EVP_DigestSign(md, out, out_len, in, in_len)
                        : method->run(native, out, out_len, in, in_len))
                == 1;
    if (!ok && method->failed == NULL)
        raise_native(ctx, rule, "");
    else if (!ok)
        mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s: %s", rule->name,
                   method->failed);
end:
    EVP_PKEY_CTX_free(own);
    EVP_MD_CTX_free(md);
    return ok;
}

int mesh_operate(struct mesh_context *ctx, EVP_PKEY *key,
                 const struct mesh_private_op *op, const unsigned char *in,
                 size_t in_len, unsigned char **out, size_t *out_len)
{
    const char *type = EVP_PKEY_get0_type_name(key), *against;
    unsigned family = mesh_algorithm_family(key);
    const struct mesh_rule *rule =
        family != 0 ? mesh_rule_next(op, family, NULL) : NULL;
    /* of X448, DHKEM gives more than the key's own size */
    size_t room = (size_t)EVP_PKEY_get_size(key);
    struct parameters params;
    unsigned char *buffer;
    EVP_PKEY *peer = NULL;
    struct mesh_failure failure;
    struct mesh_context local = mesh_failure_context(ctx, &failure);
    int ok;

    if (rule == NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s with a key of type %s",
                          mesh_rule_next(op, 0, NULL)->name, type);
    against = mesh_rule_objection(rule, op, in_len);
    if (against != NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s with a key of type %s %s", rule->name, type,
                          against);
    if (room < EVP_MAX_MD_SIZE)
        room = EVP_MAX_MD_SIZE;
    *out_len = room;
    buffer = OPENSSL_zalloc(room);
    if (buffer == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    build_parameters(op, rule, &params);
    ERR_clear_error(); /* libcrypto's errors from here on are of this work */
    ok = op->operation != MESH_OP_DERIVE
         || ((peer = peer_key(&local, in, in_len)) != NULL
             && check_peer(&local, key, peer));
    ok = ok
         && run(&local, key, peer, rule, params.list, in, in_len, buffer,
                out_len);
    ERR_clear_error();
    EVP_PKEY_free(peer);
    if ((rule->takes & MESH_LEAVES_SECRETS) != 0)
        mesh_wipe_stack();
    if (!ok) {
        OPENSSL_clear_free(buffer, room);
        return mesh_failure_raise(ctx, &failure);
    }
    *out = buffer;
    return 1;
}

void mesh_operate_describe(const struct mesh_private_op *op, char *text,
                           size_t size)
{
    const struct mesh_rule *rule = mesh_rule_next(op, 0, NULL);

    snprintf(
        text, size, "%s%s%.*s%s%.*s", rule != NULL ? rule->name : "unknown",
        op->variant[0] != '\0' ? " " : "", MESH_VARIANT_MAX, op->variant,
        op->digest[0] != '\0' ? " " : "", MESH_DIGEST_NAME_MAX, op->digest);
}

int mesh_operate_generate(struct mesh_context *ctx, const char *algorithm,
                          EVP_PKEY **key)
{
    const struct mesh_algorithm *row = mesh_algorithm_need(ctx, algorithm);
    EVP_PKEY_CTX *generate;
    OSSL_PARAM params[2];
    size_t bits = 0;
    int ok;

    if (row == NULL)
        return 0;
    params[0] = params[1] = OSSL_PARAM_construct_end();
    if (row->bits != 0) {
        bits = row->bits;
        params[0] =
            OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    } else if (row->group != NULL) {
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                     (char *)row->group, 0);
    }
    generate = EVP_PKEY_CTX_new_from_name(ctx->libctx, row->keytype, NULL);
    ok = generate != NULL && EVP_PKEY_keygen_init(generate) == 1
         && EVP_PKEY_CTX_set_params(generate, params) == 1
         && EVP_PKEY_generate(generate, key) == 1;
    EVP_PKEY_CTX_free(generate);
    return ok ? 1
              : mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                           "libcrypto cannot generate a key of type %s",
                           row->name);
}
