/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether the halves of a key belong together: faults that are found when
 * mesh-keyd loads a key, and what they would do.
 */
#include "platform/algorithm.h"
#include "platform/linux/keyd/key_data.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

static struct capture capture;
static struct mesh_context *ctx;

enum { N, E, D, P, Q, DP, DQ, QINV, NUMBERS, R = NUMBERS, DR, RINV, OF_THREE };
static const char *const names[OF_THREE] = {
    OSSL_PKEY_PARAM_RSA_N,
    OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_FACTOR3,
    OSSL_PKEY_PARAM_RSA_EXPONENT3,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT2,
};

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(ctx->libctx, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = NULL;

    EVP_PKEY_fromdata_init(make);
    if (EVP_PKEY_fromdata(make, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(make);
    return key;
}

static EVP_PKEY *rsa_from(BIGNUM *const *numbers, size_t count)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key;

    for (size_t i = 0; i < count; i++)
        OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]);
    key = from_params("RSA", build);
    assert_non_null(key);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static void numbers_of(EVP_PKEY *key, BIGNUM **numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] = NULL;
        assert_int_equal(EVP_PKEY_get_bn_param(key, names[i], &numbers[i]), 1);
    }
}

static EVP_PKEY *rsa_from_and_free(BIGNUM **numbers, size_t count)
{
    EVP_PKEY *key = rsa_from(numbers, count);

    for (size_t i = 0; i < count; i++)
        BN_clear_free(numbers[i]);
    return key;
}

/* The test's key; two is added to each of its numbers that faults has a bit
 * for. */
static EVP_PKEY *faulty_rsa(unsigned faults)
{
    BIGNUM *numbers[NUMBERS];

    numbers_of(test_key(ctx, "RSA-2048"), numbers, NUMBERS);
    for (size_t i = 0; i < NUMBERS; i++)
        if ((faults & 1u << i) != 0)
            BN_add_word(numbers[i], 2);
    return rsa_from_and_free(numbers, NUMBERS);
}

/* A d that is right for one of the primes alone. */
static EVP_PKEY *half_wrong_rsa(int prime)
{
    BIGNUM *numbers[NUMBERS];

    numbers_of(test_key(ctx, "RSA-2048"), numbers, NUMBERS);
    BN_add(numbers[D], numbers[D], numbers[prime]);
    BN_sub_word(numbers[D], 1);
    return rsa_from_and_free(numbers, NUMBERS);
}

/* x^d as libcrypto gives it out, and whether it is right. */
static int signs_rightly(EVP_PKEY *key)
{
    EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    EVP_PKEY *good = test_key(ctx, "RSA-2048");
    EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, good, NULL);
    unsigned char signature[256];
    size_t len = sizeof(signature);
    int right;

    EVP_PKEY_sign_init(sign);
    assert_int_equal(
        EVP_PKEY_sign(sign, signature, &len, (const unsigned char *)"four", 4),
        1);
    EVP_PKEY_verify_init(verify);
    right = EVP_PKEY_verify(verify, signature, len,
                            (const unsigned char *)"four", 4)
            == 1;
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_CTX_free(verify);
    return right;
}

static void expect_refused(EVP_PKEY *key)
{
    ERR_clear_error(); /* what the test's own doings left */
    assert_false(mesh_key_check(ctx, key));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "does not belong");
    assert_false(mesh_key_check_new(ctx, key));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "does not belong");
    assert_int_equal(ERR_peek_error(), 0);
    EVP_PKEY_free(key);
}

static void takes_every_algorithm(void **state)
{
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++)
        if (mesh_algorithm_available(ctx, row) && row->bits <= 2048) {
            expect_ok(ctx, mesh_key_check(ctx, test_key(ctx, row->name)));
            expect_ok(ctx, mesh_key_check_new(ctx, test_key(ctx, row->name)));
        }
    assert_int_equal(ERR_peek_error(), 0);
}

static void finds_each_wrong_number(void **state)
{
    EVP_PKEY *key = faulty_rsa(0);

    (void)state;
    expect_ok(ctx, mesh_key_check(ctx, key));
    EVP_PKEY_free(key);
    for (unsigned i = 0; i < NUMBERS; i++)
        expect_refused(faulty_rsa(1u << i));
    expect_refused(half_wrong_rsa(P));
    expect_refused(half_wrong_rsa(Q));
}

/* Why: libcrypto mends one of these faults, and gives out the other, from which
 * the modulus can be factored. */
static void what_the_faults_would_do(void **state)
{
    EVP_PKEY *mended = faulty_rsa(1u << DP);
    EVP_PKEY *wrong = faulty_rsa(1u << DP | 1u << D);

    (void)state;
    assert_true(signs_rightly(mended));
    assert_false(signs_rightly(wrong));
    expect_refused(mended);
    expect_refused(wrong);
}

/* Numbers that agree, of which one is no prime. */
static EVP_PKEY *composite_rsa(void)
{
    BIGNUM *x[NUMBERS], *p1 = BN_new(), *q1 = BN_new(), *lambda = BN_new();
    BN_CTX *bn = BN_CTX_new();
    EVP_PKEY *key;

    for (size_t i = 0; i < NUMBERS; i++)
        x[i] = BN_new();
    BN_set_word(x[E], 65537);
    do {
        BN_generate_prime_ex(x[P], 1024, 0, NULL, NULL, NULL);
        BN_generate_prime_ex(p1, 512, 0, NULL, NULL, NULL);
        BN_generate_prime_ex(q1, 512, 0, NULL, NULL, NULL);
        BN_mul(x[Q], p1, q1, bn);
        BN_mul(x[N], x[P], x[Q], bn);
        BN_sub(p1, x[P], BN_value_one());
        BN_sub(q1, x[Q], BN_value_one());
        BN_mul(lambda, p1, q1, bn);
    } while (BN_mod_inverse(x[D], x[E], lambda, bn) == NULL);
    BN_mod(x[DP], x[D], p1, bn);
    BN_mod(x[DQ], x[D], q1, bn);
    BN_mod_inverse(x[QINV], x[Q], x[P], bn);
    key = rsa_from_and_free(x, NUMBERS);
    BN_free(p1);
    BN_free(q1);
    BN_free(lambda);
    BN_CTX_free(bn);
    return key;
}

static void finds_what_is_no_prime(void **state)
{
    (void)state;
    expect_refused(composite_rsa());
}

/* p = 1 and q = n, whose product is n, too. */
static void finds_a_factor_of_one(void **state)
{
    BIGNUM *x[NUMBERS], *swap;

    (void)state;
    for (int i = 0; i < 2; i++) {
        numbers_of(test_key(ctx, "RSA-2048"), x, NUMBERS);
        BN_one(x[P]);
        BN_copy(x[Q], x[N]);
        if (i == 1) {
            swap = x[P];
            x[P] = x[Q];
            x[Q] = swap;
        }
        expect_refused(rsa_from_and_free(x, NUMBERS));
    }
}

/* And finds a d that is wrong for the third of them alone, which the CRT would
 * hide. */
static void takes_three_primes(void **state)
{
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(ctx->libctx, "RSA", NULL);
    size_t bits = 2048, primes = 3;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_size_t(OSSL_PKEY_PARAM_RSA_PRIMES, &primes),
        OSSL_PARAM_END,
    };
    BIGNUM *x[OF_THREE], *p1, *q1;
    BN_CTX *bn = BN_CTX_new();
    EVP_PKEY *key = NULL;

    (void)state;
    EVP_PKEY_keygen_init(make);
    EVP_PKEY_CTX_set_params(make, params);
    assert_int_equal(EVP_PKEY_generate(make, &key), 1);
    expect_ok(ctx, mesh_key_check(ctx, key));
    numbers_of(key, x, OF_THREE);
    p1 = BN_dup(x[P]);
    q1 = BN_dup(x[Q]);
    BN_sub_word(p1, 1);
    BN_sub_word(q1, 1);
    BN_mul(p1, p1, q1, bn);
    BN_add(x[D], x[D], p1);
    expect_refused(rsa_from_and_free(x, OF_THREE));
    BN_free(p1);
    BN_free(q1);
    BN_CTX_free(bn);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(make);
}

/* The public half of one key with the private half of another.  NULL: this
 * libcrypto does not even make it. */
static EVP_PKEY *chimera(const struct mesh_algorithm *row, EVP_PKEY *public,
                         EVP_PKEY *private)
{
    static unsigned char pub[8192], priv[8192];
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *scalar = NULL;
    size_t pub_len, priv_len;
    EVP_PKEY *key;

    assert_int_equal(
        EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, pub,
                                        sizeof(pub), &pub_len),
        1);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, pub,
                                     pub_len);
    if (row->group != NULL) {
        EVP_PKEY_get_bn_param(private, OSSL_PKEY_PARAM_PRIV_KEY, &scalar);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        row->group, 0);
    } else {
        assert_int_equal(
            EVP_PKEY_get_octet_string_param(private, OSSL_PKEY_PARAM_PRIV_KEY,
                                            priv, sizeof(priv), &priv_len),
            1);
        if (priv_len == 2 * pub_len) /* SLH-DSA: it is the second half */
            memcpy(priv + pub_len, pub, pub_len);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PRIV_KEY, priv,
                                         priv_len);
    }
    ERR_set_mark();
    key = from_params(row->keytype, build);
    ERR_pop_to_mark();
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(scalar);
    return key;
}

static void finds_halves_of_two_keys(void **state)
{
    const struct mesh_algorithm *row;
    int made = 0;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        EVP_PKEY *other, *mixed;

        if (row->bits != 0 || !mesh_algorithm_available(ctx, row))
            continue;
        other = row->group != NULL
                    ? EVP_PKEY_Q_keygen(ctx->libctx, NULL, "EC", row->group)
                    : EVP_PKEY_Q_keygen(ctx->libctx, NULL, row->keytype);
        mixed = chimera(row, test_key(ctx, row->name), other);
        EVP_PKEY_free(other);
        if (mixed == NULL) /* this libcrypto does not even make it */
            continue;
        assert_int_equal(EVP_PKEY_eq(mixed, test_key(ctx, row->name)), 1);
        made++;
        expect_refused(mixed);
    }
    assert_true(made >= 11); /* all that 3.0 has */
}

/* A key as it comes from the keyring with any octet changed is not read, is
 * refused, or is the same key. */
static void finds_a_changed_octet(void **state)
{
    const struct mesh_algorithm *row;

    (void)state;
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        struct mesh_context quiet = mesh_context_quiet(ctx);
        EVP_PKEY *good, *read;
        unsigned char *der;
        size_t len, step;

        if (!mesh_algorithm_available(ctx, row) || row->bits > 2048
            || strstr(row->name, "s") != NULL) /* the slow half of SLH-DSA */
            continue;
        good = test_key(ctx, row->name);
        expect_ok(ctx, mesh_key_encode_pkcs8(ctx, good, &der, &len));
        step = len / 16;
        for (size_t at = len - 1; at > step; at -= step) {
            der[at] ^= 4;
            if (mesh_key_decode_pkcs8(&quiet, der, len, &read)
                && EVP_PKEY_eq(read, good) == 1
                && mesh_key_check(&quiet, read)) {
                struct mesh_key_name name, own;

                expect_ok(ctx, mesh_key_name_of(ctx, good, &name));
                expect_ok(ctx, mesh_key_name_of(ctx, read, &own));
                assert_memory_equal(&own, &name, sizeof(own));
            }
            EVP_PKEY_free(read);
            der[at] ^= 4;
        }
        OPENSSL_clear_free(der, len);
    }
    ERR_clear_error();
}

static void refuses_kinds_of_no_use(void **state)
{
    EVP_PKEY *sm2 = EVP_PKEY_Q_keygen(ctx->libctx, NULL, "SM2");

    (void)state;
    assert_false(mesh_key_check(ctx, sm2));
    expect_error(ctx, MESH_R_ALGORITHM, "SM2");
    EVP_PKEY_free(sm2);
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
        cmocka_unit_test(takes_every_algorithm),
        cmocka_unit_test(finds_each_wrong_number),
        cmocka_unit_test(what_the_faults_would_do),
        cmocka_unit_test(finds_what_is_no_prime),
        cmocka_unit_test(finds_a_factor_of_one),
        cmocka_unit_test(takes_three_primes),
        cmocka_unit_test(finds_halves_of_two_keys),
        cmocka_unit_test(finds_a_changed_octet),
        cmocka_unit_test(refuses_kinds_of_no_use),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
