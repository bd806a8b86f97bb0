/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What certificates name as their signature's algorithm.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

struct algorithm_id {
    unsigned char der[256];
    size_t len;
};

static struct algorithm_id read_id(EVP_PKEY_CTX *c)
{
    struct algorithm_id id = {{0}, 0};
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id.der,
                                sizeof(id.der)),
        OSSL_PARAM_END,
    };

    assert_int_equal(EVP_PKEY_CTX_get_params(c, params), 1);
    id.len = params[0].return_size;
    assert_true(id.len > 0);
    return id;
}

static void expect_same(struct algorithm_id a, struct algorithm_id b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.der, b.der, a.len);
}

static EVP_MD_CTX *begin(EVP_PKEY *key, const char *digest)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    assert_int_equal(
        EVP_DigestSignInit_ex(md, NULL, digest, app, NULL, key, NULL), 1);
    return md;
}

/* Of a signature that is begun and left. */
static struct algorithm_id id_of(EVP_PKEY *key, const char *digest)
{
    EVP_MD_CTX *md = begin(key, digest);
    struct algorithm_id id = read_id(EVP_MD_CTX_get_pkey_ctx(md));

    EVP_MD_CTX_free(md);
    return id;
}

/* What has been freed, others write over. */
static void fill_free_memory(void)
{
    unsigned char *blocks[256];
    size_t i;

    for (i = 0; i < 256; i++)
        memset(blocks[i] = malloc(16 * (i + 1)), 0xee, 16 * (i + 1));
    for (i = 0; i < 256; i++)
        free(blocks[i]);
}

/* The second and third signature of a key, and copies.  (libcrypto's own copies
 * read it, up to 3.3, from what they were copied from.) */
static void test_next_and_copied(void **state)
{
    static const char *const keys[] = {"rsa", "rsa-pss", "ec", "ed25519",
                                       "ml-dsa-44"};
    size_t k, i;

    (void)state;
    for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        const char *digest = k < 3 ? "SHA384" : NULL;
        EVP_PKEY *held = held_key(keys[k]), *plain = double_key(keys[k]);
        struct algorithm_id right;

        if (!have(keys[k]))
            continue;
        right = id_of(plain, digest);
        for (i = 0; i < 3; i++) {
            EVP_MD_CTX *md, *copy = EVP_MD_CTX_new();

            expect_same(id_of(held, digest), right);
            fill_free_memory();
            md = begin(held, digest);
            assert_int_equal(EVP_MD_CTX_copy_ex(copy, md), 1);
            EVP_MD_CTX_free(md);
            fill_free_memory();
            expect_same(read_id(EVP_MD_CTX_get_pkey_ctx(copy)), right);
            EVP_MD_CTX_free(copy);
        }
        EVP_PKEY_free(held);
    }
}

/* The digest that is set last counts. */
static void test_digest_of_copy(void **state)
{
    EVP_PKEY *held = held_key("ec");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL), *copy;

    (void)state;
    assert_int_equal(EVP_PKEY_sign_init(c), 1);
    assert_int_equal(set_options(c, "digest:SHA256"), 1);
    copy = EVP_PKEY_CTX_dup(c);
    assert_non_null(copy);
    EVP_PKEY_CTX_free(c);
    fill_free_memory();
    expect_same(read_id(copy), id_of(held, "SHA256"));
    assert_int_equal(set_options(copy, "digest:SHA512"), 1);
    expect_same(read_id(copy), id_of(held, "SHA512"));
    EVP_PKEY_CTX_free(copy);
    EVP_PKEY_free(held);
}

/* libcrypto names none for it, and programs then give up. */
static void test_digest_without_id(void **state)
{
    EVP_PKEY *held = held_key("ec");
    int i;

    (void)state;
    for (i = 0; i < 3; i++) {
        EVP_MD_CTX *md = begin(held, "MD5-SHA1");
        struct algorithm_id id = {{0}, 0};
        OSSL_PARAM params[] = {
            OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id.der,
                                    sizeof(id.der)),
            OSSL_PARAM_END,
        };

        assert_int_equal(ERR_peek_error(), 0);
        assert_int_not_equal(
            EVP_PKEY_CTX_get_params(EVP_MD_CTX_get_pkey_ctx(md), params), 1);
        ERR_clear_error();
        EVP_MD_CTX_free(md);
    }
    EVP_PKEY_free(held);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_next_and_copied),
        TEST(test_digest_of_copy),
        TEST(test_digest_without_id),
    };

    return RUN_IN_EACH_ORDER(tests);
}
