/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys as octets: reading, writing, and whether the halves agree.
 */
#include "platform/linux/keyd/key_data.h"

#include "platform/algorithm.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>

EVP_PKEY *mesh_key_decode(struct mesh_context *ctx, const void *data,
                          size_t len, pem_password_cb *passphrase, void *arg)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, ctx->libctx, NULL);
    size_t before;

    ERR_set_mark();
    if (bio != NULL && decoder != NULL
        && OSSL_DECODER_CTX_set_pem_password_cb(decoder, passphrase, arg))
        do {
            before = BIO_ctrl_pending(bio);
        } while (!OSSL_DECODER_from_bio(decoder, bio) && key == NULL
                 && BIO_ctrl_pending(bio) > 0
                 && BIO_ctrl_pending(bio) < before);
    ERR_pop_to_mark();
    OSSL_DECODER_CTX_free(decoder);
    BIO_free(bio);
    return key;
}

int mesh_key_decode_pkcs8(struct mesh_context *ctx, const unsigned char *data,
                          size_t len, EVP_PKEY **key)
{
    const unsigned char *end = data;
    PKCS8_PRIV_KEY_INFO *info;

    *key = NULL;
    ERR_set_mark();
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)len);
    if (info != NULL && end == data + len)
        *key = EVP_PKCS82PKEY_ex(info, ctx->libctx, NULL);
    ERR_pop_to_mark();
    PKCS8_PRIV_KEY_INFO_free(info);
    return *key != NULL
           || mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                         "the private key is not a PKCS#8 PrivateKeyInfo that "
                         "libcrypto can read");
}

int mesh_key_encode_pkcs8(struct mesh_context *ctx, EVP_PKEY *key,
                          unsigned char **der, size_t *len)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int n;

    *der = NULL;
    n = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, der);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (n <= 0)
        return mesh_raise(ctx, MESH_R_INTERNAL,
                          "the private key cannot be encoded");
    *len = (size_t)n;
    return 1;
}

/* Whether a·b = 1 modulo m. */
static int are_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m,
                       BN_CTX *bn)
{
    BIGNUM *product;
    int ok;

    BN_CTX_start(bn);
    product = BN_CTX_get(bn);
    ok = product != NULL && BN_mod_mul(product, a, b, m, bn)
         && BN_is_one(product);
    BN_CTX_end(bn);
    return ok;
}

enum { N, E, D, P, Q, DP, DQ, QINV, P1, Q1, RSA_NUMBERS };

/* Whether the numbers of an RSA key of two primes agree, provided that these
 * are primes. */
static int numbers_agree(BIGNUM *x[RSA_NUMBERS], BN_CTX *bn)
{
    BIGNUM *product;
    int ok;

    BN_CTX_start(bn);
    product = BN_CTX_get(bn);
    ok = product != NULL && BN_mul(product, x[P], x[Q], bn)
         && BN_cmp(product, x[N]) == 0 && BN_copy(x[P1], x[P]) != NULL
         && BN_copy(x[Q1], x[Q]) != NULL && BN_sub_word(x[P1], 1)
         && BN_sub_word(x[Q1], 1) && are_inverse(x[E], x[D], x[P1], bn)
         && are_inverse(x[E], x[D], x[Q1], bn)
         && are_inverse(x[E], x[DP], x[P1], bn)
         && are_inverse(x[E], x[DQ], x[Q1], bn)
         && are_inverse(x[QINV], x[Q], x[P], bn);
    BN_CTX_end(bn);
    return ok;
}

static int rsa_numbers_agree(struct mesh_context *ctx, EVP_PKEY *key)
{
    static const char *const names[] = {
        [N] = OSSL_PKEY_PARAM_RSA_N,
        [E] = OSSL_PKEY_PARAM_RSA_E,
        [D] = OSSL_PKEY_PARAM_RSA_D,
        [P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
        [Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
        [DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
        [DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
        [QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    BIGNUM *x[RSA_NUMBERS];
    BN_CTX *bn = BN_CTX_secure_new_ex(ctx->libctx);
    int ok = bn != NULL;

    for (size_t i = 0; i < RSA_NUMBERS; i++)
        x[i] = BN_secure_new();
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        ok = ok && x[i] != NULL
             && (i >= P1 || EVP_PKEY_get_bn_param(key, names[i], &x[i]));
    ok = ok && numbers_agree(x, bn);
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        BN_clear_free(x[i]);
    BN_CTX_free(bn);
    return ok;
}

static int signature_verifies(struct mesh_context *ctx, EVP_PKEY *key)
{
    static const unsigned char message[] = "mesh-keyd";
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *signature = OPENSSL_malloc(len);
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    int ok =
        signature != NULL && sign != NULL && verify != NULL
        && EVP_DigestSignInit_ex(sign, NULL, NULL, ctx->libctx, NULL, key, NULL)
               == 1
        && EVP_DigestSign(sign, signature, &len, message, sizeof(message)) == 1
        && EVP_DigestVerifyInit_ex(verify, NULL, NULL, ctx->libctx, NULL, key,
                                   NULL)
               == 1
        && EVP_DigestVerify(verify, signature, len, message, sizeof(message))
               == 1;

    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    OPENSSL_free(signature);
    return ok;
}

/*
 * libcrypto proves an RSA key by 64 rounds of Miller-Rabin for each prime: 30
 * ms for 2048 bits, 0.2 s for 4096, and each load of a key would cost it.
 * Who loads a key compares its modulus with the one that was asked for, so the
 * rest follows from it.  p·q = n: no other factors.  The congruences: d, and
 * the exponents and the coefficient of the CRT, are right if p and q are
 * primes.  And one signature that verifies: if one of them were not, x^(e·d) =
 * x would fail for nearly every x.
 *
 * So no fault of these numbers can give a wrong signature out, from which n
 * could be factored: libcrypto computes by the CRT, verifies, and falls back to
 * d if that came out wrong; both ways are proved.
 */
static int rsa_agrees(struct mesh_context *ctx, EVP_PKEY *key)
{
    return rsa_numbers_agree(ctx, key) && signature_verifies(ctx, key);
}

/* What libcrypto thinks of it: for all but RSA it computes the public half from
 * the private one. */
static int pair_agrees(struct mesh_context *ctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    int ok = check != NULL && EVP_PKEY_pairwise_check(check) == 1;

    EVP_PKEY_CTX_free(check);
    return ok;
}

static int check_key(struct mesh_context *ctx, EVP_PKEY *key, int is_new)
{
    unsigned family = mesh_algorithm_family(key);
    int is_rsa = (family & (MESH_FAMILY_RSA | MESH_FAMILY_RSA_PSS)) != 0, ok;

    if (family == 0)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "a key of type %s is of no use here",
                          EVP_PKEY_get0_type_name(key));
    ERR_set_mark();
    /* of more than two primes, libcrypto must say */
    ok = (is_rsa && !is_new && rsa_agrees(ctx, key)) || pair_agrees(ctx, key);
    ERR_pop_to_mark();
    return ok ? 1
              : mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                           "the private half of the key does not belong to "
                           "its public half");
}

int mesh_key_check(struct mesh_context *ctx, EVP_PKEY *key)
{
    return check_key(ctx, key, 0);
}

int mesh_key_check_new(struct mesh_context *ctx, EVP_PKEY *key)
{
    return check_key(ctx, key, 1);
}
