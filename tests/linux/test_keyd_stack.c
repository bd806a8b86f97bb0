/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an operation leaves on the stack of its thread: of the private key, and
 * of the secret that came out, nothing.
 */
#include "platform/algorithm.h"
#include "platform/linux/keyd/key_data.h"
#include "platform/linux/keyd/operate.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/mman.h>

#define STACK_SIZE ((size_t)1 << 20)
#define PIECE      8 /* octets in a row that are no accident */
#define SEALED_MAX 2048

static struct capture capture;
static struct mesh_context *ctx;

struct work {
    EVP_PKEY *key;
    struct mesh_private_op op;
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;
    int ok;
};

static void *do_work(void *arg)
{
    struct work *work = arg;

    work->ok = mesh_operate_check(ctx, &work->op, work->in, work->in_len)
               && mesh_operate(ctx, work->key, &work->op, work->in,
                               work->in_len, &work->out, &work->out_len);
    return NULL;
}

/* Zeros and the like are everywhere. */
static int tells_nothing(const unsigned char piece[PIECE])
{
    int changes = 0;

    for (size_t i = 1; i < PIECE; i++)
        changes += piece[i] != piece[i - 1];
    return changes < PIECE / 2;
}

/* How many pieces of data, either octet first, are on the stack and not in
 * what everybody may know. */
static size_t found(const unsigned char *stack, const unsigned char *data,
                    size_t len, const unsigned char *public, size_t public_len)
{
    size_t count = 0;

    for (size_t at = 0; at + PIECE <= len; at += PIECE / 2) {
        unsigned char reversed[PIECE];

        if (tells_nothing(data + at)
            || memmem(public, public_len, data + at, PIECE) != NULL)
            continue;
        for (size_t i = 0; i < PIECE; i++)
            reversed[i] = data[at + PIECE - 1 - i];
        count += memmem(stack, STACK_SIZE, data + at, PIECE) != NULL;
        count += memmem(stack, STACK_SIZE, reversed, PIECE) != NULL;
    }
    return count;
}

/* Twice: this program binds symbols when they are called first, and the dynamic
 * linker saves registers on the stack; mesh-keyd does not. */
static void check(const struct mesh_algorithm *row, struct work *work)
{
    unsigned char *der, *public = NULL;
    size_t len;
    int public_len;

    expect_ok(ctx, mesh_key_encode_pkcs8(ctx, work->key, &der, &len));
    public_len = i2d_PUBKEY(work->key, &public);
    for (int i = 0; i < 2; i++) {
        unsigned char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_attr_t attr;
        pthread_t thread;

        assert_ptr_not_equal(stack, MAP_FAILED);
        pthread_attr_init(&attr);
        pthread_attr_setstack(&attr, stack, STACK_SIZE);
        assert_int_equal(pthread_create(&thread, &attr, do_work, work), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attr);
        expect_ok(ctx, work->ok);
        if (i == 1) {
            size_t of_key = found(stack, der, len, public, (size_t)public_len);
            size_t of_out = found(stack, work->out, work->out_len, public,
                                  (size_t)public_len);

            if (of_key + of_out != 0)
                fail_msg("%s: %zu pieces of the key, %zu of the secret",
                         row->name, of_key, of_out);
        }
        OPENSSL_clear_free(work->out, work->out_len);
        munmap(stack, STACK_SIZE);
    }
    OPENSSL_free(public);
    OPENSSL_clear_free(der, len);
}

static void derivation_leaves_nothing(void **state)
{
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct work work = {.op = {.operation = MESH_OP_DERIVE}};
        unsigned char *der = NULL;
        EVP_PKEY *peer;

        if ((row->family & (MESH_FAMILY_EC | MESH_FAMILY_XDH)) == 0)
            continue;
        peer = row->group != NULL
                   ? EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", row->group)
                   : EVP_PKEY_Q_keygen(ctx->libctx, NULL, row->keytype);
        work.key = test_key(ctx, row->name);
        work.in_len = (size_t)i2d_PUBKEY(peer, &der);
        work.in = der;
        check(row, &work);
        OPENSSL_free(der);
        EVP_PKEY_free(peer);
    }
}

static void decapsulation_leaves_nothing(void **state)
{
    static unsigned char sealed[SEALED_MAX], secret[SEALED_MAX];
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct work work = {.op = {.operation = MESH_OP_DECAPSULATE},
                            .in = sealed,
                            .in_len = SEALED_MAX};
        size_t secret_len = SEALED_MAX;
        EVP_PKEY_CTX *seal;

        if ((row->family & (MESH_FAMILY_ML_KEM | MESH_FAMILY_XDH)) == 0
            || !mesh_algorithm_available(ctx, row))
            continue;
        work.key = test_key(ctx, row->name);
        seal = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, work.key, NULL);
        if (EVP_PKEY_encapsulate_init(seal, NULL) == 1
            && (row->family == MESH_FAMILY_ML_KEM
                || EVP_PKEY_CTX_set_kem_op(seal, "DHKEM") == 1)
            && EVP_PKEY_encapsulate(seal, sealed, &work.in_len, secret,
                                    &secret_len)
                   == 1)
            check(row, &work);
        ERR_clear_error();
        EVP_PKEY_CTX_free(seal);
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
        cmocka_unit_test(derivation_leaves_nothing),
        cmocka_unit_test(decapsulation_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
