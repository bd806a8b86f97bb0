/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The loader, as libcrypto asks it.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/store.h>
#include <string.h>

static OSSL_STORE_CTX *open_store(const char *uri)
{
    return OSSL_STORE_open_ex(uri, app, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void test_store(void **state)
{
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;
    int i;

    (void)state;
    /* Malformed: refused when it is opened. */
    assert_null(open_store("mesh://a/b/c"));
    ERR_clear_error();
    /* An error is an end: an application that asks on does not loop. */
    store = open_store("mesh://unknown");
    assert_non_null(store);
    for (i = 0; i < 3 && !OSSL_STORE_eof(store); i++)
        assert_null(OSSL_STORE_load(store));
    assert_true(i < 3);
    expect_error(MESH_R_FINGERPRINT_UNKNOWN);
    OSSL_STORE_close(store);
    /* Types that no mesh: URI has: an empty end, no error. */
    store = open_store("mesh://rsa");
    assert_int_equal(OSSL_STORE_expect(store, OSSL_STORE_INFO_CRL), 1);
    assert_null(OSSL_STORE_load(store));
    assert_int_equal(OSSL_STORE_eof(store), 1);
    assert_int_equal(OSSL_STORE_error(store), 0);
    OSSL_STORE_close(store);
    /* Everything: the private key, then the public one. */
    store = open_store("MESH:rsa");
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PKEY);
    OSSL_STORE_INFO_free(info);
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PUBKEY);
    OSSL_STORE_INFO_free(info);
    assert_true(OSSL_STORE_eof(store));
    OSSL_STORE_close(store);
    store = open_store("mesh:names");
    info = OSSL_STORE_load(store);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_NAME);
    assert_string_equal(OSSL_STORE_INFO_get0_NAME(info), "mesh://rsa");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
}

/* Closed before anything, or half of it, was loaded: nothing leaks. */
static void test_store_closed_early(void **state)
{
    OSSL_STORE_CTX *store = open_store("mesh://rsa");

    (void)state;
    OSSL_STORE_close(store);
    store = open_store("mesh://ec");
    OSSL_STORE_INFO_free(OSSL_STORE_load(store));
    OSSL_STORE_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store),
        TEST(test_store_closed_early),
    };

    return RUN_IN_EACH_ORDER(tests);
}
