/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key algorithms: which there are, and how keys are called.
 */
#include "platform/algorithm.h"
#include "platform/keystore.h"
#include "tests/platform/capture.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

static struct capture capture;
static struct mesh_context *ctx;

static EVP_PKEY *generate(const char *keytype, const char *group, size_t bits)
{
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, keytype, NULL);
    OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(),
                            OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;

    if (group != NULL)
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                     (char *)group, 0);
    if (bits != 0)
        params[0] =
            OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
    assert_int_equal(EVP_PKEY_keygen_init(pctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(pctx, params), 1);
    assert_int_equal(EVP_PKEY_generate(pctx, &key), 1);
    EVP_PKEY_CTX_free(pctx);
    return key;
}

/* The name is the fingerprint, and the digest of what libcrypto encodes. */
static void check_name(EVP_PKEY *key, const struct mesh_key_name *name)
{
    unsigned char *spki = NULL, digest[32];
    char text[MESH_UDF_TEXT_MAX];
    struct mesh_udf udf;
    int len = i2d_PUBKEY(key, &spki);

    assert_true(len > 0);
    assert_true(
        EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL));
    assert_memory_equal(name->spki_sha256, digest, sizeof(digest));
    OPENSSL_free(spki);
    expect_ok(ctx, mesh_udf_of_key(ctx, key, &udf));
    mesh_udf_print(&udf, text);
    assert_string_equal(name->udf, text);
}

/* RSA of more than 2048 bits takes long to generate and tells no more. */
static void every_row_names_its_keys(void **state)
{
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct mesh_key_name name;
        EVP_PKEY *key;

        assert_ptr_equal(mesh_algorithm_find(row->name), row);
        assert_int_equal(ERR_peek_error(), 0);
        if (!mesh_algorithm_available(ctx, row) || row->bits > 2048)
            continue;
        key = generate(row->keytype, row->group, row->bits);
        assert_string_equal(mesh_algorithm_of(key), row->name);
        assert_int_equal(mesh_algorithm_family(key), row->family);
        assert_true(strlen(row->name)
                    < sizeof(((struct mesh_keystore_item *)0)->algorithm));
        expect_ok(ctx, mesh_key_name_of(ctx, key, &name));
        check_name(key, &name);
        EVP_PKEY_free(key);
    }
}

static void other_keys_have_their_types_name(void **state)
{
    static const struct {
        const char *keytype, *group;
        size_t bits;
        unsigned family;
    } keys[] = {
        {"RSA", NULL, 1024, MESH_FAMILY_RSA},
        {"RSA-PSS", NULL, 1024, MESH_FAMILY_RSA_PSS},
        {"EC", "secp224r1", 0, MESH_FAMILY_EC},
        {"SM2", NULL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        EVP_PKEY *key = generate(keys[i].keytype, keys[i].group, keys[i].bits);

        assert_string_equal(mesh_algorithm_of(key), keys[i].keytype);
        assert_int_equal(mesh_algorithm_family(key), keys[i].family);
        EVP_PKEY_free(key);
    }
}

/* A curve has many names, and a key one. */
static void aliases_of_a_curve_are_one_algorithm(void **state)
{
    static const char *const aliases[] = {"prime256v1", "P-256"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *key = generate("EC", aliases[i], 0);

        assert_string_equal(mesh_algorithm_of(key), "P-256");
        EVP_PKEY_free(key);
    }
}

static void names_are_exact_but_for_case(void **state)
{
    static const char *const none[] = {
        "", "RSA", "RSA-1024", "RSA-20480", "ED25519 ", "ML-DSA", "P256"};

    (void)state;
    assert_ptr_equal(mesh_algorithm_find("ed25519"),
                     mesh_algorithm_find("ED25519"));
    assert_non_null(mesh_algorithm_find("slh-dsa-shake-128S"));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_null(mesh_algorithm_find(none[i]));
        assert_null(mesh_algorithm_need(ctx, none[i]));
        expect_error(ctx, MESH_R_USAGE, "there are RSA-2048, RSA-3072, ");
    }
}

static void what_this_libcrypto_lacks_is_said(void **state)
{
    const struct mesh_algorithm *row;
    int lacking = 0;
    char list[MESH_ALGORITHM_LIST_MAX], text[64];

    (void)state;
    mesh_algorithm_list(ctx, ~0u, list);
    OPENSSL_strlcat(list, ", ", sizeof(list));
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        int available = mesh_algorithm_available(ctx, row);

        snprintf(text, sizeof(text), "%s, ", row->name);
        assert_int_equal(strstr(list, text) != NULL, available);
        assert_ptr_equal(mesh_algorithm_need(ctx, row->name),
                         available ? row : NULL);
        if (available)
            continue;
        lacking = 1;
        snprintf(text, sizeof(text), " has no %s", row->name);
        if (row->since != NULL)
            assert_non_null(strstr(capture.text, "; OpenSSL 3.5 has"));
        expect_error(ctx, MESH_R_ALGORITHM, text);
        assert_int_equal(ERR_peek_error(), 0);
    }
    if (OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 5)
        assert_true(lacking);
}

static void lists_are_by_use(void **state)
{
    char list[MESH_ALGORITHM_LIST_MAX];

    (void)state;
    mesh_algorithm_list(ctx, MESH_USE_SIGN, list);
    assert_non_null(strstr(list, "RSA-2048, "));
    assert_non_null(strstr(list, "P-256, "));
    assert_non_null(strstr(list, "ED448, "));
    assert_null(strstr(list, "X25519"));
    assert_null(strstr(list, "ML-KEM"));
    mesh_algorithm_list(ctx, MESH_USE_ENCRYPT, list);
    assert_non_null(strstr(list, "RSA-2048, "));
    assert_non_null(strstr(list, "P-256, "));
    assert_non_null(strstr(list, "X25519"));
    assert_null(strstr(list, "ED25519"));
    assert_null(strstr(list, "PSS"));
    assert_null(strstr(list, "DSA"));
    mesh_algorithm_list(ctx, MESH_USE_DECRYPT, list);
    assert_string_equal(list, "RSA-2048, RSA-3072, RSA-4096");
}

static int setup(void **state)
{
    (void)state;
    return (ctx = mesh_context_new(NULL, capture_raise, &capture)) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_names_its_keys),
        cmocka_unit_test(other_keys_have_their_types_name),
        cmocka_unit_test(aliases_of_a_curve_are_one_algorithm),
        cmocka_unit_test(names_are_exact_but_for_case),
        cmocka_unit_test(what_this_libcrypto_lacks_is_said),
        cmocka_unit_test(lists_are_by_use),
    };

    return cmocka_run_group_tests_name("algorithm", tests, setup, teardown);
}
