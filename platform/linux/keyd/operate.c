/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key.
 */
#include "platform/linux/keyd/operate.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/harden.h"
#include "platform/public_der.h"
#include "platform/rules.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdatomic.h>
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

static int refuse_peer(struct mesh_context *ctx)
{
    return mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                      "the peer's public key is not a SubjectPublicKeyInfo");
}

int mesh_operate_check(struct mesh_context *ctx,
                       const struct mesh_private_op *op,
                       const unsigned char *in, size_t in_len)
{
    const char *against;
    /* which one it will be, the key decides */
    const struct mesh_rule *rule = mesh_rule_find(op, 0, in_len, &against);
    int size;

    if (rule == NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "operation %d with padding %d", (int)op->operation,
                          (int)op->padding);
    if (against != NULL)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED, "%s %s",
                          rule->name, against);
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
    return op->operation != MESH_OP_DERIVE || mesh_public_has_shape(in, in_len)
           || refuse_peer(ctx);
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
    /* A point off the curve gives bits of the private key away; one on it is
     * in the right group if there is no cofactor: none of our rows has one. */
    check = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, peer, NULL);
    ok = check != NULL
         && (mesh_algorithm_find(mesh_algorithm_of(peer)) != NULL
                 ? EVP_PKEY_public_check_quick(check)
                 : EVP_PKEY_public_check(check))
                == 1;
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

struct mesh_prepared {
    atomic_uint references;
    struct mesh_private_op op;
    const struct mesh_rule *rule;
    size_t input_len;     /* of a digest to be signed; 0: it depends */
    EVP_MD_CTX *md;       /* of what signs messages */
    EVP_PKEY_CTX *native; /* in md, if there is one */
    int once;             /* libcrypto cannot copy it */
    char name[MESH_OPERATION_NAME_MAX];
};

/* A copy for one use. */
static int copy_native(const struct mesh_prepared *from, EVP_MD_CTX **md,
                       EVP_PKEY_CTX **native)
{
    *md = NULL;
    *native = NULL;
    if (from->md == NULL)
        return (*native = EVP_PKEY_CTX_dup(from->native)) != NULL;
    *md = EVP_MD_CTX_new();
    return *md != NULL && EVP_MD_CTX_copy_ex(*md, from->md) == 1;
}

static void free_native(EVP_MD_CTX *md, EVP_PKEY_CTX *native)
{
    if (md == NULL)
        EVP_PKEY_CTX_free(native);
    EVP_MD_CTX_free(md);
}

static int init_native(struct mesh_context *ctx, struct mesh_prepared *p,
                       EVP_PKEY *key)
{
    int ok;

    if ((p->rule->takes & MESH_TAKES_MESSAGE) != 0) {
        p->md = EVP_MD_CTX_new();
        ok = p->md != NULL
             && EVP_DigestSignInit_ex(p->md, &p->native, NULL, ctx->libctx,
                                      NULL, key, NULL)
                    == 1;
    } else {
        p->native = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
        ok = p->native != NULL
             && methods[p->rule->operation].init(p->native, NULL) == 1;
    }
    return ok
           || mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                         "%s: libcrypto %s cannot do this with a key of type "
                         "%s",
                         p->rule->name, OpenSSL_version(OPENSSL_VERSION_STRING),
                         EVP_PKEY_get0_type_name(key));
}

/* Whether libcrypto can copy it, which not all its algorithms can. */
static int can_be_copied(const struct mesh_prepared *p)
{
    EVP_PKEY_CTX *native;
    EVP_MD_CTX *md;
    int ok;

    ERR_set_mark();
    ok = copy_native(p, &md, &native);
    ERR_pop_to_mark();
    free_native(md, native);
    return ok;
}

static int refuse_for_key(struct mesh_context *ctx,
                          const struct mesh_rule *rule, const EVP_PKEY *key,
                          const char *against)
{
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%s with a key of type %s %s", rule->name,
                      EVP_PKEY_get0_type_name(key), against);
}

struct mesh_prepared *mesh_operate_prepare(struct mesh_context *ctx,
                                           EVP_PKEY *key,
                                           const struct mesh_private_op *op)
{
    const char *type = EVP_PKEY_get0_type_name(key);
    unsigned family = mesh_algorithm_family(key);
    const char *against = NULL;
    /* of one octet: the input comes later */
    const struct mesh_rule *rule =
        family != 0 ? mesh_rule_find(op, family, 1, &against) : NULL;
    const struct mesh_rule *other;
    struct mesh_prepared *p;
    struct parameters params;
    int size = 0, ok;

    if (rule == NULL) {
        other = mesh_rule_find(op, 0, 1, &against);
        mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                   "%s with a key of type %s",
                   other != NULL ? other->name : "an unknown operation", type);
        return NULL;
    }
    if (against != NULL) {
        refuse_for_key(ctx, rule, key, against);
        return NULL;
    }
    if (op->operation == MESH_OP_SIGN && op->digest[0] != '\0'
        && (size = digest_size(ctx, op->digest)) <= 0)
        return NULL;
    p = OPENSSL_zalloc(sizeof(*p));
    if (p == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        return NULL;
    }
    atomic_init(&p->references, 1);
    p->op = *op;
    p->rule = rule;
    p->input_len = (size_t)size;
    mesh_operate_describe(op, p->name, sizeof(p->name));
    build_parameters(op, rule, &params);
    ERR_clear_error(); /* libcrypto's errors from here on are of this work */
    ok = init_native(ctx, p, key)
         && set_parameters(ctx, rule, p->native, params.list);
    ERR_clear_error();
    if (!ok) {
        mesh_prepared_free(p);
        return NULL;
    }
    p->once = op->label_len != 0 || !can_be_copied(p);
    p->op.label = NULL; /* the caller's; libcrypto has its own copy */
    return p;
}

struct mesh_prepared *mesh_prepared_up_ref(struct mesh_prepared *prepared)
{
    atomic_fetch_add_explicit(&prepared->references, 1, memory_order_relaxed);
    return prepared;
}

void mesh_prepared_free(struct mesh_prepared *prepared)
{
    if (prepared == NULL
        || atomic_fetch_sub_explicit(&prepared->references, 1,
                                     memory_order_acq_rel)
               != 1)
        return;
    free_native(prepared->md, prepared->native);
    OPENSSL_free(prepared);
}

const char *mesh_prepared_name(const struct mesh_prepared *prepared)
{
    return prepared->name;
}

int mesh_prepared_is(const struct mesh_prepared *prepared,
                     const struct mesh_private_op *op)
{
    const struct mesh_private_op *own = &prepared->op;

    return !prepared->once && op->label_len == 0
           && own->operation == op->operation && own->padding == op->padding
           && own->salt_length == op->salt_length
           && own->deterministic == op->deterministic
           && own->encoded == op->encoded
           && own->tls_client_version == op->tls_client_version
           && own->tls_negotiated_version == op->tls_negotiated_version
           && own->implicit_rejection == op->implicit_rejection
           && strcmp(own->digest, op->digest) == 0
           && strcmp(own->mgf1_digest, op->mgf1_digest) == 0
           && strcmp(own->variant, op->variant) == 0;
}

static int derive_from(struct mesh_context *ctx, EVP_PKEY_CTX *native,
                       const unsigned char *in, size_t in_len)
{
    EVP_PKEY *peer = mesh_public_read(ctx, in, in_len);
    int ok = (peer != NULL || refuse_peer(ctx))
             && check_peer(ctx, EVP_PKEY_CTX_get0_pkey(native), peer)
             && EVP_PKEY_derive_set_peer_ex(native, peer, 0) == 1;

    EVP_PKEY_free(peer);
    return ok;
}

/* The one way in which everything is done; what was raised before stays. */
static int run(struct mesh_context *ctx, const struct mesh_rule *rule,
               EVP_MD_CTX *md, EVP_PKEY_CTX *native, const unsigned char *in,
               size_t in_len, unsigned char *out, size_t *out_len)
{
    const struct method *method = &methods[rule->operation];
    int ok = rule->operation != MESH_OP_DERIVE
             || derive_from(ctx, native, in, in_len);

    ok = ok
         && (md != NULL ? EVP_DigestSign(md, out, out_len, in, in_len)
                        : method->run(native, out, out_len, in, in_len))
                == 1;
    if (!ok && method->failed == NULL)
        raise_native(ctx, rule, "");
    else if (!ok)
        mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s: %s", rule->name,
                   method->failed);
    return ok;
}

int mesh_prepared_run(struct mesh_context *ctx,
                      const struct mesh_prepared *prepared,
                      const unsigned char *in, size_t in_len,
                      unsigned char **out, size_t *out_len)
{
    const struct mesh_rule *rule = prepared->rule;
    EVP_PKEY *key = EVP_PKEY_CTX_get0_pkey(prepared->native);
    /* of X448, DHKEM gives more than the key's own size */
    size_t room = (size_t)EVP_PKEY_get_size(key);
    const char *against = mesh_rule_objection(rule, &prepared->op, in_len);
    EVP_MD_CTX *md = prepared->md;
    EVP_PKEY_CTX *native = prepared->native;
    unsigned char *buffer;
    struct mesh_failure failure;
    struct mesh_context local = mesh_failure_context(ctx, &failure);
    int ok;

    if (against == NULL && prepared->input_len != 0
        && in_len != prepared->input_len)
        against = "needs input of the digest's length";
    if (against != NULL)
        return refuse_for_key(ctx, rule, key, against);
    if (room < EVP_MAX_MD_SIZE)
        room = EVP_MAX_MD_SIZE;
    *out_len = room;
    buffer = OPENSSL_zalloc(room);
    if (buffer == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    if (ERR_peek_error() != 0)
        ERR_clear_error(); /* libcrypto's errors from here on are of this work
                            */
    ok = prepared->once || copy_native(prepared, &md, &native)
         || mesh_raise(&local, MESH_R_MEMORY, "out of memory");
    ok = ok && run(&local, rule, md, native, in, in_len, buffer, out_len);
    if (!prepared->once)
        free_native(md, native);
    if (!ok)
        ERR_clear_error();
    if ((rule->takes & MESH_LEAVES_SECRETS) != 0)
        mesh_wipe_stack();
    if (!ok) {
        OPENSSL_clear_free(buffer, room);
        return mesh_failure_raise(ctx, &failure);
    }
    *out = buffer;
    return 1;
}

int mesh_operate(struct mesh_context *ctx, EVP_PKEY *key,
                 const struct mesh_private_op *op, const unsigned char *in,
                 size_t in_len, unsigned char **out, size_t *out_len)
{
    struct mesh_prepared *prepared = mesh_operate_prepare(ctx, key, op);
    int ok = prepared != NULL
             && mesh_prepared_run(ctx, prepared, in, in_len, out, out_len);

    mesh_prepared_free(prepared);
    return ok;
}

void mesh_operate_describe(const struct mesh_private_op *op, char *text,
                           size_t size)
{
    const char *ignored;
    const struct mesh_rule *rule = mesh_rule_find(op, 0, 0, &ignored);

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
