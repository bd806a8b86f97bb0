/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of platform/keystore.h and of store/resolve.h.
 */
#include "tests/keymgmt/keystore_double.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/operate.h"
#include "platform/udf.h"
#include "store/resolve.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <string.h>

/* What keys can be named: pkeyopts as EVP_PKEY_CTX_ctrl_str() takes them. */
static struct {
    const char *name, *type;
    const char *options[3][2];
    EVP_PKEY *key;
} keys[] = {
    {"rsa", "RSA", {{"rsa_keygen_bits", "2048"}}, NULL},
    {"rsa-pss", "RSA-PSS", {{"rsa_keygen_bits", "2048"}}, NULL},
    {"rsa-pss-sha256",
     "RSA-PSS",
     {{"rsa_pss_keygen_md", "sha256"},
      {"rsa_pss_keygen_mgf1_md", "sha256"},
      {"rsa_pss_keygen_saltlen", "32"}},
     NULL},
    {"ec", "EC", {{"group", "P-256"}}, NULL},
    {"p384", "EC", {{"group", "P-384"}}, NULL},
    {"p521", "EC", {{"group", "P-521"}}, NULL},
    {"secp256k1", "EC", {{"group", "secp256k1"}}, NULL},
    {"brainpool", "EC", {{"group", "brainpoolP256r1"}}, NULL},
    {"sect283k1", "EC", {{"group", "sect283k1"}}, NULL},
    {"ed25519", "ED25519", {{NULL}}, NULL},
    {"ed448", "ED448", {{NULL}}, NULL},
    {"x25519", "X25519", {{NULL}}, NULL},
    {"x448", "X448", {{NULL}}, NULL},
    {"ml-dsa-44", "ML-DSA-44", {{NULL}}, NULL},
    {"ml-dsa-65", "ML-DSA-65", {{NULL}}, NULL},
    {"ml-dsa-87", "ML-DSA-87", {{NULL}}, NULL},
    {"slh-dsa-sha2", "SLH-DSA-SHA2-128f", {{NULL}}, NULL},
    {"slh-dsa-shake", "SLH-DSA-SHAKE-128f", {{NULL}}, NULL},
    {"ml-kem-512", "ML-KEM-512", {{NULL}}, NULL},
    {"ml-kem-768", "ML-KEM-768", {{NULL}}, NULL},
    {"ml-kem-1024", "ML-KEM-1024", {{NULL}}, NULL},
};
#define KEYS   (sizeof(keys) / sizeof(keys[0]))
#define SCHEME "mesh://"
/* Of those that were made. */
static char uris[KEYS][sizeof(SCHEME) + MESH_UDF_TEXT_MAX];

unsigned double_operations;
struct mesh_private_op double_last;
enum mesh_reason double_failure;
static atomic_flag lock = ATOMIC_FLAG_INIT; /* held for two assignments */

EVP_PKEY *double_new_key_in(OSSL_LIB_CTX *libctx, const char *name)
{
    EVP_PKEY_CTX *make;
    EVP_PKEY *key = NULL;
    size_t i, o;
    int ok;

    for (i = 0; i < KEYS && strcmp(keys[i].name, name) != 0; i++)
        ;
    if (i == KEYS)
        return NULL;
    ERR_set_mark();
    make = EVP_PKEY_CTX_new_from_name(libctx, keys[i].type, NULL);
    ok = make != NULL && EVP_PKEY_keygen_init(make) == 1;
    for (o = 0; ok && o < 3 && keys[i].options[o][0] != NULL; o++)
        ok = EVP_PKEY_CTX_ctrl_str(make, keys[i].options[o][0],
                                   keys[i].options[o][1])
             == 1;
    if (ok)
        EVP_PKEY_generate(make, &key);
    EVP_PKEY_CTX_free(make);
    ERR_pop_to_mark();
    return key;
}

EVP_PKEY *double_new_key(const char *name)
{
    return double_new_key_in(NULL, name);
}

EVP_PKEY *double_key(const char *name)
{
    struct mesh_context ctx = {.libctx = NULL};
    struct mesh_udf udf;
    size_t i;

    for (i = 0; i < KEYS && strcmp(keys[i].name, name) != 0; i++)
        ;
    if (i == KEYS)
        return NULL;
    if (keys[i].key == NULL && (keys[i].key = double_new_key(name)) != NULL
        && mesh_udf_of_key(&ctx, keys[i].key, &udf))
        mesh_udf_print(&udf, strcpy(uris[i], SCHEME) + strlen(SCHEME));
    return keys[i].key;
}

static const char *uri_of(const EVP_PKEY *key)
{
    size_t i;

    for (i = 0; keys[i].key != key; i++)
        ;
    return uris[i];
}

const char *double_uri(const char *name)
{
    EVP_PKEY *key = double_key(name);

    return key != NULL ? uri_of(key) : NULL;
}

const char *double_name(size_t i)
{
    return i < KEYS ? keys[i].name : NULL;
}

void double_free_keys(void)
{
    size_t i;

    for (i = 0; i < KEYS; i++) {
        EVP_PKEY_free(keys[i].key);
        keys[i].key = NULL;
    }
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
    struct mesh_key_name own;
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (keys[i].key != NULL && mesh_key_name_of(ctx, keys[i].key, &own)
            && memcmp(&own, name, sizeof(own)) == 0)
            return keys[i].key;
    return NULL;
}

/* As mesh-keyd does, with its own checks and in another library context than
 * the provider's. */
int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    struct mesh_context holder = *ctx;
    EVP_PKEY *key = find(ctx, name);
    unsigned char *result;
    size_t len;

    while (atomic_flag_test_and_set(&lock))
        ;
    double_operations++;
    double_last = *op;
    atomic_flag_clear(&lock);
    holder.libctx = NULL;
    if (double_failure != MESH_R_NONE)
        return mesh_raise(ctx, double_failure, "as the test wants");
    if (key == NULL)
        return mesh_raise(ctx, MESH_R_KEY_NOT_HELD, "%s", name->udf);
    if (!mesh_operate_check(&holder, op, in, in_len)
        || !mesh_operate(&holder, key, op, in, in_len, &result, &len))
        return 0;
    if (len <= *out_len)
        memcpy(out, result, *out_len = len);
    OPENSSL_clear_free(result, len);
    return len <= *out_len
           || mesh_raise(ctx, MESH_R_BUFFER_TOO_SMALL, "%zu octets", len);
}

/* The key of a name, or of a fingerprint if somebody has asked for the key
 * before. */
static EVP_PKEY *find_named(const char *name)
{
    size_t i;

    for (i = 0; i < KEYS; i++)
        if (keys[i].key != NULL
            && OPENSSL_strcasecmp(uris[i] + strlen(SCHEME), name) == 0)
            return keys[i].key;
    return double_key(name);
}

/* mesh://NAME: the private key, then the public one, under their URI of the
 * fingerprint, which is a name, too; mesh://names: a NAME. */
int mesh_resolve(struct mesh_context *ctx, const char *text,
                 enum mesh_object_type expect,
                 const struct mesh_criterion *criterion,
                 struct mesh_objects *objects)
{
    struct mesh_uri uri;
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *key, *public;
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
    key = find_named(uri.profile);
    if (key == NULL || uri.role[0] != '\0')
        return mesh_raise(ctx, MESH_R_FINGERPRINT_UNKNOWN, "%s", uri.profile);
    len = i2d_PUBKEY(key, &der);
    p = der;
    public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);
    OPENSSL_free(der);
    objects->items = OPENSSL_zalloc(2 * sizeof(*objects->items));
    if (expect == MESH_OBJECT_ANY || expect == MESH_OBJECT_PRIVATE) {
        objects->items[objects->count].type = MESH_OBJECT_PRIVATE;
        objects->items[objects->count++].key =
            mesh_key_new(ctx, public, uri_of(key), MESH_KEY_HELD);
    }
    if (expect == MESH_OBJECT_ANY || expect == MESH_OBJECT_PUBLIC) {
        objects->items[objects->count].type = MESH_OBJECT_PUBLIC;
        objects->items[objects->count++].key =
            mesh_key_new(ctx, public, uri_of(key), MESH_KEY_PUBLIC);
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
