/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What libcrypto writes of keys: of a held key its public half, text and a
 * reference, of all others what plain OpenSSL writes.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

static BIO *memory(void)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(bio);
    return bio;
}

/* The same octets; frees both. */
static void same_output(BIO *a, BIO *b)
{
    char *text[2];
    long len = BIO_get_mem_data(a, &text[0]);

    assert_true(len > 0);
    assert_int_equal(BIO_get_mem_data(b, &text[1]), len);
    assert_memory_equal(text[0], text[1], (size_t)len);
    BIO_free(a);
    BIO_free(b);
}

static int has_text(BIO *bio, const char *part)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    long part_len = (long)strlen(part);

    for (long i = 0; i + part_len <= len; i++)
        if (memcmp(text + i, part, (size_t)part_len) == 0)
            return 1;
    return 0;
}

/* Each held key, and the same as a file. */
static void for_each(void (*check)(EVP_PKEY *held, EVP_PKEY *file))
{
    const char *name;

    for (size_t i = 0; (name = double_name(i)) != NULL; i++) {
        EVP_PKEY *held, *file;

        if (!have(name))
            continue;
        held = held_key(name);
        file = file_key(name);
        check(held, file);
        assert_int_equal(ERR_peek_error(), 0);
        EVP_PKEY_free(held);
        EVP_PKEY_free(file);
    }
}

static void reference(EVP_PKEY *held, EVP_PKEY *file)
{
    BIO *pem = memory();
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *again;
    int len;

    assert_int_equal(
        PEM_write_bio_PrivateKey(pem, held, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(has_text(pem, "BEGIN MESH KEY REFERENCE"), 1);
    again = PEM_read_bio_PrivateKey_ex(pem, NULL, NULL, NULL, app, NULL);
    assert_int_equal(EVP_PKEY_eq(again, file), 1);
    EVP_PKEY_free(again);
    BIO_free(pem);
    len = i2d_PrivateKey(held, &der);
    assert_true(len > 0);
    p = der;
    again = d2i_AutoPrivateKey_ex(NULL, &p, len, app, NULL);
    assert_int_equal(EVP_PKEY_eq(again, file), 1);
    EVP_PKEY_free(again);
    OPENSSL_free(der);
}

static void test_reference(void **state)
{
    (void)state;
    for_each(reference);
    assert_int_equal(double_operations, 0);
}

static void no_private_form(EVP_PKEY *held, EVP_PKEY *file)
{
    static const struct {
        const char *type, *structure;
    } forms[] = {
        {"DER", "PrivateKeyInfo"},
        {"DER", "EncryptedPrivateKeyInfo"},
        {"PEM", "EncryptedPrivateKeyInfo"},
        {"DER", "pkcs1"},
        {"PEM", "pkcs1"},
        {"PEM", "X9.62"},
        {"MSBLOB", NULL},
        {"PVK", NULL},
    };
    EVP_CIPHER *aes = EVP_CIPHER_fetch(app, "AES-256-CBC", NULL);
    BIO *out = memory();
    size_t i;

    (void)file;
    assert_int_equal(PEM_write_bio_PrivateKey(out, held, aes,
                                              (unsigned char *)"abcd", 4, NULL,
                                              NULL),
                     0);
    expect_error(MESH_R_NOT_EXPORTABLE);
    assert_int_equal(
        i2d_PKCS8PrivateKey_bio(out, held, aes, "abcd", 4, NULL, NULL), 0);
    expect_error(MESH_R_NOT_EXPORTABLE);
    assert_int_equal(
        i2d_PKCS8PrivateKey_bio(out, held, NULL, NULL, 0, NULL, NULL), 0);
    expect_error(MESH_R_NOT_EXPORTABLE);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(out, held, NULL, NULL,
                                                          0, NULL, NULL),
                     0);
    ERR_clear_error(); /* new types have no such form to ask us for */
    assert_null(EVP_PKEY2PKCS8(held));
    expect_error(MESH_R_NOT_EXPORTABLE);
    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
            held, EVP_PKEY_KEYPAIR, forms[i].type, forms[i].structure, NULL);

        assert_int_equal(OSSL_ENCODER_to_bio(encoder, out), 0);
        OSSL_ENCODER_CTX_free(encoder);
        ERR_clear_error();
    }
    assert_int_equal(BIO_pending(out), 0);
    BIO_free(out);
    EVP_CIPHER_free(aes);
}

static void test_no_private_form(void **state)
{
    (void)state;
    for_each(no_private_form);
}

static void public_forms(EVP_PKEY *held, EVP_PKEY *file)
{
    static const struct {
        const char *type, *structure;
        int selection;
    } forms[] = {
        {"PEM", "SubjectPublicKeyInfo", EVP_PKEY_PUBLIC_KEY},
        {"DER", "SubjectPublicKeyInfo", EVP_PKEY_PUBLIC_KEY},
        {"PEM", "pkcs1", EVP_PKEY_PUBLIC_KEY},
        {"DER", "type-specific", EVP_PKEY_PUBLIC_KEY},
        {"PEM", "type-specific", EVP_PKEY_KEY_PARAMETERS},
        {"DER", NULL, EVP_PKEY_PUBLIC_KEY},
    };
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        BIO *out[2] = {memory(), memory()};
        int written[2], k;

        for (k = 0; k < 2; k++) {
            OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(
                k == 0 ? held : file, forms[i].selection, forms[i].type,
                forms[i].structure, NULL);

            written[k] = OSSL_ENCODER_to_bio(encoder, out[k]);
            OSSL_ENCODER_CTX_free(encoder);
        }
        assert_int_equal(written[0], written[1]);
        if (written[0]) {
            same_output(out[0], out[1]);
        } else {
            BIO_free(out[0]);
            BIO_free(out[1]);
        }
        ERR_clear_error();
    }
}

static void test_public_forms(void **state)
{
    (void)state;
    for_each(public_forms);
}

static void text(EVP_PKEY *held, EVP_PKEY *file)
{
    BIO *out = memory(), *public = memory();
    EVP_PKEY *half = public_half(file, NULL);
    char *all, *numbers;
    long len, numbers_len;

    assert_int_equal(EVP_PKEY_print_private(out, held, 4, NULL), 1);
    assert_int_equal(has_text(out, "    Private-Key: stays with "), 1);
    assert_int_equal(has_text(out, "\n    URI: mesh://"), 1);
    assert_int_equal(has_text(out, "\n    Fingerprint: M"), 1);
    /* The rest is plain OpenSSL's text of the public key. */
    assert_int_equal(EVP_PKEY_print_public(public, half, 4, NULL), 1);
    len = BIO_get_mem_data(out, &all);
    numbers_len = BIO_get_mem_data(public, &numbers);
    assert_true(len > numbers_len);
    assert_memory_equal(all + len - numbers_len, numbers, (size_t)numbers_len);
    BIO_free(out);

    out = memory();
    assert_int_equal(EVP_PKEY_print_public(out, held, 4, NULL), 1);
    assert_int_equal(has_text(out, "Private-Key"), 0);
    assert_int_equal(has_text(out, "    URI: mesh://"), 1);
    BIO_free(out);
    BIO_free(public);
    EVP_PKEY_free(half);
}

static void test_text(void **state)
{
    (void)state;
    for_each(text);
    assert_int_equal(double_operations, 0);
}

/* Keys of files: what plain OpenSSL writes, whoever's key management it is. */
static void file_forms(EVP_PKEY *held, EVP_PKEY *file)
{
    EVP_PKEY *plain = NULL;
    unsigned char *der[2] = {NULL, NULL};
    BIO *out[2] = {memory(), memory()}, *text[2] = {memory(), memory()};
    EVP_CIPHER *aes = EVP_CIPHER_fetch(app, "AES-128-CBC", NULL);
    BIO *encrypted = memory();
    PKCS8_PRIV_KEY_INFO *p8;
    int len;

    (void)held;
    assert_int_equal(
        PEM_write_bio_PrivateKey(out[0], file, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(has_text(out[0], "MESH"), 0);
    assert_int_equal(PEM_write_bio_PrivateKey(encrypted, file, aes,
                                              (unsigned char *)"abcd", 4, NULL,
                                              NULL),
                     1);
    assert_int_equal(has_text(encrypted, "BEGIN ENCRYPTED PRIVATE KEY"), 1);
    plain = PEM_read_bio_PrivateKey(encrypted, NULL, NULL, "abcd");
    assert_non_null(plain);
    PEM_write_bio_PrivateKey(out[1], plain, NULL, NULL, 0, NULL, NULL);
    same_output(out[0], out[1]);
    len = i2d_PrivateKey(file, &der[0]);
    assert_true(len > 0);
    assert_int_equal(i2d_PrivateKey(plain, &der[1]), len);
    assert_memory_equal(der[0], der[1], (size_t)len);
    assert_int_equal(EVP_PKEY_print_private(text[0], file, 0, NULL), 1);
    EVP_PKEY_print_private(text[1], plain, 0, NULL);
    same_output(text[0], text[1]);
    assert_non_null(p8 = EVP_PKEY2PKCS8(file));
    PKCS8_PRIV_KEY_INFO_free(p8);
    OPENSSL_free(der[0]);
    OPENSSL_free(der[1]);
    BIO_free(encrypted);
    EVP_CIPHER_free(aes);
    EVP_PKEY_free(plain);
}

/* A key that the application makes of its numbers: with ours first it is a
 * software key of ours. */
static EVP_PKEY *made_key(EVP_PKEY *file)
{
    EVP_PKEY_CTX *make =
        EVP_PKEY_CTX_new_from_name(app, EVP_PKEY_get0_type_name(file), NULL);
    OSSL_PARAM *numbers = NULL;
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_todata(file, EVP_PKEY_KEYPAIR, &numbers), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(make), 1);
    assert_int_equal(EVP_PKEY_fromdata(make, &key, EVP_PKEY_KEYPAIR, numbers),
                     1);
    OSSL_PARAM_free(numbers);
    EVP_PKEY_CTX_free(make);
    return key;
}

static void made_forms(EVP_PKEY *held, EVP_PKEY *file)
{
    EVP_PKEY *made = made_key(file);

    file_forms(held, made);
    EVP_PKEY_free(made);
}

static void test_file_forms(void **state)
{
    (void)state;
    for_each(file_forms);
    for_each(made_forms);
}

/* The passphrase comes from the application's callback, and can be missing. */
static int asked, answer;

static int passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)size;
    (void)arg;
    assert_int_equal(writing, 1);
    asked++;
    memcpy(buffer, "abcd", 4);
    return answer;
}

static void test_passphrase(void **state)
{
    EVP_CIPHER *aes = EVP_CIPHER_fetch(app, "AES-128-CBC", NULL);
    EVP_PKEY *file = made_key(double_key("ec")), *held = held_key("ec"), *again;
    BIO *out = memory();

    (void)state;
    asked = 0;
    answer = 4;
    assert_int_equal(
        PEM_write_bio_PrivateKey(out, file, aes, NULL, 0, passphrase, NULL), 1);
    assert_int_equal(asked, 1);
    again = PEM_read_bio_PrivateKey(out, NULL, NULL, "abcd");
    assert_non_null(again);
    EVP_PKEY_free(again);
    assert_int_equal(ERR_peek_error(), 0);
    answer = -1;
    assert_int_equal(
        PEM_write_bio_PrivateKey(out, file, aes, NULL, 0, passphrase, NULL), 0);
    assert_int_equal(BIO_pending(out), 0);
    ERR_clear_error();
    /* Nobody is asked for a passphrase that would be of no use. */
    asked = 0;
    assert_int_equal(
        PEM_write_bio_PrivateKey(out, held, aes, NULL, 0, passphrase, NULL), 0);
    assert_int_equal(asked, 0);
    expect_error(MESH_R_NOT_EXPORTABLE);
    BIO_free(out);
    EVP_PKEY_free(file);
    EVP_PKEY_free(held);
    EVP_CIPHER_free(aes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reference),    TEST(test_no_private_form),
        TEST(test_public_forms), TEST(test_text),
        TEST(test_file_forms),   TEST(test_passphrase),
    };

    return RUN_IN_EACH_ORDER(tests);
}
