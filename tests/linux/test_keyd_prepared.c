/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Operations that are prepared once for each key: each is its own, any thread
 * may use it, and none outlives its key.
 */
#include "platform/linux/keyd/keys.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <pthread.h>

static struct capture capture;
static struct mesh_context *ctx;
static struct memory_source memory;
static struct mesh_keys *keys;
static const struct mesh_patience patience = {1, INT64_MAX};
static const unsigned char input[64] = {1, 2, 3};

static int set_up(void **state)
{
    (void)state;
    memory_source_init(&memory);
    keys = mesh_keys_new(100, 100);
    mesh_keys_add_source(keys, &memory.source);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mesh_keys_free(keys);
    memory_source_clear(&memory);
    return 0;
}

static struct mesh_key_name hold(EVP_PKEY *key)
{
    struct mesh_key_name name;

    assert_true(mesh_key_name_of(ctx, key, &name));
    memory_source_put(&memory, &name, key);
    return name;
}

static EVP_PKEY *find(const struct mesh_key_name *name)
{
    EVP_PKEY *key;

    expect_ok(ctx, mesh_keys_find(keys, ctx, name, &patience, &key));
    return key;
}

/* As a request does it. */
static struct mesh_prepared *prepared(const struct mesh_key_name *name,
                                      const struct mesh_private_op *op)
{
    struct mesh_prepared *p = mesh_keys_prepared(keys, name, op);
    EVP_PKEY *key;

    if (p != NULL)
        return p;
    key = find(name);
    p = mesh_keys_prepare(keys, ctx, name, key, op);
    EVP_PKEY_free(key);
    assert_non_null(p);
    return p;
}

static int verifies(EVP_PKEY *key, const struct mesh_private_op *op,
                    size_t in_len, const unsigned char *out, size_t out_len)
{
    EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    EVP_MD *md = op->digest[0] != '\0'
                     ? EVP_MD_fetch(ctx->libctx, op->digest, NULL)
                     : NULL;
    int is_rsa = EVP_PKEY_is_a(key, "RSA");
    int padding =
        op->padding == MESH_PAD_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    int ok =
        EVP_PKEY_verify_init(verify) == 1
        && (md == NULL || EVP_PKEY_CTX_set_signature_md(verify, md) == 1)
        && (!is_rsa || EVP_PKEY_CTX_set_rsa_padding(verify, padding) == 1)
        && (op->padding != MESH_PAD_PSS
            || EVP_PKEY_CTX_set_rsa_pss_saltlen(verify, op->salt_length) == 1)
        && EVP_PKEY_verify(verify, out, out_len, input, in_len) == 1;

    EVP_MD_free(md);
    EVP_PKEY_CTX_free(verify);
    return ok;
}

static int runs(const struct mesh_prepared *p, EVP_PKEY *key,
                const struct mesh_private_op *op, size_t in_len)
{
    unsigned char *out;
    size_t out_len;
    int ok;

    if (!mesh_prepared_run(ctx, p, input, in_len, &out, &out_len))
        return 0;
    ok = verifies(key, op, in_len, out, out_len);
    OPENSSL_free(out);
    return ok;
}

static const struct mesh_private_op sha256 = {.operation = MESH_OP_SIGN,
                                              .digest = "SHA2-256"};

static void lives_as_long_as_the_key(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *before;
    struct mesh_key_name name = hold(key);
    struct mesh_prepared *p, *again;

    (void)state;
    assert_null(mesh_keys_prepared(keys, &name, &sha256));
    p = prepared(&name, &sha256);
    again = mesh_keys_prepared(keys, &name, &sha256);
    assert_ptr_equal(p, again);
    mesh_prepared_free(again);
    before = find(&name);
    mesh_keys_forget(keys);
    assert_null(mesh_keys_prepared(keys, &name, &sha256));
    assert_true(runs(p, key, &sha256, 32)); /* this use has begun */
    mesh_prepared_free(p);

    /* what was found before the keys were forgotten brings nothing back */
    mesh_prepared_free(mesh_keys_prepare(keys, ctx, &name, before, &sha256));
    assert_null(mesh_keys_prepared(keys, &name, &sha256));
    EVP_PKEY_free(before);

    mesh_prepared_free(prepared(&name, &sha256));
    expect_ok(ctx, mesh_keys_remove(keys, ctx, &name, &patience));
    assert_null(mesh_keys_prepared(keys, &name, &sha256));
}

static void is_of_its_key_alone(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *other = test_key(ctx, "P-384");
    struct mesh_key_name name = hold(key), other_name = hold(other), mixed;
    struct mesh_prepared *p;

    (void)state;
    mesh_prepared_free(prepared(&name, &sha256));
    assert_null(mesh_keys_prepared(keys, &other_name, &sha256));
    p = prepared(&other_name, &sha256);
    assert_true(runs(p, other, &sha256, 32));
    mesh_prepared_free(p);
    mixed = name; /* its digest, with another's fingerprint */
    memcpy(mixed.udf, other_name.udf, sizeof(mixed.udf));
    assert_null(mesh_keys_prepared(keys, &mixed, &sha256));
}

/* More than are kept, so that they also take each other's place. */
static void each_operation_is_its_own(void **state)
{
    static const struct {
        struct mesh_private_op op;
        size_t in_len;
    } cases[] = {
        {{.padding = MESH_PAD_PKCS1, .digest = "SHA2-256"}, 32},
        {{.padding = MESH_PAD_PKCS1, .digest = "SHA2-512"}, 64},
        {{.padding = MESH_PAD_PKCS1, .digest = "SHA3-256"}, 32},
        {{.padding = MESH_PAD_PKCS1}, 32},
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-256", .salt_length = 32},
         32},
        {{.padding = MESH_PAD_PSS, .digest = "SHA2-256", .salt_length = 20},
         32},
        {{.padding = MESH_PAD_PSS,
          .digest = "SHA2-256",
          .mgf1_digest = "SHA2-256",
          .salt_length = 20},
         32},
    };
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_key_name name = hold(key);

    (void)state;
    for (size_t i = 0; i < 30; i++) {
        size_t n = i * 3 % (sizeof(cases) / sizeof(*cases));
        struct mesh_private_op op = cases[n].op;
        struct mesh_prepared *p;

        op.operation = MESH_OP_SIGN;
        for (int twice = 0; twice < 2; twice++) {
            p = prepared(&name, &op);
            assert_true(runs(p, key, &op, cases[n].in_len));
            mesh_prepared_free(p);
        }
    }
    assert_int_equal(atomic_load(&memory.finds), 1);
}

/* A label is not compared, so it is not kept either. */
static void none_with_a_label_is_kept(void **state)
{
    static const char *const labels[] = {"ONE", "TWO", NULL};
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_key_name name = hold(key);

    (void)state;
    for (int i = 0; i < 9; i++) {
        const char *seal = labels[i / 3], *open = labels[i % 3];
        EVP_PKEY_CTX *e = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
        struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                     .padding = MESH_PAD_OAEP,
                                     .label = (const unsigned char *)open,
                                     .label_len = open != NULL ? 3 : 0};
        unsigned char sealed[256], *out;
        size_t len = sizeof(sealed), out_len;
        struct mesh_prepared *p;

        assert_int_equal(EVP_PKEY_encrypt_init(e), 1);
        EVP_PKEY_CTX_set_rsa_padding(e, RSA_PKCS1_OAEP_PADDING);
        if (seal != NULL)
            EVP_PKEY_CTX_set0_rsa_oaep_label(e, OPENSSL_strdup(seal), 3);
        assert_int_equal(EVP_PKEY_encrypt(e, sealed, &len, input, 10), 1);
        EVP_PKEY_CTX_free(e);
        p = prepared(&name, &op);
        if (seal == open) {
            expect_ok(ctx,
                      mesh_prepared_run(ctx, p, sealed, len, &out, &out_len));
            assert_int_equal(out_len, 10);
            OPENSSL_free(out);
        } else {
            assert_false(
                mesh_prepared_run(ctx, p, sealed, len, &out, &out_len));
            expect_error(ctx, MESH_R_OPERATION_FAILED, "cannot be decrypted");
        }
        mesh_prepared_free(p);
        p = mesh_keys_prepared(keys, &name, &op);
        assert_int_equal(p != NULL, open == NULL);
        mesh_prepared_free(p);
    }
}

static void checks_each_input(void **state)
{
    static const struct mesh_private_op decrypt = {.operation = MESH_OP_DECRYPT,
                                                   .padding = MESH_PAD_PKCS1};
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_private_op sign = sha256;
    struct mesh_key_name name = hold(key);
    struct mesh_prepared *p;
    unsigned char *out = NULL;
    size_t len;

    (void)state;
    sign.padding = MESH_PAD_PKCS1;
    p = prepared(&name, &sign);
    for (size_t i = 0; i < 64; i++) {
        if (i == 32)
            continue;
        assert_false(mesh_prepared_run(ctx, p, input, i, &out, &len));
        expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED,
                     i == 0 ? "needs input" : "digest's length");
    }
    assert_true(runs(p, key, &sign, 32));
    mesh_prepared_free(p);
    p = prepared(&name, &decrypt);
    assert_false(mesh_prepared_run(ctx, p, input, 0, &out, &len));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "needs input");
    assert_false(mesh_prepared_run(ctx, p, input, 8193, &out, &len));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "of that length");
    mesh_prepared_free(p);
    assert_null(out);
}

struct worker {
    pthread_t thread;
    struct mesh_key_name name;
    EVP_PKEY *key;
    struct mesh_private_op op;
    unsigned failed;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < 200; i++) {
        struct mesh_prepared *p = mesh_keys_prepared(keys, &w->name, &w->op);
        EVP_PKEY *key = NULL;

        if (p == NULL && mesh_keys_find(keys, ctx, &w->name, &patience, &key))
            p = mesh_keys_prepare(keys, ctx, &w->name, key, &w->op);
        w->failed += p == NULL || !runs(p, w->key, &w->op, 32);
        mesh_prepared_free(p);
        EVP_PKEY_free(key);
        if (i % 50 == 49)
            mesh_keys_forget(keys);
    }
    return NULL;
}

static void serves_all_threads(void **state)
{
    struct worker workers[8];
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);

    (void)state;
    for (int i = 0; i < 8; i++) {
        workers[i] = (struct worker){.name = name, .key = key, .op = sha256};
        if (i % 2 == 1)
            strcpy(workers[i].op.digest, "SHA3-256");
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].failed, 0);
    }
}

static int set_up_all(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL;
}

static int tear_down_all(void **state)
{
    (void)state;
    test_key(NULL, NULL);
    mesh_context_free(ctx);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lives_as_long_as_the_key),  CASE(is_of_its_key_alone),
        CASE(each_operation_is_its_own), CASE(none_with_a_label_is_kept),
        CASE(checks_each_input),         CASE(serves_all_threads),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
