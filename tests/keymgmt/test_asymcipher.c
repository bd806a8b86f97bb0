/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asymmetric ciphers.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <string.h>

static const unsigned char message[] = "a message to be encrypted";

static void test_decrypt(void **state)
{
    static const struct {
        int padding;
        enum mesh_padding sent;
        const char *md, *mgf1, *label;
    } cases[] = {
        {RSA_PKCS1_PADDING, MESH_PAD_PKCS1, NULL, NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, NULL, NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, "SHA256", NULL, NULL},
        {RSA_PKCS1_OAEP_PADDING, MESH_PAD_OAEP, "SHA512", "SHA1", "label"},
    };
    EVP_PKEY *key = held_key("rsa");
    size_t i;
    int side;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EVP_PKEY_CTX *c[2];
        unsigned char cipher[256], clear[256];
        size_t cipher_len = sizeof(cipher), clear_len = 0;

        c[0] = EVP_PKEY_CTX_new_from_pkey(app, key,
                                          NULL); /* encrypts in software */
        c[1] = EVP_PKEY_CTX_new_from_pkey(app, key, NULL);
        assert_int_equal(EVP_PKEY_encrypt_init(c[0]), 1);
        assert_int_equal(EVP_PKEY_decrypt_init(c[1]), 1);
        for (side = 0; side < 2; side++) {
            assert_int_equal(
                EVP_PKEY_CTX_set_rsa_padding(c[side], cases[i].padding), 1);
            if (cases[i].md != NULL)
                assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(
                                     c[side], cases[i].md, NULL),
                                 1);
            if (cases[i].mgf1 != NULL)
                assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(
                                     c[side], cases[i].mgf1, NULL),
                                 1);
            if (cases[i].label != NULL)
                assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(
                                     c[side], OPENSSL_strdup(cases[i].label),
                                     (int)strlen(cases[i].label)),
                                 1);
        }
        double_operations = 0;
        assert_int_equal(EVP_PKEY_encrypt(c[0], cipher, &cipher_len, message,
                                          sizeof(message)),
                         1);
        assert_int_equal(
            EVP_PKEY_decrypt(c[1], NULL, &clear_len, cipher, cipher_len), 1);
        assert_int_equal(double_operations, 0);
        assert_int_equal(
            EVP_PKEY_decrypt(c[1], clear, &clear_len, cipher, cipher_len), 1);
        assert_int_equal(double_last.padding, cases[i].sent);
        assert_int_equal(clear_len, sizeof(message));
        assert_memory_equal(clear, message, sizeof(message));
        EVP_PKEY_CTX_free(c[0]);
        EVP_PKEY_CTX_free(c[1]);
    }
    EVP_PKEY_free(key);
}

/* RFC 5246, 7.4.7.1: 48 octets always, made where the key is. */
static void test_tls_premaster_padding(void **state)
{
    EVP_PKEY *key = held_key("rsa");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, key, NULL);
    unsigned version = TLS1_2_VERSION;
    OSSL_PARAM params[] = {
        OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version),
        OSSL_PARAM_END,
    };
    unsigned char premaster[48] = {3, 3, 1, 2, 3}, cipher[256], clear[256];
    size_t len = sizeof(cipher), clear_len = sizeof(clear);

    (void)state;
    assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
    assert_int_equal(EVP_PKEY_encrypt(c, cipher, &len, premaster, 48), 1);
    assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_WITH_TLS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(c, params), 1);
    assert_int_equal(EVP_PKEY_decrypt(c, clear, &clear_len, cipher, len), 1);
    assert_int_equal(clear_len, sizeof(premaster));
    assert_memory_equal(clear, premaster, sizeof(premaster));
    assert_int_equal(double_last.padding, MESH_PAD_PKCS1_TLS);
    assert_int_equal(double_last.tls_client_version, TLS1_2_VERSION);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_decrypt),
        TEST(test_tls_premaster_padding),
    };

    return RUN_IN_EACH_ORDER(tests);
}
