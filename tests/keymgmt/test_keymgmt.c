/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key management: a held key is, but for its private half, like the same key
 * read from a file.  None of it is a private operation.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

/* The objects that are the same key. */
struct same {
    EVP_PKEY *held, *public, *file, *half;
};

static struct same load_all(const char *name)
{
    struct same same = {held_key(name), public_key(name), file_key(name),
                        public_half(double_key(name), app)};

    return same;
}

static void free_all(struct same *same)
{
    EVP_PKEY_free(same->held);
    EVP_PKEY_free(same->public);
    EVP_PKEY_free(same->file);
    EVP_PKEY_free(same->half);
}

typedef void key_test(const char *name, struct same *same);

static void for_every_key(key_test *test)
{
    const char *name;
    size_t i;

    for (i = 0; (name = double_name(i)) != NULL; i++) {
        struct same same;

        if (!have(name))
            continue;
        same = load_all(name);
        test(name, &same);
        free_all(&same);
        ERR_clear_error();
    }
    assert_int_equal(double_operations, 0);
}

static void same_properties(EVP_PKEY *key, EVP_PKEY *file)
{
    static const char *const texts[] = {
        OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PKEY_PARAM_DEFAULT_DIGEST,
        OSSL_PKEY_PARAM_MANDATORY_DIGEST, OSSL_PKEY_PARAM_EC_ENCODING,
        OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT};
    static const char *const numbers[] = {
        OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_EC_PUB_X,
        OSSL_PKEY_PARAM_EC_ORDER};
    static const char *const octets[] = {OSSL_PKEY_PARAM_PUB_KEY,
                                         OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY};
    unsigned char *der[2] = {NULL, NULL};
    size_t i;

    assert_string_equal(EVP_PKEY_get0_type_name(key),
                        EVP_PKEY_get0_type_name(file));
    assert_int_equal(EVP_PKEY_get_id(key), EVP_PKEY_get_id(file));
    assert_true(EVP_PKEY_get_bits(key) > 0);
    assert_int_equal(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(file));
    assert_int_equal(EVP_PKEY_get_security_bits(key),
                     EVP_PKEY_get_security_bits(file));
    assert_int_equal(EVP_PKEY_get_size(key), EVP_PKEY_get_size(file));
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char of_key[64] = "", of_file[64] = "";

        assert_int_equal(EVP_PKEY_get_utf8_string_param(key, texts[i], of_key,
                                                        sizeof(of_key), NULL),
                         EVP_PKEY_get_utf8_string_param(file, texts[i], of_file,
                                                        sizeof(of_file), NULL));
        assert_string_equal(of_key, of_file);
    }
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        BIGNUM *of_key = NULL, *of_file = NULL;

        assert_int_equal(EVP_PKEY_get_bn_param(key, numbers[i], &of_key),
                         EVP_PKEY_get_bn_param(file, numbers[i], &of_file));
        assert_int_equal(of_key == NULL, of_file == NULL);
        if (of_key != NULL)
            assert_int_equal(BN_cmp(of_key, of_file), 0);
        BN_free(of_key);
        BN_free(of_file);
    }
    for (i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
        static unsigned char of_key[4096], of_file[4096];
        size_t key_len = 0, file_len = 0;

        assert_int_equal(
            EVP_PKEY_get_octet_string_param(key, octets[i], of_key,
                                            sizeof(of_key), &key_len),
            EVP_PKEY_get_octet_string_param(file, octets[i], of_file,
                                            sizeof(of_file), &file_len));
        assert_int_equal(key_len, file_len);
        assert_memory_equal(of_key, of_file, key_len);
    }
    assert_int_equal(i2d_PUBKEY(key, &der[0]), i2d_PUBKEY(file, &der[1]));
    assert_memory_equal(der[0], der[1], (size_t)i2d_PUBKEY(key, NULL));
    OPENSSL_free(der[0]);
    OPENSSL_free(der[1]);
}

static void properties(const char *name, struct same *same)
{
    (void)name;
    same_properties(same->held, same->file);
    same_properties(same->public, same->file);
}

static void test_properties(void **state)
{
    (void)state;
    for_every_key(properties);
}

/* The public half goes out, the private one does not, by no way. */
static void private_half(const char *name, struct same *same)
{
    static const char *const numbers[] = {OSSL_PKEY_PARAM_RSA_D,
                                          OSSL_PKEY_PARAM_RSA_FACTOR1,
                                          OSSL_PKEY_PARAM_PRIV_KEY};
    static const char *const octets[] = {OSSL_PKEY_PARAM_PRIV_KEY, "seed"};
    static unsigned char room[8192];
    OSSL_PARAM *params = NULL;
    BIGNUM *number = NULL;
    size_t i, len = 0;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_int_equal(EVP_PKEY_get_bn_param(same->held, numbers[i], &number),
                         0);
    /* (a curve has a "seed", too) */
    for (i = 0; i < (strncmp(name, "ml-", 3) == 0 ? 2 : 1); i++)
        assert_int_equal(EVP_PKEY_get_octet_string_param(
                             same->held, octets[i], room, sizeof(room), &len),
                         0);
    assert_null(EVP_PKEY2PKCS8(same->held));
    assert_int_equal(EVP_PKEY_get_raw_private_key(same->held, NULL, &len), 0);
    ERR_clear_error();
    assert_int_equal(EVP_PKEY_todata(same->held, EVP_PKEY_KEYPAIR, &params), 0);
    assert_null(params);
    expect_error(MESH_R_NOT_EXPORTABLE);
    assert_int_equal(EVP_PKEY_todata(same->held, EVP_PKEY_PUBLIC_KEY, &params),
                     1);
    OSSL_PARAM_free(params);
}

static void test_private_half_stays(void **state)
{
    (void)state;
    for_every_key(private_half);
}

/* OpenSSL 3.5 loses the end of a public ML-KEM key that it copies itself. */
static EVP_PKEY *copy_of(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    assert_non_null(copy);
    if (strncmp(EVP_PKEY_get0_type_name(key), "ML-KEM", 6) == 0
        && strcmp(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
                  "default")
               == 0) {
        EVP_PKEY_free(copy);
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
        return key;
    }
    return copy;
}

/* By value and not by handle, in both orders. */
static void equality(const char *name, struct same *same)
{
    EVP_PKEY *keys[] = {same->held, same->public,        same->file,
                        same->half, copy_of(same->held), copy_of(same->public)};
    EVP_PKEY *other = double_new_key(name), *other_half;
    EVP_PKEY *other_type = double_key(strcmp(name, "rsa") != 0 ? "rsa" : "ec");
    size_t i, k;

    other_half = public_half(other, app);
    for (i = 0; i < 6; i++) {
        for (k = 0; k < 6; k++) {
            assert_int_equal(EVP_PKEY_eq(keys[i], keys[k]), 1);
            assert_int_equal(EVP_PKEY_parameters_eq(keys[i], keys[k]),
                             EVP_PKEY_parameters_eq(same->file, same->half));
        }
        assert_int_equal(EVP_PKEY_eq(keys[i], other_half), 0);
        assert_int_equal(EVP_PKEY_eq(other_half, keys[i]), 0);
        assert_int_not_equal(EVP_PKEY_eq(keys[i], other_type), 1);
        assert_int_not_equal(EVP_PKEY_eq(other_type, keys[i]), 1);
    }
    EVP_PKEY_free(keys[4]);
    EVP_PKEY_free(keys[5]);
    EVP_PKEY_free(other);
    EVP_PKEY_free(other_half);
}

static void test_equality(void **state)
{
    (void)state;
    for_every_key(equality);
}

static void certificate(const char *name, struct same *same)
{
    X509 *mine = X509_new(), *others = X509_new();
    EVP_PKEY *other = double_new_key(name);

    assert_int_equal(X509_set_pubkey(mine, same->held), 1);
    assert_int_equal(X509_set_pubkey(others, other), 1);
    assert_int_equal(X509_check_private_key(mine, same->held), 1);
    assert_int_equal(X509_check_private_key(mine, same->file), 1);
    assert_int_equal(X509_check_private_key(mine, double_key(name)), 1);
    assert_int_equal(X509_check_private_key(others, same->held), 0);
    X509_free(mine);
    X509_free(others);
    EVP_PKEY_free(other);
}

static void test_certificates(void **state)
{
    (void)state;
    for_every_key(certificate);
}

/* An empty key that gets the parameters of one, then a point. */
static int copy_parameters(EVP_PKEY *from, unsigned char *point, size_t len)
{
    EVP_PKEY *to = EVP_PKEY_new();
    int copied = EVP_PKEY_copy_parameters(to, from), is_set = 0;

    if (copied == 1 && len > 0) {
        assert_int_not_equal(EVP_PKEY_eq(to, from), 1);
        is_set = EVP_PKEY_set1_encoded_public_key(to, point, len);
        if (is_set)
            assert_int_equal(EVP_PKEY_eq(to, from), 1);
    }
    EVP_PKEY_free(to);
    return copied * 2 + is_set;
}

static void copies(const char *name, struct same *same)
{
    EVP_PKEY *copy = EVP_PKEY_dup(same->held);
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(same->file, &point);
    int of_file = copy_parameters(same->file, point, len);

    (void)name;
    assert_int_equal(copy_parameters(same->held, point, len), of_file);
    assert_int_equal(copy_parameters(same->public, point, len), of_file);
    OPENSSL_free(point);
    /* a copy has its private half where the original has */
    same_properties(copy, same->file);
    assert_null(EVP_PKEY2PKCS8(copy));
    EVP_PKEY_free(copy);
}

static void test_copies(void **state)
{
    (void)state;
    for_every_key(copies);
}

/* A point that is set in a copy of parameters is not in what was copied. */
static void test_copied_parameters(void **state)
{
    EVP_PKEY *from = held_key("ec"), *to = EVP_PKEY_new(), *copy;
    unsigned char *point = NULL, *none = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(from, &point);

    (void)state;
    assert_int_equal(EVP_PKEY_copy_parameters(to, from), 1);
    copy = EVP_PKEY_dup(to);
    assert_int_equal(EVP_PKEY_parameters_eq(copy, from), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(copy, point, len), 1);
    assert_int_equal(EVP_PKEY_eq(copy, from), 1);
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(to, &none), 0);
    OPENSSL_free(point);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(to);
    EVP_PKEY_free(from);
    ERR_clear_error();
}

/* As those of a native key; of a held private half there is nothing to see. */
static void same_checks(EVP_PKEY *key, EVP_PKEY *native)
{
    static int (*const functions[])(EVP_PKEY_CTX *) = {
        EVP_PKEY_public_check, EVP_PKEY_public_check_quick,
        EVP_PKEY_param_check,  EVP_PKEY_private_check,
        EVP_PKEY_check,        EVP_PKEY_pairwise_check};
    EVP_PKEY_CTX *ours = EVP_PKEY_CTX_new_from_pkey(app, key, NULL);
    EVP_PKEY_CTX *theirs = EVP_PKEY_CTX_new_from_pkey(NULL, native, NULL);
    size_t i;

    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        assert_int_equal(functions[i](ours) == 1, functions[i](theirs) == 1);
    EVP_PKEY_CTX_free(ours);
    EVP_PKEY_CTX_free(theirs);
}

static void checks(const char *name, struct same *same)
{
    EVP_PKEY *half = public_half(double_key(name), NULL);

    same_checks(same->held, double_key(name));
    same_checks(same->public, half);
    same_checks(same->file, double_key(name));
    same_checks(same->half, half);
    EVP_PKEY_free(half);
}

static void test_checks(void **state)
{
    (void)state;
    for_every_key(checks);
}

static int compressed(EVP_PKEY *key)
{
    return i2d_PUBKEY(key, NULL) < 65;
}

static int compress(EVP_PKEY *key)
{
    return EVP_PKEY_set_utf8_string_param(
        key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
}

/* How a key is written changes of that key alone, not of its copies; a key that
 * stands for one in the key store changes in nothing else. */
static void test_changes(void **state)
{
    EVP_PKEY *held = held_key("ec"), *same, *keys[2];
    unsigned char *point = NULL;
    size_t i, len;

    (void)state;
    same = EVP_PKEY_dup(held);
    assert_int_equal(compress(held), 1);
    assert_int_equal(compressed(held), 1);
    assert_int_equal(compressed(same), 0);
    keys[0] = file_key("ec");
    len = EVP_PKEY_get1_encoded_public_key(keys[0], &point);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(held, point, len), 0);
    expect_error(MESH_R_USAGE);
    OPENSSL_free(point);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(same);
    EVP_PKEY_free(held);
    keys[0] = file_key("ec");
    keys[1] = EVP_PKEY_Q_keygen(app, NULL, "EC", "P-256");
    for (i = 0; i < 2; i++) {
        EVP_PKEY *copy = EVP_PKEY_dup(keys[i]);

        assert_int_equal(compress(copy), 1);
        assert_int_equal(compressed(copy), 1);
        assert_int_equal(compressed(keys[i]), 0);
        assert_int_equal(EVP_PKEY_eq(copy, keys[i]), 1);
        assert_true(i2d_PrivateKey(copy, NULL) > 0);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(keys[i]);
    }
}

/* A key that a program makes of numbers is what it has numbers for. */
static void numbers(const char *name, struct same *same)
{
    static const int selections[] = {EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEYPAIR};
    EVP_PKEY *half = public_half(double_key(name), NULL);
    size_t i, k;

    for (i = 0; i < 2; i++)
        for (k = 0; k < 2; k++) {
            EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(
                app, EVP_PKEY_get0_type_name(half), NULL);
            OSSL_PARAM *params = NULL;
            EVP_PKEY *key = NULL, *from = i == 0 ? half : double_key(name);

            assert_int_equal(EVP_PKEY_todata(from, selections[i], &params), 1);
            assert_int_equal(EVP_PKEY_fromdata_init(make), 1);
            assert_int_equal(
                EVP_PKEY_fromdata(make, &key, selections[k], params), 1);
            assert_int_equal(EVP_PKEY_eq(key, same->held), 1);
            same_checks(key, i == 1 && k == 1 ? double_key(name) : half);
            assert_int_equal(i2d_PrivateKey(key, NULL) > 0, i == 1 && k == 1);
            OSSL_PARAM_free(params);
            EVP_PKEY_CTX_free(make);
            EVP_PKEY_free(key);
        }
    EVP_PKEY_free(half);
}

static void test_numbers(void **state)
{
    (void)state;
    for_every_key(numbers);
}

/* Every name by which libcrypto's own provider knows a type. */
static void find_name(const char *name, void *arg)
{
    EVP_KEYMGMT *ours = EVP_KEYMGMT_fetch(arg, name, NULL);

    if (ours == NULL)
        fail_msg("%s", name);
    EVP_KEYMGMT_free(ours);
}

static void test_names(void **state)
{
    OSSL_LIB_CTX *alone = OSSL_LIB_CTX_new(); /* with nobody else's names */
    OSSL_PROVIDER *mesh;
    const char *name;
    size_t i;

    (void)state;
    OSSL_PROVIDER_add_builtin(alone, "mesh", OSSL_provider_init);
    mesh = OSSL_PROVIDER_load(alone, "mesh");
    for (i = 0; (name = double_name(i)) != NULL; i++) {
        EVP_KEYMGMT *theirs;

        if (!have(name))
            continue;
        theirs = EVP_KEYMGMT_fetch(
            NULL, EVP_PKEY_get0_type_name(double_key(name)), NULL);
        assert_int_equal(EVP_KEYMGMT_names_do_all(theirs, find_name, alone), 1);
        EVP_KEYMGMT_free(theirs);
    }
    OSSL_PROVIDER_unload(mesh);
    OSSL_LIB_CTX_free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_properties),
        TEST(test_private_half_stays),
        TEST(test_equality),
        TEST(test_certificates),
        TEST(test_copies),
        TEST(test_copied_parameters),
        TEST(test_checks),
        TEST(test_changes),
        TEST(test_numbers),
    };

    return RUN_IN_EACH_ORDER(tests);
}
