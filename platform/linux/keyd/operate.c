/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key.
 */
#include "platform/linux/keyd/operate.h"

#include "platform/algorithm.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/ssl3.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL 3.2 has it; some distributions brought it to theirs. */
#define PARAM_IMPLICIT_REJECTION "implicit-rejection"
#define INPUT_MAX                8192 /* octets; EdDSA signs any message */

enum key_family { FAMILY_RSA, FAMILY_OTHER };
enum digest_rule { DIGEST_NONE, DIGEST_MAY, DIGEST_MUST };

#define TAKES_MGF1  1u /* a digest for it */
#define TAKES_SALT  2u
#define TAKES_LABEL 4u
#define TAKES_TLS   8u

/* What may be asked for; everything else is refused. */
static const struct rule {
    enum mesh_operation operation;
    enum mesh_padding padding;
    const char *name;
    enum key_family family;
    int pad_mode; /* libcrypto's number */
    enum digest_rule digest;
    unsigned takes;
} rules[] = {
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, "sign", FAMILY_OTHER, 0, DIGEST_MAY, 0},
    {MESH_OP_SIGN, MESH_PAD_NONE, "sign raw", FAMILY_RSA, RSA_NO_PADDING,
     DIGEST_NONE, 0},
    {MESH_OP_SIGN, MESH_PAD_PKCS1, "sign PKCS1", FAMILY_RSA, RSA_PKCS1_PADDING,
     DIGEST_MAY, 0},
    {MESH_OP_SIGN, MESH_PAD_PSS, "sign PSS", FAMILY_RSA, RSA_PKCS1_PSS_PADDING,
     DIGEST_MUST, TAKES_MGF1 | TAKES_SALT},
    {MESH_OP_DECRYPT, MESH_PAD_NONE, "decrypt raw", FAMILY_RSA, RSA_NO_PADDING,
     DIGEST_NONE, 0},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1, "decrypt PKCS1", FAMILY_RSA,
     RSA_PKCS1_PADDING, DIGEST_NONE, 0},
    {MESH_OP_DECRYPT, MESH_PAD_OAEP, "decrypt OAEP", FAMILY_RSA,
     RSA_PKCS1_OAEP_PADDING, DIGEST_MAY, TAKES_MGF1 | TAKES_LABEL},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, "decrypt PKCS1-TLS", FAMILY_RSA,
     RSA_PKCS1_WITH_TLS_PADDING, DIGEST_NONE, TAKES_TLS},
    {MESH_OP_DERIVE, MESH_PAD_DEFAULT, "derive", FAMILY_OTHER, 0, DIGEST_NONE,
     0},
};

static int takes(const struct rule *rule, unsigned what)
{
    return (rule->takes & what) != 0;
}

static const struct rule *rule_of(const struct mesh_private_op *op)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].operation == op->operation
            && rules[i].padding == op->padding)
            return &rules[i];
    return NULL;
}

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
    if (in_len <= INPUT_MAX)
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

static int refuse(struct mesh_context *ctx, const struct rule *rule,
                  const char *what)
{
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED, "%s %s", rule->name,
                      what);
}

int mesh_operate_check(struct mesh_context *ctx,
                       const struct mesh_private_op *op,
                       const unsigned char *in, size_t in_len)
{
    const struct rule *rule = rule_of(op);
    int size;

    if (rule == NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "operation %d with padding %d", (int)op->operation,
                          (int)op->padding);
    if (rule->digest == DIGEST_NONE && op->digest[0] != '\0')
        return refuse(ctx, rule, "takes no digest");
    if (rule->digest == DIGEST_MUST && op->digest[0] == '\0')
        return refuse(ctx, rule, "needs a digest");
    if (!takes(rule, TAKES_MGF1) && op->mgf1_digest[0] != '\0')
        return refuse(ctx, rule, "takes no digest for MGF1");
    if (!takes(rule, TAKES_SALT) && op->salt_length != 0)
        return refuse(ctx, rule, "takes no length of a salt");
    if (takes(rule, TAKES_SALT)
        && (op->salt_length < 0 || op->salt_length > INPUT_MAX))
        return refuse(ctx, rule, "needs the length of the salt in octets");
    if (!takes(rule, TAKES_LABEL) && op->label_len != 0)
        return refuse(ctx, rule, "takes no label");
    if (op->label_len > INPUT_MAX)
        return refuse(ctx, rule, "takes no label of that length");
    if (takes(rule, TAKES_TLS) && op->tls_client_version == 0)
        return refuse(ctx, rule, "needs the client's TLS version");
    if (in_len == 0 && !(op->operation == MESH_OP_SIGN && rule->pad_mode == 0))
        return refuse(ctx, rule, "needs input");
    if (in_len > INPUT_MAX && (rule->pad_mode != 0 || op->digest[0] != '\0'))
        return refuse(ctx, rule, "takes no input of that length");
    if (op->mgf1_digest[0] != '\0' && digest_size(ctx, op->mgf1_digest) <= 0)
        return 0;
    if (op->digest[0] != '\0') {
        size = digest_size(ctx, op->digest);
        if (size <= 0)
            return 0;
        if (op->operation == MESH_OP_SIGN && in_len != (size_t)size)
            return refuse(ctx, rule, "needs input of the digest's length");
    }
    if (op->operation == MESH_OP_DERIVE) {
        EVP_PKEY *peer = peer_key(ctx, in, in_len);

        EVP_PKEY_free(peer);
        return peer != NULL;
    }
    return 1;
}

/* Room for everything that an operation can take. */
#define PARAMS_MAX 8

static void build_params(const struct mesh_private_op *op,
                         const struct rule *rule, int *pad_mode,
                         OSSL_PARAM params[PARAMS_MAX])
{
    struct mesh_private_op *o = (struct mesh_private_op *)op;
    size_t n = 0;

    if (rule->pad_mode != 0) {
        *pad_mode = rule->pad_mode;
        params[n++] =
            OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, pad_mode);
    }
    /* "digest" and "mgf1-digest" are the same words for both operations */
    if (op->digest[0] != '\0')
        params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_DIGEST,
                                                       o->digest, 0);
    if (op->mgf1_digest[0] != '\0')
        params[n++] = OSSL_PARAM_construct_utf8_string(
            OSSL_PKEY_PARAM_MGF1_DIGEST, o->mgf1_digest, 0);
    if (takes(rule, TAKES_SALT))
        params[n++] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
                                               &o->salt_length);
    if (op->label_len != 0)
        params[n++] =
            OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                              (void *)op->label, op->label_len);
    if (takes(rule, TAKES_TLS)) {
        params[n++] = OSSL_PARAM_construct_uint(
            OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &o->tls_client_version);
        params[n++] = OSSL_PARAM_construct_uint(
            OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
            &o->tls_negotiated_version);
    }
    params[n] = OSSL_PARAM_construct_end();
}

/* ECDSA and RSA: the input is a digest. */
static int sign_digest(struct mesh_context *ctx, EVP_PKEY *key,
                       const OSSL_PARAM *params, const unsigned char *in,
                       size_t in_len, unsigned char *out, size_t *out_len)
{
    EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    int ok = sign != NULL && EVP_PKEY_sign_init_ex(sign, params) == 1
             && EVP_PKEY_sign(sign, out, out_len, in, in_len) == 1;

    EVP_PKEY_CTX_free(sign);
    return ok;
}

/* EdDSA: the input is the message. */
static int sign_message(struct mesh_context *ctx, EVP_PKEY *key,
                        const OSSL_PARAM *params, const unsigned char *in,
                        size_t in_len, unsigned char *out, size_t *out_len)
{
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    int ok = sign != NULL
             && EVP_DigestSignInit_ex(sign, NULL, NULL, ctx->libctx, NULL, key,
                                      params)
                    == 1
             && EVP_DigestSign(sign, out, out_len, in, in_len) == 1;

    EVP_MD_CTX_free(sign);
    return ok;
}

static int decrypt(struct mesh_context *ctx, EVP_PKEY *key,
                   const OSSL_PARAM *params, unsigned implicit_rejection,
                   const unsigned char *in, size_t in_len, unsigned char *out,
                   size_t *out_len)
{
    EVP_PKEY_CTX *dec = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    const OSSL_PARAM rejection[] = {
        OSSL_PARAM_uint(PARAM_IMPLICIT_REJECTION, &implicit_rejection),
        OSSL_PARAM_END,
    };
    const OSSL_PARAM *settable;
    int ok = dec != NULL && EVP_PKEY_decrypt_init_ex(dec, params) == 1;

    if (ok) {
        settable = EVP_PKEY_CTX_settable_params(dec);
        if (settable != NULL
            && OSSL_PARAM_locate_const(settable, PARAM_IMPLICIT_REJECTION)
                   != NULL)
            ok = EVP_PKEY_CTX_set_params(dec, rejection) == 1;
    }
    ok = ok && EVP_PKEY_decrypt(dec, out, out_len, in, in_len) == 1;
    EVP_PKEY_CTX_free(dec);
    return ok;
}

static int derive(struct mesh_context *ctx, EVP_PKEY *key,
                  const unsigned char *in, size_t in_len, unsigned char *out,
                  size_t *out_len)
{
    EVP_PKEY *peer = peer_key(ctx, in, in_len);
    EVP_PKEY_CTX *exchange = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    int ok;

    /* a point off the curve gives bits of the private key away */
    ok = peer != NULL && exchange != NULL
         && EVP_PKEY_is_a(peer, EVP_PKEY_get0_type_name(key))
         && EVP_PKEY_parameters_eq(peer, key) == 1
         && EVP_PKEY_derive_init(exchange) == 1
         && EVP_PKEY_derive_set_peer_ex(exchange, peer, 1) == 1
         && EVP_PKEY_derive(exchange, out, out_len) == 1;
    EVP_PKEY_CTX_free(exchange);
    EVP_PKEY_free(peer);
    return ok;
}

static int is_rsa(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
}

static int is_edwards(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
}

/* What the parameters alone could not tell. */
static int check_key(struct mesh_context *ctx, EVP_PKEY *key,
                     const struct mesh_private_op *op, const struct rule *rule)
{
    const char *type = EVP_PKEY_get0_type_name(key);
    int can_sign = is_edwards(key) || EVP_PKEY_is_a(key, "EC");

    if (is_rsa(key) != (rule->family == FAMILY_RSA)
        || (!is_rsa(key) && op->operation == MESH_OP_SIGN && !can_sign)
        || (op->operation == MESH_OP_DERIVE && is_edwards(key))
        || (EVP_PKEY_is_a(key, "RSA-PSS") && op->padding != MESH_PAD_PSS))
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s with a key of type %s", rule->name, type);
    if (is_edwards(key) && op->digest[0] != '\0')
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s signs whole messages, not digests", type);
    return 1;
}

int mesh_operate(struct mesh_context *ctx, EVP_PKEY *key,
                 const struct mesh_private_op *op, const unsigned char *in,
                 size_t in_len, unsigned char **out, size_t *out_len)
{
    const struct rule *rule = rule_of(op);
    OSSL_PARAM params[PARAMS_MAX];
    int pad_mode, ok;
    size_t room = (size_t)EVP_PKEY_get_size(key);
    unsigned char *buffer;
    const char *why;

    if (!check_key(ctx, key, op, rule))
        return 0;
    if (room < SSL_MAX_MASTER_KEY_LENGTH)
        room = SSL_MAX_MASTER_KEY_LENGTH;
    *out_len = room;
    buffer = OPENSSL_zalloc(room);
    if (buffer == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    build_params(op, rule, &pad_mode, params);
    /* The errors of this work are not the caller's: ours is raised after. */
    ERR_set_mark();
    if (op->operation == MESH_OP_DERIVE) {
        ok = derive(ctx, key, in, in_len, buffer, out_len);
        why = "no secret can be derived with this peer's key";
    } else if (op->operation == MESH_OP_DECRYPT) {
        ok = decrypt(ctx, key, params, op->implicit_rejection, in, in_len,
                     buffer, out_len);
        /* one text for all reasons: the difference would be an oracle */
        why = "the data cannot be decrypted with this key";
    } else {
        ok = (is_edwards(key) ? sign_message : sign_digest)(
            ctx, key, params, in, in_len, buffer, out_len);
        why = ERR_reason_error_string(ERR_peek_last_error());
    }
    ERR_pop_to_mark();
    if (!ok)
        mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s: %s", rule->name,
                   why != NULL ? why : "libcrypto does not say why");
    if (!ok) {
        OPENSSL_clear_free(buffer, room);
        return 0;
    }
    *out = buffer;
    return 1;
}

void mesh_operate_describe(const struct mesh_private_op *op, char *text,
                           size_t size)
{
    const struct rule *rule = rule_of(op);

    snprintf(text, size, "%s%s%.*s", rule != NULL ? rule->name : "unknown",
             op->digest[0] != '\0' ? " " : "", MESH_DIGEST_NAME_MAX,
             op->digest);
}

int mesh_operate_generate(struct mesh_context *ctx, const char *algorithm,
                          EVP_PKEY **key)
{
    const struct mesh_algorithm *row = mesh_algorithm_find(algorithm);
    EVP_PKEY_CTX *generate;
    OSSL_PARAM params[2];
    size_t bits = 0;
    int ok;

    if (row == NULL)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "\"%.64s\" is not an algorithm that keys can be "
                          "generated for",
                          algorithm);
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
