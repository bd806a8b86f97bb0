/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asymmetric ciphers: a held key decrypts, and refuses to, as plain libcrypto
 * does with the whole key; encryption is public work.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <string.h>

#define MODULUS 256

struct data {
    unsigned char octets[2 * MODULUS];
    size_t len;
};

typedef int operation_fn(EVP_PKEY_CTX *c, unsigned char *out, size_t *out_len,
                         const unsigned char *in, size_t in_len);

/* 1 and the result, or 0; asking for its size is no operation.  The context is
 * copied in the middle. */
static int run(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
               int init(EVP_PKEY_CTX *c, const OSSL_PARAM params[]),
               operation_fn *operation, const char *options,
               const struct data *in, struct data *out)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL), *copy;
    unsigned before = double_operations;
    int ok;

    memset(out, 0, sizeof(*out));
    ok = init(c, NULL) == 1 && set_options(c, options)
         && operation(c, NULL, &out->len, in->octets, in->len) == 1;
    if (ok) {
        assert_int_equal(double_operations, before);
        assert_true(out->len <= sizeof(out->octets));
        copy = EVP_PKEY_CTX_dup(c);
        assert_non_null(copy);
        ok = operation(copy, out->octets, &out->len, in->octets, in->len) == 1;
        EVP_PKEY_CTX_free(copy);
    }
    EVP_PKEY_CTX_free(c);
    return ok;
}

static int encrypt(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *options,
                   const struct data *in, struct data *out)
{
    return run(libctx, key, EVP_PKEY_encrypt_init_ex, EVP_PKEY_encrypt, options,
               in, out);
}

static int decrypt(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *options,
                   const struct data *in, struct data *out)
{
    return run(libctx, key, EVP_PKEY_decrypt_init_ex, EVP_PKEY_decrypt, options,
               in, out);
}

static void same_data(const struct data *a, const struct data *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->octets, b->octets, a->len);
}

#define OAEP "rsa_padding_mode:oaep"

static const struct how {
    const char *options;
    size_t len;
} hows[] = {
    {"", 0},
    {"", 20},
    {"", 245},
    {"", 246}, /* too much */
    {"rsa_padding_mode:pkcs1", 20},
    {"rsa_padding_mode:none", MODULUS},
    {"rsa_padding_mode:none", MODULUS - 1},
    {OAEP, 20},
    {OAEP, 214},
    {OAEP, 215},
    {OAEP " rsa_oaep_md:sha256", 190},
    {OAEP " rsa_oaep_md:SHA3-512", 20},
    {OAEP " rsa_mgf1_md:sha256", 20},
    {OAEP " rsa_oaep_md:sha512 rsa_mgf1_md:sha1 rsa_oaep_label:6d657368", 20},
    {OAEP " rsa_oaep_md:NOSUCH", 20},
    {"rsa_padding_mode:x931", 20},
    {"rsa_padding_mode:pss", 20},
};

static void test_decryption(void **state)
{
    EVP_PKEY *plain = double_key("rsa");
    EVP_PKEY *keys[] = {held_key("rsa"), public_key("rsa"), file_key("rsa")};
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        const char *o = hows[i].options;
        struct data clear = {"\1clear text", hows[i].len}, cipher, out;
        int ok = encrypt(NULL, plain, o, &clear, &cipher);

        double_operations = 0;
        if (ok) {
            assert_int_equal(decrypt(app, keys[0], o, &cipher, &out), 1);
            same_data(&out, &clear);
            assert_int_equal(double_operations, 1);
            assert_int_equal(decrypt(app, keys[2], o, &cipher, &out), 1);
            same_data(&out, &clear);
            assert_int_equal(decrypt(app, keys[1], o, &cipher, &out), 0);
        }
        for (k = 0; k < 3; k++) {
            assert_int_equal(encrypt(app, keys[k], o, &clear, &cipher), ok);
            if (ok) {
                assert_int_equal(decrypt(NULL, plain, o, &cipher, &out), 1);
                same_data(&out, &clear);
            }
        }
        assert_int_equal(double_operations, ok);
        ERR_clear_error();
    }
    for (k = 0; k < 3; k++)
        EVP_PKEY_free(keys[k]);
}

/* Raw blocks for which RFC 8017, 7.2.2 and 7.1.2 want an error, and lengths
 * that are none.  Of PKCS#1 newer libcryptos make other octets of the first:
 * always the same ones, those of the whole key, and none of an error. */
static void test_broken_ciphertexts(void **state)
{
    static const char *const options[] = {"", OAEP, OAEP " rsa_oaep_md:sha256",
                                          "rsa_padding_mode:none"};
    static const unsigned char blocks[][4] = {
        {0, 2, 0, 0}, {0, 1, 9, 9}, {1, 2, 9, 9}, {0, 2, 9, 9}, {0, 9, 9, 9}};
    EVP_PKEY *plain = double_key("rsa"), *held = held_key("rsa");
    size_t i, k;
    int ok;

    (void)state;
    for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct data block = {{0}, MODULUS}, cipher, theirs, ours;

        memset(block.octets, 9, MODULUS); /* no zero ends the padding */
        memcpy(block.octets, blocks[i], sizeof(blocks[i]));
        assert_int_equal(
            encrypt(NULL, plain, "rsa_padding_mode:none", &block, &cipher), 1);
        for (k = 0; k < sizeof(options) / sizeof(options[0]); k++) {
            ok = decrypt(NULL, plain, options[k], &cipher, &theirs);
            assert_int_equal(decrypt(app, held, options[k], &cipher, &ours),
                             ok);
            if (ok)
                same_data(&ours, &theirs);
        }
    }
    for (i = 0; i < 3; i++) {
        static const size_t lengths[] = {1, MODULUS - 1, MODULUS + 1};
        struct data cipher = {{1, 2, 3}, lengths[i]}, theirs, ours;

        for (k = 0; k < sizeof(options) / sizeof(options[0]); k++)
            assert_int_equal(
                decrypt(app, held, options[k], &cipher, &ours),
                decrypt(NULL, plain, options[k], &cipher, &theirs));
    }
    EVP_PKEY_free(held);
}

/* A padding of signatures, by name and by number, or of nothing at all is
 * refused when it is set. */
static void test_padding_to_decrypt(void **state)
{
    static const struct {
        char *name;
        int number;
        int ok;
    } paddings[] = {
        {"oaep", 0, 1},
        {"none", 0, 1},
        {"pss", 0, 0},
        {"nosuch", 0, 0},
        {NULL, RSA_PKCS1_PADDING, 1},
        {NULL, RSA_PKCS1_PSS_PADDING, 0},
    };
    EVP_PKEY *held = held_key("rsa");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
        int number = paddings[i].number, ok = paddings[i].ok;
        OSSL_PARAM params[] = {OSSL_PARAM_END, OSSL_PARAM_END};

        params[0] =
            paddings[i].name != NULL
                ? OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_PAD_MODE,
                                                   paddings[i].name, 0)
                : OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &number);
        assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
        assert_int_equal(EVP_PKEY_CTX_set_params(c, params) == 1, ok);
        if (!ok)
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
        assert_int_equal(EVP_PKEY_decrypt_init_ex(c, params) == 1, ok);
        if (!ok)
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
        EVP_PKEY_CTX_free(c);
    }
    EVP_PKEY_free(held);
}

/* What was set can be asked for. */
static void test_parameters(void **state)
{
    EVP_PKEY *held = held_key("rsa");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
    const EVP_MD *md = NULL;
    unsigned char *label = NULL;
    int padding = 0;

    (void)state;
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(c, &padding) > 0);
    assert_int_equal(padding, RSA_PKCS1_PADDING);
    assert_int_equal(set_options(c,
                                 OAEP " rsa_oaep_md:sha384 rsa_mgf1_md:sha512 "
                                      "rsa_oaep_label:6d657368"),
                     1);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(c, &padding) > 0);
    assert_int_equal(padding, RSA_PKCS1_OAEP_PADDING);
    assert_int_equal(EVP_PKEY_CTX_get_rsa_oaep_md(c, &md), 1);
    assert_int_equal(EVP_MD_get_type(md), NID_sha384);
    assert_int_equal(EVP_PKEY_CTX_get_rsa_mgf1_md(c, &md), 1);
    assert_int_equal(EVP_MD_get_type(md), NID_sha512);
    assert_int_equal(EVP_PKEY_CTX_get0_rsa_oaep_label(c, &label), 4);
    assert_memory_equal(label, "mesh", 4);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(held);
}

/* RFC 5246, 7.4.7.1: 48 octets always, made where the key is, whatever was
 * encrypted; they are the client's if all of it is right. */
static void test_tls_premaster_padding(void **state)
{
    static const struct {
        size_t len;
        unsigned char version[2];
        int same;
    } rows[] = {{48, {3, 3}, 1},
                {48, {3, 1}, 0},
                {47, {3, 3}, 0},
                {49, {3, 3}, 0},
                {0, {0, 0}, 0}};
    EVP_PKEY *keys[] = {held_key("rsa"), file_key("rsa")};
    unsigned version = TLS1_2_VERSION;
    OSSL_PARAM params[] = {
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version),
        OSSL_PARAM_END,
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        size_t row = i / 2;
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, keys[i % 2], NULL);
        struct data premaster = {{0}, rows[row].len}, cipher;
        unsigned char out[48];
        size_t len = 0;

        for (k = 2; k < sizeof(out); k++)
            premaster.octets[k] = (unsigned char)k;
        memcpy(premaster.octets, rows[row].version, 2);
        assert_int_equal(
            encrypt(NULL, double_key("rsa"), "", &premaster, &cipher), 1);
        assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_WITH_TLS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_params(c, params), 1);
        assert_int_equal(
            EVP_PKEY_decrypt(c, NULL, &len, cipher.octets, cipher.len), 1);
        assert_int_equal(len, sizeof(out));
        assert_int_equal(
            EVP_PKEY_decrypt(c, out, &len, cipher.octets, cipher.len), 1);
        assert_int_equal(len, sizeof(out));
        assert_int_equal(memcmp(out, premaster.octets, sizeof(out)) == 0,
                         rows[row].same);
        if (i % 2 == 0) {
            assert_int_equal(double_last.padding, MESH_PAD_PKCS1_TLS);
            assert_int_equal(double_last.tls_client_version, TLS1_2_VERSION);
        }
        EVP_PKEY_CTX_free(c);
    }
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static void test_misuse(void **state)
{
    static const char *const names[] = {"rsa-pss", "ec", "ed25519"};
    EVP_PKEY *held = held_key("rsa"), *key;
    struct data clear = {"clear text", 10}, cipher, out;
    EVP_PKEY_CTX *c;
    size_t i;

    (void)state;
    assert_int_equal(encrypt(app, held, "", &clear, &cipher), 1);
    /* keys that do not encrypt */
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        key = held_key(names[i]);
        assert_int_equal(encrypt(app, key, "", &clear, &out), 0);
        assert_int_equal(decrypt(app, key, "", &cipher, &out), 0);
        assert_int_not_equal(ERR_peek_error(), 0);
        ERR_clear_error();
        EVP_PKEY_free(key);
    }
    assert_int_equal(double_operations, 0);
    /* too little room */
    c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
    out.len = 5;
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_int_not_equal(
        EVP_PKEY_decrypt(c, out.octets, &out.len, cipher.octets, cipher.len),
        1);
    expect_error(MESH_R_BUFFER_TOO_SMALL);
    EVP_PKEY_CTX_free(c);
    /* the key store's error is the application's */
    double_failure = MESH_R_LOCKED;
    assert_int_equal(decrypt(app, held, "", &cipher, &out), 0);
    expect_error(MESH_R_LOCKED);
    EVP_PKEY_free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_decryption),
        TEST(test_broken_ciphertexts),
        TEST(test_padding_to_decrypt),
        TEST(test_parameters),
        TEST(test_tls_premaster_padding),
        TEST(test_misuse),
    };

    return RUN_IN_EACH_ORDER(tests);
}
