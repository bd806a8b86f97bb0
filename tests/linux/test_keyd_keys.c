/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-keyd's keys: found in the sources, proved, kept, forgotten.
 */
#include "platform/linux/keyd/key_data.h"
#include "platform/linux/keyd/keys.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static struct capture capture;
static struct mesh_context *ctx;
static struct memory_source first, second;
static struct mesh_keys *keys;
static const struct mesh_patience patience = {1, INT64_MAX};

static struct mesh_key_name name_of(EVP_PKEY *key)
{
    struct mesh_key_name name;

    assert_true(mesh_key_name_of(ctx, key, &name));
    return name;
}

static void start(unsigned key_timeout, unsigned idle_timeout)
{
    memory_source_init(&first);
    memory_source_init(&second);
    keys = mesh_keys_new(key_timeout, idle_timeout);
    mesh_keys_add_source(keys, &first.source);
    mesh_keys_add_source(keys, &second.source);
}

static void stop(void)
{
    mesh_keys_free(keys);
    assert_true(first.freed && second.freed);
    memory_source_clear(&first);
    memory_source_clear(&second);
}

static unsigned cached(void)
{
    struct mesh_keystore_status status = {.pid = 0};

    mesh_keys_status(keys, ctx, &status);
    return status.cached;
}

static void finds_and_keeps(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 100);
    memory_source_put(&second, &name, key);
    for (int i = 0; i < 3; i++) {
        expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
        assert_int_equal(EVP_PKEY_eq(found, key), 1);
        EVP_PKEY_free(found);
    }
    assert_int_equal(atomic_load(&second.finds), 1);
    assert_int_equal(cached(), 1);
    stop();
}

/* Using a key outlives its being forgotten. */
static void forgets(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, key);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    mesh_keys_forget(keys);
    assert_int_equal(cached(), 0);
    assert_int_equal(EVP_PKEY_eq(found, key), 1);
    EVP_PKEY_free(found);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    assert_int_equal(atomic_load(&first.finds), 2);
    EVP_PKEY_free(found);
    stop();
}

struct slow_find {
    struct mesh_key_name name;
    EVP_PKEY *found;
    int ok;
};

static void *slow_find(void *arg)
{
    struct slow_find *find = arg;

    find->ok = mesh_keys_find(keys, ctx, &find->name, &patience, &find->found);
    return NULL;
}

/* A key on its way while the keyring is locked is used, but not kept. */
static void forgets_what_is_on_its_way(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct slow_find find = {.name = name_of(key)};
    pthread_t thread;

    (void)state;
    start(100, 100);
    memory_source_put(&first, &find.name, key);
    atomic_store(&first.delay_ms, 300);
    pthread_create(&thread, NULL, slow_find, &find);
    while (atomic_load(&first.finds) == 0)
        usleep(1000);
    mesh_keys_forget(keys);
    pthread_join(thread, NULL);
    assert_true(find.ok);
    assert_non_null(find.found);
    EVP_PKEY_free(find.found);
    assert_int_equal(cached(), 0);
    stop();
}

static void ages(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(3, 100);
    memory_source_put(&first, &name, key);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    EVP_PKEY_free(found);
    assert_in_range(mesh_keys_expire(keys), 1, 3);
    assert_int_equal(cached(), 1);
    for (int i = 0; i < 7; i++) { /* use does not make it younger */
        usleep(500000);
        expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
        EVP_PKEY_free(found);
    }
    assert_int_equal(atomic_load(&first.finds), 2);
    stop();
}

static void idles(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 2);
    memory_source_put(&first, &name, key);
    for (int i = 0; i < 4; i++) { /* use keeps it */
        expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
        EVP_PKEY_free(found);
        usleep(800000);
    }
    assert_int_equal(atomic_load(&first.finds), 1);
    assert_int_equal(cached(), 1);
    sleep(2);
    assert_int_equal(mesh_keys_expire(keys), 2);
    assert_int_equal(cached(), 0);
    stop();
}

static void refuses_another_key(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, test_key(ctx, "P-384"));
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &found));
    expect_error(ctx, MESH_R_KEY_MISMATCH, "memory has another private key");
    assert_null(found);
    assert_int_equal(cached(), 0);
    /* the right one in the next source is found all the same */
    memory_source_put(&second, &name, key);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    assert_int_equal(EVP_PKEY_eq(found, key), 1);
    EVP_PKEY_free(found);
    stop();
}

/* The log would have the name of a key that was not used. */
static void refuses_another_fingerprint(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key), named = name;

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, key);
    memcpy(named.udf, name_of(test_key(ctx, "P-384")).udf, sizeof(named.udf));
    for (int i = 0; i < 2; i++) { /* then with the key in memory */
        assert_false(mesh_keys_find(keys, ctx, &named, &patience, &found));
        expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
        assert_null(found);
        expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
        EVP_PKEY_free(found);
    }
    stop();
}

/* The public half of one key with the private half of another: it would be
 * taken for the first by its SubjectPublicKeyInfo. */
static EVP_PKEY *chimera(EVP_PKEY *public, EVP_PKEY *private)
{
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(ctx->libctx, "EC", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params;
    unsigned char point[256];
    BIGNUM *scalar = NULL;
    EVP_PKEY *key = NULL;
    size_t len;

    EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, point,
                                    sizeof(point), &len);
    EVP_PKEY_get_bn_param(private, OSSL_PKEY_PARAM_PRIV_KEY, &scalar);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                    "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                     len);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_fromdata_init(make);
    assert_int_equal(EVP_PKEY_fromdata(make, &key, EVP_PKEY_KEYPAIR, params),
                     1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(scalar);
    EVP_PKEY_CTX_free(make);
    return key;
}

static void refuses_halves_of_two_keys(void **state)
{
    EVP_PKEY *named = test_key(ctx, "P-256"), *found;
    EVP_PKEY *other = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", "P-256");
    EVP_PKEY *mixed = chimera(named, other);
    struct mesh_key_name name = name_of(named);

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, mixed);
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &found));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "does not belong");
    EVP_PKEY_free(other);
    EVP_PKEY_free(mixed);
    stop();
}

static void says_why_it_has_none(void **state)
{
    struct mesh_key_name name = name_of(test_key(ctx, "P-256"));
    const struct mesh_patience silent = {0, INT64_MAX};
    EVP_PKEY *found;
    int held;

    (void)state;
    start(100, 100);
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &found));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
    expect_ok(ctx, mesh_keys_hold(keys, ctx, &name, &held));
    assert_int_equal(held, 0);
    atomic_store(&first.fails, MESH_R_NO_SECRET_SERVICE);
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &found));
    expect_error(ctx, MESH_R_NO_SECRET_SERVICE, "on order");
    assert_false(mesh_keys_hold(keys, ctx, &name, &held));
    expect_error(ctx, MESH_R_NO_SECRET_SERVICE, "on order");
    atomic_store(&first.fails, 0);
    atomic_store(&first.locked, 1);
    assert_false(mesh_keys_find(keys, ctx, &name, &silent, &found));
    expect_error(ctx, MESH_R_LOCKED, "");
    stop();
}

/* A source that fails does not hide what another one has. */
static void asks_the_others(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);
    struct mesh_keystore_item *items = NULL;
    size_t count = 0;
    int held;

    (void)state;
    start(100, 100);
    memory_source_put(&second, &name, key);
    atomic_store(&first.fails, MESH_R_NO_SECRET_SERVICE);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    EVP_PKEY_free(found);
    mesh_keys_forget(keys);
    expect_ok(ctx, mesh_keys_hold(keys, ctx, &name, &held));
    assert_int_equal(held, 1);
    expect_ok(ctx, mesh_keys_list(keys, ctx, &patience, &items, &count));
    assert_int_equal(count, 1);
    assert_string_equal(items[0].algorithm, "P-256");
    assert_string_equal(items[0].name.udf, name.udf);
    OPENSSL_free(items);
    atomic_store(&first.fails, MESH_R_LOCKED);
    assert_false(mesh_keys_list(keys, ctx, &patience, &items, &count));
    expect_error(ctx, MESH_R_LOCKED, "on order");
    stop();
}

static void stores_once(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 100);
    first.source.store = NULL;
    expect_ok(ctx, mesh_keys_store(keys, ctx, key, &patience));
    assert_non_null(second.keys[0]);
    assert_false(mesh_keys_store(keys, ctx, key, &patience));
    expect_error(ctx, MESH_R_KEY_EXISTS, "in the memory already");
    expect_ok(ctx, mesh_keys_remove(keys, ctx, &name, &patience));
    assert_false(mesh_keys_remove(keys, ctx, &name, &patience));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
    second.source.store = NULL;
    assert_false(mesh_keys_store(keys, ctx, key, &patience));
    expect_error(ctx, MESH_R_NO_SECRET_SERVICE, "no place");
    stop();
}

static void removes_from_memory_too(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *found;
    struct mesh_key_name name = name_of(key);

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, key);
    expect_ok(ctx, mesh_keys_find(keys, ctx, &name, &patience, &found));
    EVP_PKEY_free(found);
    expect_ok(ctx, mesh_keys_remove(keys, ctx, &name, &patience));
    assert_false(mesh_keys_find(keys, ctx, &name, &patience, &found));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, name.udf);
    stop();
}

/* Success means that the key is nowhere any more. */
static void removes_everywhere(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = name_of(key);
    int held;

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, key);
    memory_source_put(&second, &name, key);
    atomic_store(&second.fails, MESH_R_LOCKED);
    assert_false(mesh_keys_remove(keys, ctx, &name, &patience));
    expect_error(ctx, MESH_R_LOCKED, "on order");
    atomic_store(&second.fails, 0);
    expect_ok(ctx, mesh_keys_hold(keys, ctx, &name, &held));
    assert_int_equal(held, 1);
    expect_ok(ctx, mesh_keys_remove(keys, ctx, &name, &patience));
    /* on a server there is one place alone */
    memory_source_put(&first, &name, key);
    atomic_store(&second.fails, MESH_R_NO_SECRET_SERVICE);
    expect_ok(ctx, mesh_keys_remove(keys, ctx, &name, &patience));
    assert_false(mesh_keys_remove(keys, ctx, &name, &patience));
    expect_error(ctx, MESH_R_NO_SECRET_SERVICE, "on order");
    stop();
}

static void *find_and_forget(void *arg)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_key_name *name = arg;
    EVP_PKEY *found;
    size_t good = 0;

    for (int i = 0; i < 300; i++) {
        if (mesh_keys_find(keys, &quiet, name, &patience, &found))
            good++;
        EVP_PKEY_free(found);
        if (i % 10 == 0)
            mesh_keys_forget(keys);
        (void)mesh_keys_expire(keys);
    }
    return (void *)good;
}

static void serves_many_threads(void **state)
{
    EVP_PKEY *key = test_key(ctx, "ED25519");
    struct mesh_key_name name = name_of(key);
    pthread_t threads[4];
    void *good;

    (void)state;
    start(100, 100);
    memory_source_put(&first, &name, key);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, find_and_forget, &name);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &good);
        assert_int_equal((size_t)good, 300);
    }
    stop();
}

static void decodes_pkcs8_alone(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256"), *read;
    unsigned char *der, longer[512] = {0};
    size_t len;

    (void)state;
    expect_ok(ctx, mesh_key_encode_pkcs8(ctx, key, &der, &len));
    expect_ok(ctx, mesh_key_decode_pkcs8(ctx, der, len, &read));
    assert_int_equal(EVP_PKEY_eq(read, key), 1);
    EVP_PKEY_free(read);
    memcpy(longer, der, len);
    assert_false(mesh_key_decode_pkcs8(ctx, longer, len + 1, &read));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "PKCS#8");
    for (size_t cut = 0; cut < len; cut += 7) {
        assert_false(mesh_key_decode_pkcs8(ctx, der, cut, &read));
        expect_error(ctx, MESH_R_KEY_MALFORMED, "PKCS#8");
        assert_null(read);
    }
    OPENSSL_clear_free(der, len);
}

static int set_up(void **state)
{
    (void)state;
    return (ctx = mesh_context_new(NULL, capture_raise, &capture)) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    test_key(NULL, NULL);
    mesh_context_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_keeps),
        cmocka_unit_test(forgets),
        cmocka_unit_test(forgets_what_is_on_its_way),
        cmocka_unit_test(ages),
        cmocka_unit_test(idles),
        cmocka_unit_test(refuses_another_key),
        cmocka_unit_test(refuses_another_fingerprint),
        cmocka_unit_test(refuses_halves_of_two_keys),
        cmocka_unit_test(says_why_it_has_none),
        cmocka_unit_test(asks_the_others),
        cmocka_unit_test(stores_once),
        cmocka_unit_test(removes_from_memory_too),
        cmocka_unit_test(removes_everywhere),
        cmocka_unit_test(serves_many_threads),
        cmocka_unit_test(decodes_pkcs8_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
