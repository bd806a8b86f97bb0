/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PKCS#1 padding taken off without telling whether it was right.
 */
#include "platform/pkcs1.h"

#include "tests/platform/capture.h"

#define SIZE 256

static struct mesh_context *ctx;
static struct capture capture;
static unsigned char block[SIZE], out[SIZE];
static size_t out_len;
static const unsigned char secret[32] = "known to the holder alone";
static const unsigned char cipher[SIZE] = "a ciphertext";

static int setup(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL;
}

static int teardown(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return 0;
}

/* A right block with a message of len octets: 1, 2, 3 … */
static void fill(size_t len)
{
    memset(block, 0xff, sizeof(block));
    block[0] = 0;
    block[1] = 2;
    block[SIZE - len - 1] = 0;
    for (size_t i = 0; i < len; i++)
        block[SIZE - len + i] = (unsigned char)(i + 1);
}

static void implicit(const unsigned char *of)
{
    expect_ok(ctx, mesh_pkcs1_implicit(ctx, block, SIZE, secret, of, SIZE, out,
                                       &out_len));
}

static void messages(void **state)
{
    static const size_t lengths[] = {0, 1, 48, SIZE - MESH_PKCS1_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        fill(lengths[i]);
        implicit(cipher);
        assert_int_equal(out_len, lengths[i]);
        assert_memory_equal(out, block + SIZE - lengths[i], lengths[i]);
    }
}

/* Each wrong block of a ciphertext gives the same message. */
static void wrong_blocks(void **state)
{
    static const struct {
        size_t at;
        unsigned char octet;
    } rows[] = {{0, 1}, {1, 1}, {1, 0}, {2, 0}, {9, 0}, {SIZE - 41, 0xff}};
    unsigned char first[SIZE], other[SIZE] = "another ciphertext";
    size_t first_len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fill(40);
        if (rows[i].at == SIZE - 41)
            memset(block + 2, 0xff, SIZE - 2); /* no end at all */
        block[rows[i].at] = rows[i].octet;
        implicit(cipher);
        if (i == 0) {
            first_len = out_len;
            memcpy(first, out, out_len);
        }
        assert_int_equal(out_len, first_len);
        assert_memory_equal(out, first, first_len);
        assert_true(out_len != 40 || memcmp(out, block + SIZE - 40, 40) != 0);
    }
    implicit(other);
    assert_true(out_len != first_len || memcmp(out, first, out_len) != 0);
}

/* Wrong messages have all lengths that right ones may have. */
static void wrong_lengths(void **state)
{
    unsigned char of[SIZE] = {0};
    size_t least = SIZE, most = 0;

    (void)state;
    memset(block, 0, sizeof(block));
    for (unsigned i = 0; i < 3000; i++) {
        of[0] = (unsigned char)i;
        of[1] = (unsigned char)(i >> 8);
        implicit(of);
        assert_true(out_len <= SIZE - MESH_PKCS1_MIN);
        least = out_len < least ? out_len : least;
        most = out_len > most ? out_len : most;
    }
    assert_int_equal(least, 0);
    assert_int_equal(most, SIZE - MESH_PKCS1_MIN);
}

/* Whether the block gives its premaster secret; else it gives random octets. */
static int gives(unsigned client, unsigned negotiated)
{
    unsigned char again[MESH_TLS_SECRET];
    int same;

    expect_ok(ctx, mesh_pkcs1_tls(ctx, block, SIZE, client, negotiated, again));
    expect_ok(ctx, mesh_pkcs1_tls(ctx, block, SIZE, client, negotiated, out));
    same = memcmp(out, block + SIZE - MESH_TLS_SECRET, MESH_TLS_SECRET) == 0;
    assert_int_equal(memcmp(out, again, sizeof(again)) == 0, same);
    return same;
}

static void tls(void **state)
{
    static const size_t wrong[] = {0, 1, 2, 9, 100, SIZE - 50, SIZE - 49};

    (void)state;
    fill(MESH_TLS_SECRET); /* of version 0x0102 */
    assert_true(gives(0x0102, 0));
    assert_true(gives(0x0303, 0x0102));
    assert_false(gives(0x0303, 0));
    assert_false(gives(0x0103, 0x0202));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        fill(MESH_TLS_SECRET);
        block[wrong[i]] = (unsigned char)(block[wrong[i]] == 0xff ? 0 : 3);
        assert_false(gives(0x0102, 0));
    }
    fill(MESH_TLS_SECRET);
    block[SIZE - 48] = block[SIZE - 47] = 0;
    assert_true(gives(0, 0));
    assert_false(gives(0x0303, 0));
    fill(MESH_TLS_SECRET);
    assert_false(mesh_pkcs1_tls(ctx, block, 58, 0x0102, 0, out));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "too short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(wrong_blocks),
        cmocka_unit_test(wrong_lengths),
        cmocka_unit_test(tls),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
