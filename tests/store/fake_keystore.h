/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key store in the test itself, instead of the client of mesh-keyd: it holds
 * the keys that the test makes.
 */
#ifndef MESH_TESTS_STORE_FAKE_KEYSTORE_H
#define MESH_TESTS_STORE_FAKE_KEYSTORE_H

#include "platform/algorithm.h"
#include "platform/keystore.h"

#include "tests/store/store_test.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>

#define FAKE_KEYS_MAX 16

static struct {
    EVP_PKEY *keys[FAKE_KEYS_MAX];
    int unreachable;
    unsigned asked;    /* calls of mesh_keystore_holds() */
    X509 *certificate; /* the test's; of every key, right or wrong */
    int no_certificates;
} fake;

/* Makes a key; the fake owns it. */
static inline EVP_PKEY *fake_generate(struct mesh_context *ctx,
                                      const char *algorithm)
{
    const struct mesh_algorithm *row = mesh_algorithm_find(algorithm);
    EVP_PKEY_CTX *make =
        EVP_PKEY_CTX_new_from_name(ctx->libctx, row->keytype, NULL);
    size_t i = 0, bits = row->bits;
    OSSL_PARAM param = OSSL_PARAM_construct_end();

    while (fake.keys[i] != NULL)
        i++;
    assert_true(i < FAKE_KEYS_MAX);
    if (row->group != NULL)
        param = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 (char *)row->group, 0);
    else if (row->bits != 0)
        param = OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    assert_int_equal(EVP_PKEY_keygen_init(make), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_params(
            make, (OSSL_PARAM[]){param, OSSL_PARAM_construct_end()}),
        1);
    assert_int_equal(EVP_PKEY_generate(make, &fake.keys[i]), 1);
    EVP_PKEY_CTX_free(make);
    return fake.keys[i];
}

static inline void fake_free(void)
{
    size_t i;

    for (i = 0; i < FAKE_KEYS_MAX; i++) {
        EVP_PKEY_free(fake.keys[i]);
        fake.keys[i] = NULL;
    }
}

static inline EVP_PKEY *fake_find(struct mesh_context *ctx,
                                  const struct mesh_key_name *name)
{
    struct mesh_key_name own;
    size_t i;

    for (i = 0; i < FAKE_KEYS_MAX && fake.keys[i] != NULL; i++)
        if (mesh_key_name_of(ctx, fake.keys[i], &own)
            && memcmp(&own, name, sizeof(own)) == 0)
            return fake.keys[i];
    return NULL;
}

int mesh_keystore_holds(struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    fake.asked++;
    if (fake.unreachable)
        return mesh_raise(ctx, MESH_R_KEYD_START, "the fake is unreachable");
    *held = fake_find(ctx, name) != NULL;
    return 1;
}

int mesh_keystore_certificate(struct mesh_context *ctx,
                              const struct mesh_key_name *name,
                              unsigned char **der, size_t *len)
{
    int n;

    (void)name;
    *der = NULL;
    if (fake.no_certificates)
        return mesh_raise(ctx, MESH_R_FILE_IO, "the fake has none");
    if (fake.certificate == NULL)
        return 1;
    n = i2d_X509(fake.certificate, der);
    assert_true(n > 0);
    *len = (size_t)n;
    return 1;
}

int mesh_keystore_generate(struct mesh_context *ctx, const char *algorithm,
                           EVP_PKEY **public)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len;

    *public = NULL;
    if (fake.unreachable)
        return mesh_raise(ctx, MESH_R_KEYD_START, "the fake is unreachable");
    len = i2d_PUBKEY(fake_generate(ctx, algorithm), &der);
    p = der;
    *public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);
    OPENSSL_free(der);
    return *public != NULL;
}

int mesh_keystore_delete(struct mesh_context *ctx,
                         const struct mesh_key_name *name)
{
    EVP_PKEY *key = fake_find(ctx, name);
    size_t i = 0;

    if (fake.unreachable)
        return mesh_raise(ctx, MESH_R_KEYD_START, "the fake is unreachable");
    if (key == NULL)
        return mesh_raise(ctx, MESH_R_KEY_NOT_HELD, "%s", name->udf);
    while (fake.keys[i] != key)
        i++;
    for (; i + 1 < FAKE_KEYS_MAX; i++)
        fake.keys[i] = fake.keys[i + 1];
    fake.keys[i] = NULL;
    EVP_PKEY_free(key);
    return 1;
}

int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    EVP_PKEY *key = fake_find(ctx, name);
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *md = NULL;
    int ok;

    if (key == NULL)
        return mesh_raise(ctx, MESH_R_KEY_NOT_HELD, "%s", name->udf);
    assert_int_equal(op->operation, MESH_OP_SIGN);
    if (op->digest[0] == '\0') {
        md = EVP_MD_CTX_new();
        ok = EVP_DigestSignInit_ex(md, NULL, NULL, ctx->libctx, NULL, key, NULL)
             && EVP_DigestSign(md, out, out_len, in, in_len);
    } else {
        EVP_MD *digest = EVP_MD_fetch(ctx->libctx, op->digest, NULL);

        pctx = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
        ok = EVP_PKEY_sign_init(pctx) > 0
             && EVP_PKEY_CTX_set_signature_md(pctx, digest) > 0
             && EVP_PKEY_sign(pctx, out, out_len, in, in_len) > 0;
        EVP_MD_free(digest);
    }
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(pctx);
    return ok || mesh_raise(ctx, MESH_R_OPERATION_FAILED, "%s", name->udf);
}

#endif
