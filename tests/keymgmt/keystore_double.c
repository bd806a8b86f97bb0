/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of platform/keystore.h and of store/resolve.h.
 */
#include "tests/keymgmt/keystore_double.h"

#include "platform/algorithm.h"
#include "store/resolve.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

static struct {
    const char *name, *type, *group;
    EVP_PKEY *key;
} keys[] = {
    {"rsa", "RSA", NULL, NULL},
    {"ec", "EC", "P-256", NULL},
    {"ed25519", "ED25519", NULL, NULL},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

unsigned double_operations;
struct mesh_private_op double_last;
enum mesh_reason double_failure;

void double_make_keys(void)
{
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (strcmp(keys[i].type, "EC") == 0)
            keys[i].key = EVP_EC_gen(keys[i].group);
        else
            keys[i].key =
                EVP_PKEY_Q_keygen(NULL, NULL, keys[i].type, (size_t)2048);
}

void double_free_keys(void)
{
    size_t i;

    for (i = 0; i < KEYS; i++)
        EVP_PKEY_free(keys[i].key);
}

EVP_PKEY *double_key(const char *name)
{
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return keys[i].key;
    return NULL;
}

int mesh_keystore_open(struct mesh_context *ctx)
{
    (void)ctx;
    return 1;
}

void mesh_keystore_close(struct mesh_context *ctx)
{
    (void)ctx;
}

static EVP_PKEY *find(struct mesh_context *ctx,
                      const struct mesh_key_name *name)
{
    unsigned char digest[32];
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (mesh_spki_sha256(ctx, keys[i].key, digest)
            && memcmp(digest, name->spki_sha256, sizeof(digest)) == 0)
            return keys[i].key;
    return NULL;
}

/* The numbers of libcrypto for enum mesh_padding, in its order. */
static const int pad_modes[] = {
    0,
    RSA_NO_PADDING,
    RSA_PKCS1_PADDING,
    RSA_PKCS1_PSS_PADDING,
    RSA_PKCS1_OAEP_PADDING,
    RSA_PKCS1_WITH_TLS_PADDING,
};

static int sign(EVP_PKEY *key, const struct mesh_private_op *op,
                const unsigned char *in, size_t in_len, unsigned char *out,
                size_t *out_len)
{
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new(key, NULL);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok;

    if (EVP_PKEY_is_a(key, "ED25519")) {
        ok = EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1
             && EVP_DigestSign(md, out, out_len, in, in_len) == 1;
    } else {
        ok = EVP_PKEY_sign_init(pctx) == 1;
        if (ok && op->digest[0] != '\0')
            ok = EVP_PKEY_CTX_set_signature_md(pctx,
                                               EVP_get_digestbyname(op->digest))
                 == 1;
        if (ok && op->padding != MESH_PAD_DEFAULT)
            ok =
                EVP_PKEY_CTX_set_rsa_padding(pctx, pad_modes[op->padding]) == 1;
        if (ok && op->padding == MESH_PAD_PSS)
            ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, op->salt_length) == 1;
        ok = ok && EVP_PKEY_sign(pctx, out, out_len, in, in_len) == 1;
    }
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(pctx);
    return ok;
}

static int decrypt(EVP_PKEY *key, const struct mesh_private_op *op,
                   const unsigned char *in, size_t in_len, unsigned char *out,
                   size_t *out_len)
{
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char room[1024];
    size_t len = sizeof(room);
    int ok;

    ok = EVP_PKEY_decrypt_init(pctx) == 1
         && EVP_PKEY_CTX_set_rsa_padding(pctx, pad_modes[op->padding]) == 1;
    if (ok && op->padding == MESH_PAD_OAEP)
        ok = EVP_PKEY_CTX_set_rsa_oaep_md_name(pctx, op->digest, NULL) == 1
             && EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, op->mgf1_digest, NULL)
                    == 1;
    if (ok && op->label_len != 0)
        ok = EVP_PKEY_CTX_set0_rsa_oaep_label(
                 pctx, OPENSSL_memdup(op->label, op->label_len),
                 (int)op->label_len)
             == 1;
    if (ok && op->padding == MESH_PAD_PKCS1_TLS) {
        unsigned version = op->tls_client_version;
        OSSL_PARAM params[] = {
            OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION,
                            &version),
            OSSL_PARAM_END,
        };

        ok = EVP_PKEY_CTX_set_params(pctx, params) == 1;
    }
    ok = ok && EVP_PKEY_decrypt(pctx, room, &len, in, in_len) == 1
         && len <= *out_len;
    if (ok)
        memcpy(out, room, *out_len = len);
    EVP_PKEY_CTX_free(pctx);
    return ok;
}

int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    EVP_PKEY *key = find(ctx, name);
    int ok;

    double_operations++;
    double_last = *op;
    if (double_failure != MESH_R_NONE)
        return mesh_raise(ctx, double_failure, "as the test wants");
    if (key == NULL)
        return mesh_raise(ctx, MESH_R_KEY_NOT_HELD, "%s", name->udf);
    ok = op->operation == MESH_OP_SIGN
             ? sign(key, op, in, in_len, out, out_len)
             : decrypt(key, op, in, in_len, out, out_len);
    return ok || mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s", name->udf);
}

/* mesh://NAME: the private key, then the public one; mesh://NAME/broken: an
 * error; mesh://names: a NAME. */
int mesh_resolve(struct mesh_context *ctx, const char *text,
                 enum mesh_object_type expect,
                 const struct mesh_criterion *criterion,
                 struct mesh_objects *objects)
{
    struct mesh_uri uri;
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *public;
    int len;

    (void)criterion;
    if (!mesh_uri_parse(ctx, text, &uri))
        return 0;
    if (strcmp(uri.profile, "names") == 0) {
        objects->items = OPENSSL_zalloc(sizeof(*objects->items));
        objects->items[0].type = MESH_OBJECT_NAME;
        objects->items[0].name = OPENSSL_strdup("mesh://rsa");
        objects->count = 1;
        return 1;
    }
    if (double_key(uri.profile) == NULL || uri.role[0] != '\0')
        return mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN, "%s", uri.profile);
    len = i2d_PUBKEY(double_key(uri.profile), &der);
    p = der;
    public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);
    OPENSSL_free(der);
    objects->items = OPENSSL_zalloc(2 * sizeof(*objects->items));
    if (expect == MESH_OBJECT_ANY || expect == MESH_OBJECT_PRIVATE) {
        objects->items[objects->count].type = MESH_OBJECT_PRIVATE;
        objects->items[objects->count++].key =
            mesh_key_new(ctx, public, text, MESH_KEY_HELD);
    }
    if (expect == MESH_OBJECT_ANY || expect == MESH_OBJECT_PUBLIC) {
        objects->items[objects->count].type = MESH_OBJECT_PUBLIC;
        objects->items[objects->count++].key =
            mesh_key_new(ctx, public, text, MESH_KEY_PUBLIC);
    }
    EVP_PKEY_free(public);
    return 1;
}

void mesh_objects_free(struct mesh_objects *objects)
{
    size_t i;

    for (i = 0; i < objects->count; i++) {
        OPENSSL_free(objects->items[i].name);
        mesh_key_free(objects->items[i].key);
    }
    OPENSSL_free(objects->items);
    objects->items = NULL;
    objects->count = 0;
}
