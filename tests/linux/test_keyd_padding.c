/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Broken ciphertexts of every kind: nothing that mesh-keyd answers tells one
 * from another.  (docs/design.md has their times.)
 */
#include "platform/linux/keyd/operate.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

static struct capture capture;
static struct mesh_context *ctx;

#define SIZE    256 /* octets of the modulus */
#define MESSAGE 48

/* What is wrong with a block 00 02 padding 00 message. */
enum fault {
    NOTHING,
    FIRST_OCTET,
    BLOCK_TYPE,
    SHORT_PADDING,
    NO_SEPARATOR,
    SHORTER, /* good, but for TLS */
    VERSION, /* good, but for TLS */
    RANDOM,  /* as another key's ciphertext */
    FAULTS
};

static void make_block(enum fault fault, unsigned char block[SIZE])
{
    size_t separator = SIZE - MESSAGE - 1;

    assert_int_equal(RAND_bytes(block, SIZE), 1);
    for (size_t i = 0; i < SIZE; i++)
        block[i] |= 1;
    block[0] = fault == FIRST_OCTET ? 1 : 0;
    block[1] = fault == BLOCK_TYPE ? 1 : 2;
    if (fault == SHORT_PADDING)
        block[9] = 0;
    if (fault == SHORTER)
        separator++;
    if (fault != NO_SEPARATOR)
        block[separator] = 0;
    block[separator + 1] = 3;
    block[separator + 2] = fault == VERSION ? 1 : 3;
    if (fault == RANDOM)
        block[0] = 0x21;
}

static void encrypt_raw(const unsigned char block[SIZE],
                        unsigned char sealed[SIZE])
{
    EVP_PKEY_CTX *raw = EVP_PKEY_CTX_new_from_pkey(
        ctx->libctx, test_key(ctx, "RSA-2048"), NULL);
    size_t len = SIZE;

    assert_true(EVP_PKEY_encrypt_init(raw) == 1
                && EVP_PKEY_CTX_set_rsa_padding(raw, RSA_NO_PADDING) == 1
                && EVP_PKEY_encrypt(raw, sealed, &len, block, SIZE) == 1);
    EVP_PKEY_CTX_free(raw);
}

static int decrypt(const struct mesh_private_op *op,
                   const unsigned char *sealed, size_t sealed_len,
                   unsigned char **out, size_t *len)
{
    *out = NULL;
    return mesh_operate_check(ctx, op, sealed, sealed_len)
           && mesh_operate(ctx, test_key(ctx, "RSA-2048"), op, sealed,
                           sealed_len, out, len);
}

/* The whole text, and nothing besides it. */
static void expect_the_one_text(const char *name)
{
    char text[128];

    snprintf(text, sizeof(text),
             "%s: the data cannot be decrypted with this key", name);
    assert_string_equal(capture.text, text);
    expect_error(ctx, MESH_R_OPERATION_FAILED, "");
    assert_int_equal(ERR_peek_error(), 0);
}

static void check_lengths(const struct mesh_private_op *op, const char *name)
{
    static const size_t lengths[] = {1, SIZE - 1, SIZE + 1, 2 * SIZE};
    unsigned char sealed[2 * SIZE], *out;
    size_t len;

    memset(sealed, 1, sizeof(sealed));
    for (size_t i = 0; i < 4; i++) {
        if (op->padding == MESH_PAD_PKCS1_TLS && lengths[i] < SIZE) {
            /* a small number, whose block is broken */
            expect_ok(ctx, decrypt(op, sealed, lengths[i], &out, &len));
            assert_int_equal(len, MESSAGE);
            OPENSSL_free(out);
            continue;
        }
        assert_false(decrypt(op, sealed, lengths[i], &out, &len));
        expect_the_one_text(name);
        assert_null(out);
    }
    memset(sealed, 0xff, SIZE); /* larger than any modulus */
    assert_false(decrypt(op, sealed, SIZE, &out, &len));
    expect_the_one_text(name);
}

/* Whether this libcrypto gives random octets for a broken block. */
static int rejects_implicitly(void)
{
    EVP_PKEY_CTX *native = EVP_PKEY_CTX_new_from_pkey(
        ctx->libctx, test_key(ctx, "RSA-2048"), NULL);
    int does;

    assert_int_equal(EVP_PKEY_decrypt_init(native), 1);
    does = OSSL_PARAM_locate_const(EVP_PKEY_CTX_settable_params(native),
                                   "implicit-rejection")
           != NULL;
    EVP_PKEY_CTX_free(native);
    return does;
}

static void pkcs1(void **state)
{
    struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                 .padding = MESH_PAD_PKCS1};
    unsigned char block[SIZE], sealed[SIZE], *out;
    size_t len;

    (void)state;
    print_message("implicit rejection: %s\n",
                  rejects_implicitly() ? "yes" : "no");
    check_lengths(&op, "decrypt PKCS1");
    for (enum fault fault = NOTHING; fault < FAULTS; fault++)
        for (unsigned implicit = 0; implicit < 2; implicit++) {
            int good = fault == NOTHING || fault == SHORTER || fault == VERSION;
            int ok;

            op.implicit_rejection = implicit;
            make_block(fault, block);
            encrypt_raw(block, sealed);
            ok = decrypt(&op, sealed, SIZE, &out, &len);
            if (good) {
                expect_ok(ctx, ok);
                assert_int_equal(len, fault == SHORTER ? 47 : MESSAGE);
                assert_memory_equal(out, block + SIZE - len, len);
            } else if (implicit && rejects_implicitly()) {
                expect_ok(ctx, ok);
                assert_true(len < MESSAGE
                            || memcmp(out, block + SIZE - MESSAGE, MESSAGE)
                                   != 0);
            } else {
                assert_false(ok);
                expect_the_one_text("decrypt PKCS1");
            }
            OPENSSL_free(out);
        }
}

/* RFC 5246, 7.4.7.1: 48 octets, whatever came; those of the message, or others
 * each time. */
static void premaster(void **state)
{
    const struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                       .padding = MESH_PAD_PKCS1_TLS,
                                       .tls_client_version = 0x303,
                                       .tls_negotiated_version = 0x303};
    unsigned char block[SIZE], sealed[SIZE], *out, *again;
    size_t len;

    (void)state;
    check_lengths(&op, "decrypt PKCS1-TLS");
    for (enum fault fault = NOTHING; fault < FAULTS; fault++) {
        make_block(fault, block);
        encrypt_raw(block, sealed);
        expect_ok(ctx, decrypt(&op, sealed, SIZE, &out, &len));
        assert_int_equal(len, MESSAGE);
        expect_ok(ctx, decrypt(&op, sealed, SIZE, &again, &len));
        assert_int_equal(len, MESSAGE);
        assert_int_equal(memcmp(out, block + SIZE - MESSAGE, MESSAGE) == 0,
                         fault == NOTHING);
        assert_int_equal(memcmp(out, again, MESSAGE) == 0, fault == NOTHING);
        OPENSSL_free(out);
        OPENSSL_free(again);
    }
}

static void oaep(void **state)
{
    static const char *const digests[] = {"", "SHA2-256", "SHA2-512"};
    unsigned char block[SIZE], sealed[SIZE], *out;
    size_t len;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mesh_private_op op = {.operation = MESH_OP_DECRYPT,
                                     .padding = MESH_PAD_OAEP};

        strcpy(op.digest, digests[i]);
        check_lengths(&op, "decrypt OAEP");
        for (int first = 0; first < 2; first++) { /* Y of RFC 8017, 7.1.2 */
            make_block(RANDOM, block);
            block[0] = (unsigned char)first;
            encrypt_raw(block, sealed);
            assert_false(decrypt(&op, sealed, SIZE, &out, &len));
            expect_the_one_text("decrypt OAEP");
        }
    }
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
        cmocka_unit_test(pkcs1),
        cmocka_unit_test(premaster),
        cmocka_unit_test(oaep),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
