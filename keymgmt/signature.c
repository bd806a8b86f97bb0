/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures (provider-signature(7)), for every algorithm: hashing and
 * verification in software, on the public half; only the digest goes to the key
 * store, or the message where the algorithm hashes itself (EdDSA).
 */
#include "keymgmt/key.h"
#include "keymgmt/operations.h"
#include "keymgmt/parameters.h"
#include "keymgmt/types.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

/* OpenSSL 3.4 added them. */
#define FUNC_SIGN_MESSAGE_INIT   27
#define FUNC_VERIFY_MESSAGE_INIT 30

struct signature {
    struct mesh_context *ctx;
    struct mesh_key *key;
    EVP_PKEY_CTX *native; /* parameters, verification, and of a software key
                           * the signature; in md if one_shot */
    EVP_MD_CTX *md;       /* the hash so far, or of one_shot the verifier */
    int signing;          /* else verifying */
    int hashing;          /* a digest operation: its digest is fixed */
    int one_shot;         /* the algorithm takes the whole message */
    struct mesh_signature_extra extra;
    struct mesh_algorithm_id id; /* of a copy */
};

typedef int native_init_fn(EVP_PKEY_CTX *native, const OSSL_PARAM params[]);

static OSSL_FUNC_signature_newctx_fn signature_new;
static OSSL_FUNC_signature_freectx_fn signature_free;
static OSSL_FUNC_signature_dupctx_fn signature_dup;
static OSSL_FUNC_signature_sign_init_fn signature_sign_init;
static OSSL_FUNC_signature_sign_fn signature_sign;
static OSSL_FUNC_signature_verify_init_fn signature_verify_init;
static OSSL_FUNC_signature_verify_fn signature_verify;
static OSSL_FUNC_signature_verify_recover_init_fn signature_recover_init;
static OSSL_FUNC_signature_verify_recover_fn signature_recover;
static OSSL_FUNC_signature_digest_sign_init_fn signature_digest_sign_init;
static OSSL_FUNC_signature_digest_verify_init_fn signature_digest_verify_init;
static OSSL_FUNC_signature_digest_sign_update_fn signature_digest_update;
static OSSL_FUNC_signature_digest_sign_final_fn signature_digest_sign_final;
static OSSL_FUNC_signature_digest_sign_fn signature_digest_sign;
static OSSL_FUNC_signature_digest_verify_final_fn signature_digest_verify_final;
static OSSL_FUNC_signature_digest_verify_fn signature_digest_verify;
static OSSL_FUNC_signature_get_ctx_params_fn signature_get_params;
static OSSL_FUNC_signature_gettable_ctx_params_fn signature_gettable;
static OSSL_FUNC_signature_set_ctx_params_fn signature_set_params;
static OSSL_FUNC_signature_settable_ctx_params_fn signature_settable;
static OSSL_FUNC_signature_sign_init_fn signature_sign_message_init;
static OSSL_FUNC_signature_verify_init_fn signature_verify_message_init;

/* The property query is for the application's library context, not for ours,
 * where "provider=mesh" would find no digest. */
static void *signature_new(void *provctx, const char *propq)
{
    struct signature *s = OPENSSL_zalloc(sizeof(*s));

    (void)propq;
    if (s != NULL)
        s->ctx = provctx;
    return s;
}

static void forget_operation(struct signature *s)
{
    if (!s->one_shot)
        EVP_PKEY_CTX_free(s->native);
    EVP_MD_CTX_free(s->md);
    s->native = NULL;
    s->md = NULL;
    s->hashing = 0;
    s->one_shot = 0;
    memset(&s->extra, 0, sizeof(s->extra));
    s->id.len = 0;
}

static void signature_free(void *vctx)
{
    struct signature *s = vctx;

    if (s == NULL)
        return;
    forget_operation(s);
    mesh_key_free(s->key);
    OPENSSL_free(s);
}

/* Copies what has been begun, but for the key. */
static int copy_operation(struct signature *s, const struct signature *from)
{
    s->signing = from->signing;
    s->hashing = from->hashing;
    s->one_shot = from->one_shot;
    s->extra = from->extra;
    mesh_algorithm_id_copy(&s->id, &from->id, from->native);
    if (from->md != NULL
        && ((s->md = EVP_MD_CTX_new()) == NULL
            || !EVP_MD_CTX_copy_ex(s->md, from->md)))
        return 0;
    if (from->one_shot)
        s->native = EVP_MD_CTX_get_pkey_ctx(s->md);
    else if (from->native != NULL)
        s->native = EVP_PKEY_CTX_dup(from->native);
    return from->native == NULL || s->native != NULL;
}

static void *signature_dup(void *vctx)
{
    const struct signature *from = vctx;
    struct signature *s = signature_new(from->ctx, NULL);

    if (s == NULL)
        return NULL;
    if (from->key != NULL)
        s->key = mesh_key_up_ref(from->key);
    if (copy_operation(s, from))
        return s;
    signature_free(s);
    return NULL;
}

/* A new operation; key may be NULL to keep the one before (digest operations
 * that start over). */
static int take_key(struct signature *s, struct mesh_key *key)
{
    forget_operation(s);
    if (key != NULL) {
        mesh_key_up_ref(key);
        mesh_key_free(s->key);
        s->key = key;
    }
    if (s->key == NULL || mesh_key_public(s->key) == NULL)
        return mesh_raise(s->ctx, MESH_R_USAGE,
                          "a signature without a key was asked for");
    return 1;
}

/* A software key signs as libcrypto does; of a held one the native context only
 * has the parameters. */
static int signs_in_software(const struct signature *s)
{
    return s->signing && mesh_key_kind(s->key) == MESH_KEY_SOFTWARE;
}

/* Whether the key signs messages, not digests: its digest must be none. */
static int is_one_shot(struct mesh_key *key)
{
    char digest[MESH_DIGEST_NAME_MAX];

    return EVP_PKEY_get_default_digest_name(mesh_key_public(key), digest,
                                            sizeof(digest))
               == 2
           && (digest[0] == '\0' || strcmp(digest, "UNDEF") == 0);
}

static int set_params(struct signature *s, const OSSL_PARAM params[])
{
    return s->signing && !signs_in_software(s)
               ? mesh_parameters_set_held(s->ctx, s->native, params, &s->extra)
               : mesh_parameters_set(s->native, params);
}

static int init(struct signature *s, native_init_fn *native_init,
                const OSSL_PARAM params[])
{
    s->native = EVP_PKEY_CTX_new_from_pkey(s->ctx->libctx,
                                           mesh_key_public(s->key), NULL);
    if (signs_in_software(s))
        native_init = EVP_PKEY_sign_init_ex;
    return s->native != NULL && native_init(s->native, NULL) == 1
           && set_params(s, params);
}

static int plain_init(struct signature *s, struct mesh_key *key,
                      native_init_fn *native_init, const OSSL_PARAM params[])
{
    if (!take_key(s, key))
        return 0;
    if (s->signing && !signs_in_software(s) && is_one_shot(s->key))
        return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s signs whole messages, not digests",
                          mesh_key_type(s->key));
    return init(s, native_init, params);
}

static int signature_sign_init(void *vctx, void *key, const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 1;
    return plain_init(s, key, EVP_PKEY_verify_init_ex, params);
}

static int signature_verify_init(void *vctx, void *key,
                                 const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 0;
    return plain_init(s, key, EVP_PKEY_verify_init_ex, params);
}

static int signature_recover_init(void *vctx, void *key,
                                  const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 0;
    return plain_init(s, key, EVP_PKEY_verify_recover_init_ex, params);
}

static int init_hash(struct signature *s, const char *mdname)
{
    char digest[MESH_DIGEST_NAME_MAX];
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };
    EVP_MD *md;
    int ok;

    if (mdname == NULL || *mdname == '\0') {
        if (EVP_PKEY_get_default_digest_name(mesh_key_public(s->key), digest,
                                             sizeof(digest))
            <= 0)
            return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                              "a digest must be chosen for %s",
                              mesh_key_type(s->key));
        mdname = digest;
    }
    params[0].data = (char *)mdname;
    params[0].data_size = strlen(mdname);
    md = EVP_MD_fetch(s->ctx->libctx, mdname, NULL);
    if (md != NULL && s->signing && !signs_in_software(s)
        && (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0) {
        EVP_MD_free(md);
        return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "a signature with %.40s, which has no length",
                          mdname);
    }
    ok = md != NULL && (s->md = EVP_MD_CTX_new()) != NULL
         && EVP_DigestInit_ex2(s->md, md, NULL)
         && mesh_parameters_set(s->native, params);
    EVP_MD_free(md);
    s->hashing = ok;
    return ok;
}

static int begin(struct signature *s, const char *mdname)
{
    EVP_PKEY *native = mesh_key_public(s->key);

    if (!is_one_shot(s->key))
        return init(s, EVP_PKEY_verify_init_ex, NULL) && init_hash(s, mdname);
    if (mdname != NULL && *mdname != '\0' && strcmp(mdname, "UNDEF") != 0)
        return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s has no choice of digest, %s was asked for",
                          mesh_key_type(s->key), mdname);
    if ((s->md = EVP_MD_CTX_new()) == NULL)
        return 0;
    s->one_shot = 1;
    return (signs_in_software(s)
                ? EVP_DigestSignInit_ex(s->md, &s->native, NULL, s->ctx->libctx,
                                        NULL, native, NULL)
                : EVP_DigestVerifyInit_ex(s->md, &s->native, NULL,
                                          s->ctx->libctx, NULL, native, NULL))
           == 1;
}

/* A signature that was begun, without its key: the next one of that digest is a
 * copy, for a tenth of the cost. */
struct beginning {
    struct mesh_kept kept;
    char digest[MESH_DIGEST_NAME_MAX];
    struct signature *operation;
};

static void release_beginning(struct mesh_kept *kept)
{
    struct beginning *b = (struct beginning *)kept;

    signature_free(b->operation);
    OPENSSL_free(b);
}

static void keep_beginning(struct signature *s, const char *mdname)
{
    struct beginning *b = OPENSSL_zalloc(sizeof(*b));

    if (b == NULL)
        return;
    b->kept.release = release_beginning;
    ERR_set_mark(); /* libcrypto may not be able to copy it */
    if (OPENSSL_strlcpy(b->digest, mdname, sizeof(b->digest))
            < sizeof(b->digest)
        && (b->operation = signature_new(s->ctx, NULL)) != NULL
        && copy_operation(b->operation, s) && mesh_key_keep(s->key, &b->kept))
        b = NULL; /* the key's */
    ERR_pop_to_mark();
    if (b != NULL)
        release_beginning(&b->kept);
}

static int digest_init(struct signature *s, const char *mdname,
                       struct mesh_key *key, const OSSL_PARAM params[])
{
    const struct beginning *b;

    if (!take_key(s, key))
        return 0;
    if (mdname == NULL)
        mdname = "";
    b = (const struct beginning *)mesh_key_kept(s->key);
    if (!s->signing || mesh_key_kind(s->key) != MESH_KEY_HELD) {
        if (!begin(s, mdname))
            return 0;
    } else if (b != NULL && strcmp(b->digest, mdname) == 0) {
        if (!copy_operation(s, b->operation))
            return 0;
    } else {
        if (!begin(s, mdname))
            return 0;
        if (b == NULL)
            keep_beginning(s, mdname);
    }
    return signature_set_params(s, params);
}

static int signature_digest_sign_init(void *vctx, const char *mdname, void *key,
                                      const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 1;
    return digest_init(s, mdname, key, params);
}

static int signature_digest_verify_init(void *vctx, const char *mdname,
                                        void *key, const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 0;
    return digest_init(s, mdname, key, params);
}

/* The way of a signature to the key: sig NULL asks for the room that it needs
 * and does not touch the key store. */
static int sign(struct signature *s, unsigned char *sig, size_t *siglen,
                size_t sigsize, const unsigned char *tbs, size_t tbslen)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN};

    if (s->native == NULL)
        return 0;
    if (sig == NULL) {
        *siglen = (size_t)EVP_PKEY_get_size(mesh_key_public(s->key));
        return 1;
    }
    *siglen = sigsize;
    if (signs_in_software(s))
        return (s->one_shot
                    ? EVP_DigestSign(s->md, sig, siglen, tbs, tbslen)
                    : EVP_PKEY_sign(s->native, sig, siglen, tbs, tbslen))
               == 1;
    if (!s->one_shot && !mesh_parameters_read(s->ctx, s->native, &op))
        return 0;
    mesh_parameters_add(&s->extra, &op);
    return mesh_key_operate(s->key, &op, tbs, tbslen, sig, siglen);
}

static int signature_sign(void *vctx, unsigned char *sig, size_t *siglen,
                          size_t sigsize, const unsigned char *tbs,
                          size_t tbslen)
{
    return sign(vctx, sig, siglen, sigsize, tbs, tbslen);
}

static int signature_verify(void *vctx, const unsigned char *sig, size_t siglen,
                            const unsigned char *tbs, size_t tbslen)
{
    struct signature *s = vctx;

    if (s->native == NULL)
        return 0;
    return (s->one_shot ? EVP_DigestVerify(s->md, sig, siglen, tbs, tbslen)
                        : EVP_PKEY_verify(s->native, sig, siglen, tbs, tbslen))
           == 1;
}

static int signature_recover(void *vctx, unsigned char *rout, size_t *routlen,
                             size_t routsize, const unsigned char *sig,
                             size_t siglen)
{
    struct signature *s = vctx;

    if (rout != NULL)
        *routlen = routsize;
    return s->native != NULL
           && EVP_PKEY_verify_recover(s->native, rout, routlen, sig, siglen)
                  == 1;
}

static int signature_digest_update(void *vctx, const unsigned char *data,
                                   size_t len)
{
    struct signature *s = vctx;

    if (!s->hashing)
        return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "this key signs whole messages, not in parts");
    return EVP_DigestUpdate(s->md, data, len);
}

static int signature_digest_sign_final(void *vctx, unsigned char *sig,
                                       size_t *siglen, size_t sigsize)
{
    struct signature *s = vctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!s->hashing)
        return 0;
    return (sig == NULL || EVP_DigestFinal_ex(s->md, digest, &len))
           && sign(s, sig, siglen, sigsize, digest, len);
}

static int signature_digest_verify_final(void *vctx, const unsigned char *sig,
                                         size_t siglen)
{
    struct signature *s = vctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    return s->hashing && EVP_DigestFinal_ex(s->md, digest, &len)
           && signature_verify(s, sig, siglen, digest, len);
}

static int signature_digest_sign(void *vctx, unsigned char *sig, size_t *siglen,
                                 size_t sigsize, const unsigned char *tbs,
                                 size_t tbslen)
{
    struct signature *s = vctx;

    if (s->one_shot)
        return sign(s, sig, siglen, sigsize, tbs, tbslen);
    return (sig == NULL || signature_digest_update(s, tbs, tbslen))
           && signature_digest_sign_final(s, sig, siglen, sigsize);
}

static int signature_digest_verify(void *vctx, const unsigned char *sig,
                                   size_t siglen, const unsigned char *tbs,
                                   size_t tbslen)
{
    struct signature *s = vctx;

    if (s->one_shot)
        return signature_verify(s, sig, siglen, tbs, tbslen);
    return signature_digest_update(s, tbs, tbslen)
           && signature_digest_verify_final(s, sig, siglen);
}

/* libcrypto takes success for "algorithm-id is there", and aborts if not. */
static int signature_get_params(void *vctx, OSSL_PARAM params[])
{
    struct signature *s = vctx;
    OSSL_PARAM *aid;

    if (s->native == NULL || !mesh_parameters_get(s->native, &s->id, params))
        return 0;
    aid = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    return aid == NULL || (OSSL_PARAM_modified(aid) && aid->return_size > 0);
}

static const OSSL_PARAM *signature_gettable(void *vctx, void *provctx)
{
    struct signature *s = vctx;

    (void)provctx;
    return s != NULL && s->native != NULL
               ? EVP_PKEY_CTX_gettable_params(s->native)
               : NULL;
}

/* In a digest operation the digest is known and hashing: it cannot change. */
static int same_digest(struct signature *s, const OSSL_PARAM params[])
{
    const OSSL_PARAM *digest = NULL;
    const char *name = NULL;

    if (s->hashing && params != NULL)
        digest = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (digest == NULL)
        return 1;
    if (OSSL_PARAM_get_utf8_string_ptr(digest, &name) && name != NULL
        && EVP_MD_is_a(EVP_MD_CTX_get0_md(s->md), name))
        return 1;
    return mesh_raise(s->ctx, MESH_R_USAGE,
                      "the digest of a signature cannot change from %s to "
                      "%.40s in its middle",
                      EVP_MD_get0_name(EVP_MD_CTX_get0_md(s->md)),
                      name != NULL ? name : "?");
}

static int signature_set_params(void *vctx, const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    if (s->native == NULL || !same_digest(s, params) || !set_params(s, params))
        return 0;
    if (params != NULL
        && OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST) != NULL)
        s->id.len = 0; /* libcrypto has made another */
    return 1;
}

/* Of a held key, too: what it cannot carry is refused by name. */
static const OSSL_PARAM *signature_settable(void *vctx, void *provctx)
{
    struct signature *s = vctx;

    (void)provctx;
    return s != NULL && s->native != NULL
               ? EVP_PKEY_CTX_settable_params(s->native)
               : NULL;
}

/* OpenSSL 3.4: only for what signs messages in any case; of other keys that
 * would be another algorithm for each digest. */
static int message_init(struct signature *s, struct mesh_key *key,
                        const OSSL_PARAM params[])
{
    if (key != NULL && !is_one_shot(key))
        return mesh_raise(s->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "a signature of a whole message by %s",
                          mesh_key_type(key));
    return digest_init(s, NULL, key, params);
}

static int signature_sign_message_init(void *vctx, void *key,
                                       const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 1;
    return message_init(s, key, params);
}

static int signature_verify_message_init(void *vctx, void *key,
                                         const OSSL_PARAM params[])
{
    struct signature *s = vctx;

    s->signing = 0;
    return message_init(s, key, params);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))signature_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))signature_free},
    {OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))signature_dup},
    {OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))signature_sign_init},
    {OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))signature_sign},
    {OSSL_FUNC_SIGNATURE_VERIFY_INIT, (void (*)(void))signature_verify_init},
    {OSSL_FUNC_SIGNATURE_VERIFY, (void (*)(void))signature_verify},
    {OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT,
     (void (*)(void))signature_recover_init},
    {OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, (void (*)(void))signature_recover},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
     (void (*)(void))signature_digest_sign_init},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE,
     (void (*)(void))signature_digest_update},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL,
     (void (*)(void))signature_digest_sign_final},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))signature_digest_sign},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
     (void (*)(void))signature_digest_verify_init},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE,
     (void (*)(void))signature_digest_update},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
     (void (*)(void))signature_digest_verify_final},
    {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY,
     (void (*)(void))signature_digest_verify},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))signature_get_params},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
     (void (*)(void))signature_gettable},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))signature_set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
     (void (*)(void))signature_settable},
    {FUNC_SIGN_MESSAGE_INIT, (void (*)(void))signature_sign_message_init},
    {FUNC_VERIFY_MESSAGE_INIT, (void (*)(void))signature_verify_message_init},
    {0, NULL},
};

#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, "", functions, "signature"),
#define NEWER(row) MESH_TYPES_ML_DSA(row) MESH_TYPES_SLH_DSA(row)

static const OSSL_ALGORITHM algorithms[] = {
    NEWER(ROW) MESH_TYPES_RSA(ROW)
        MESH_ALGORITHM("ECDSA", "", functions, "signature"),
    MESH_TYPES_EDDSA(ROW) MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_signature_algorithms(void)
{
    return mesh_libcrypto_is(3, 5) ? algorithms
                                   : algorithms + NEWER(MESH_COUNT);
}
