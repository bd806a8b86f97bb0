/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A library context as an application has it.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

OSSL_LIB_CTX *app;
static OSSL_PROVIDER *loaded[2];

static const struct order {
    const char *name, *first, *second, *properties;
} orders[] = {
    {"default first", "default", "mesh", ""},
    {"mesh first", "mesh", "default", ""},
    {"mesh preferred", "default", "mesh", "?provider=mesh"},
};
static const struct order *order;

static int load_providers(void **state)
{
    (void)state;
    app = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_add_builtin(app, "mesh", OSSL_provider_init);
    loaded[0] = OSSL_PROVIDER_load(app, order->first);
    loaded[1] = OSSL_PROVIDER_load(app, order->second);
    return loaded[0] == NULL || loaded[1] == NULL
           || !EVP_set_default_properties(app, order->properties);
}

static int unload_providers(void **state)
{
    int ok = OSSL_PROVIDER_unload(loaded[1]) && OSSL_PROVIDER_unload(loaded[0]);

    (void)state;
    OSSL_LIB_CTX_free(app);
    return !ok;
}

int begin_test(void **state)
{
    (void)state;
    double_failure = MESH_R_NONE;
    double_operations = 0;
    ERR_clear_error();
    return 0;
}

int run_in_each_order(const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;
    size_t i;

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        order = &orders[i];
        failed += _cmocka_run_group_tests(order->name, tests, count,
                                          load_providers, unload_providers);
    }
    double_free_keys();
    return failed;
}

static EVP_PKEY *load(const char *name, int expect)
{
    char uri[64] = "mesh://";
    OSSL_STORE_CTX *store;
    EVP_PKEY *key = NULL;

    if (double_key(name) == NULL)
        return NULL;
    store = OSSL_STORE_open_ex(strcat(uri, name), app, NULL, NULL, NULL, NULL,
                               NULL, NULL);
    assert_non_null(store);
    assert_int_equal(OSSL_STORE_expect(store, expect), 1);
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL)
            continue;
        key = expect == OSSL_STORE_INFO_PUBKEY
                  ? OSSL_STORE_INFO_get1_PUBKEY(info)
                  : OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    assert_non_null(key);
    return key;
}

EVP_PKEY *held_key(const char *name)
{
    EVP_PKEY *key = load(name, OSSL_STORE_INFO_PKEY);

    if (key != NULL)
        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "mesh");
    return key;
}

EVP_PKEY *public_key(const char *name)
{
    return load(name, OSSL_STORE_INFO_PUBKEY);
}

EVP_PKEY *file_key(const char *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key = NULL;

    if (double_key(name) != NULL
        && PEM_write_bio_PrivateKey(bio, double_key(name), NULL, NULL, 0, NULL,
                                    NULL))
        key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, app, NULL);
    BIO_free(bio);
    if (double_key(name) != NULL)
        assert_non_null(key);
    return key;
}

EVP_PKEY *public_half(EVP_PKEY *key, OSSL_LIB_CTX *libctx)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *half = d2i_PUBKEY_ex(NULL, &p, len, libctx, NULL);

    OPENSSL_free(der);
    assert_non_null(half);
    return half;
}

int set_options(EVP_PKEY_CTX *c, const char *options)
{
    char text[OPTIONS_MAX], *name, *rest = text;
    int ok = 1;

    OPENSSL_strlcpy(text, options, sizeof(text));
    while (ok && (name = strtok_r(rest, " ", &rest)) != NULL) {
        char *value = strchr(name, ':');

        *value++ = '\0';
        ok = EVP_PKEY_CTX_ctrl_str(c, name, value) == 1;
    }
    return ok;
}

int have(const char *name)
{
    if (double_key(name) != NULL)
        return 1;
    print_message("           %s: not in this libcrypto, skipped\n", name);
    return 0;
}

void expect_error(enum mesh_reason reason)
{
    unsigned long e;
    int found = 0;

    while ((e = ERR_get_error()) != 0)
        if (ERR_GET_REASON(e) == (int)reason
            && ERR_reason_error_string(e) != NULL
            && strcmp(ERR_reason_error_string(e), mesh_reason_text(reason))
                   == 0)
            found = 1;
    assert_true(found);
}
