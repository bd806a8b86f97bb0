/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PKCS#1 v1.5.  Type 2:  00 02 | eight random octets or more, none 0 | 00 | M.
 *
 * Masks are all ones or all zeros.  No branch and no address depends on the
 * block; the message's length does, once it is given out.
 */
#include "platform/pkcs1.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#define HASH 32

static uint32_t mask_zero(uint32_t a)
{
    return (uint32_t)0 - ((~a & (a - 1)) >> 31);
}

static uint32_t mask_equal(uint32_t a, uint32_t b)
{
    return mask_zero(a ^ b);
}

/* For numbers below 2^31. */
static uint32_t mask_less(uint32_t a, uint32_t b)
{
    return (uint32_t)0 - ((a - b) >> 31);
}

static uint32_t choose(uint32_t mask, uint32_t a, uint32_t b)
{
    return (mask & a) | (~mask & b);
}

/* Fills out with octets made of secret, a label and the ciphertext. */
static int make_octets(struct mesh_context *ctx, const unsigned char *secret,
                       const unsigned char *ciphertext, size_t ciphertext_len,
                       unsigned char *out, size_t len)
{
    unsigned char *data = OPENSSL_malloc(ciphertext_len + 2);
    unsigned char block[HASH];
    size_t n, done;
    unsigned i = 0;
    int ok = data != NULL;

    if (ok)
        memcpy(data + 2, ciphertext, ciphertext_len);
    for (done = 0; ok && done < len; done += n) {
        data[0] = (unsigned char)(i >> 8);
        data[1] = (unsigned char)i++;
        ok = EVP_Q_mac(ctx->libctx, "HMAC", NULL, "SHA2-256", NULL, secret,
                       HASH, data, ciphertext_len + 2, block, sizeof(block), &n)
             != NULL;
        n = len - done < HASH ? len - done : HASH;
        if (ok)
            memcpy(out + done, block, n);
    }
    OPENSSL_free(data);
    OPENSSL_cleanse(block, sizeof(block));
    return ok || mesh_raise(ctx, MESH_R_MEMORY, "decrypt PKCS1");
}

int mesh_pkcs1_implicit(struct mesh_context *ctx, const unsigned char *block,
                        size_t len, const unsigned char secret[32],
                        const unsigned char *ciphertext, size_t ciphertext_len,
                        unsigned char *out, size_t *out_len)
{
    uint32_t n = (uint32_t)len, start = 0, found = 0, good, at, other;
    unsigned char *made;

    if (len < MESH_PKCS1_MIN || len > UINT16_MAX)
        return mesh_raise(ctx, MESH_R_INTERNAL, "decrypt PKCS1: the block");
    made = OPENSSL_malloc(len + 4);
    if (made == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "decrypt PKCS1");
    if (!make_octets(ctx, secret, ciphertext, ciphertext_len, made, len + 4)) {
        OPENSSL_free(made);
        return 0;
    }
    for (uint32_t i = 2; i < n; i++) {
        uint32_t zero = mask_zero(block[i]);

        start = choose(zero & ~found, i + 1, start);
        found |= zero;
    }
    good = mask_zero(block[0]) & mask_equal(block[1], 2) & found
           & ~mask_less(start, MESH_PKCS1_MIN);
    /* a start from MESH_PKCS1_MIN to n: a message of any length that fits */
    other = (uint32_t)made[len] << 8 | made[len + 1];
    other = MESH_PKCS1_MIN + (other * (n - MESH_PKCS1_MIN + 1) >> 16);
    at = choose(good, start, other);
    for (uint32_t i = 0; i < n; i++)
        made[i] = (unsigned char)choose(good, block[i], made[i]);
    *out_len = len - at;
    memcpy(out, made + at, *out_len);
    OPENSSL_clear_free(made, len + 4);
    return 1;
}

int mesh_pkcs1_tls_message(struct mesh_context *ctx, int right,
                           const unsigned char message[MESH_TLS_SECRET],
                           size_t len, unsigned client, unsigned negotiated,
                           unsigned char out[MESH_TLS_SECRET])
{
    unsigned char other[MESH_TLS_SECRET];
    uint32_t version = (uint32_t)message[0] << 8 | message[1], good;

    if (RAND_priv_bytes_ex(ctx->libctx, other, sizeof(other), 0) != 1)
        return mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
    good = ~mask_zero((uint32_t)right)
           & mask_equal((uint32_t)len, MESH_TLS_SECRET)
           & (mask_equal(version, client)
              | (mask_equal(version, negotiated) & ~mask_zero(negotiated)));
    for (size_t i = 0; i < sizeof(other); i++)
        out[i] = (unsigned char)choose(good, message[i], other[i]);
    OPENSSL_cleanse(other, sizeof(other));
    return 1;
}

int mesh_pkcs1_tls(struct mesh_context *ctx, const unsigned char *block,
                   size_t len, unsigned client, unsigned negotiated,
                   unsigned char out[MESH_TLS_SECRET])
{
    uint32_t good;

    if (len < MESH_PKCS1_MIN + MESH_TLS_SECRET)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "decrypt PKCS1-TLS: the key is too short");
    good = mask_zero(block[0]) & mask_equal(block[1], 2)
           & mask_zero(block[len - MESH_TLS_SECRET - 1]);
    for (size_t i = 2; i < len - MESH_TLS_SECRET - 1; i++)
        good &= ~mask_zero(block[i]);
    return mesh_pkcs1_tls_message(ctx, (int)(good & 1),
                                  block + len - MESH_TLS_SECRET,
                                  MESH_TLS_SECRET, client, negotiated, out);
}

void mesh_pkcs1_question(unsigned char *block, size_t len)
{
    static const char text[] = "mesh implicit rejection, PKCS#1 v1.5 ";

    for (size_t i = 0; i < len; i++)
        block[i] = (unsigned char)(i == 0 ? 0 : text[i % (sizeof(text) - 1)]);
}

int mesh_pkcs1_secret(struct mesh_context *ctx, const unsigned char *power,
                      size_t len, unsigned char secret[32])
{
    return EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, power, len, secret, NULL)
               == 1
           || mesh_raise(ctx, MESH_R_INTERNAL,
                         "SHA2-256 is not available in libcrypto");
}

size_t mesh_pkcs1_digest_info(int nid, const unsigned char *digest, size_t len,
                              unsigned char info[MESH_DIGEST_INFO_MAX])
{
    X509_SIG *sig = X509_SIG_new();
    ASN1_OCTET_STRING *value = NULL;
    X509_ALGOR *algorithm = NULL;
    unsigned char *der = NULL;
    int der_len = 0;

    if (sig != NULL)
        X509_SIG_getm(sig, &algorithm, &value);
    if (sig != NULL && nid != NID_undef
        && X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), V_ASN1_NULL, NULL) == 1
        && ASN1_OCTET_STRING_set(value, digest, (int)len) == 1)
        der_len = i2d_X509_SIG(sig, &der);
    if (der_len <= 0 || der_len > MESH_DIGEST_INFO_MAX)
        der_len = 0;
    if (der_len > 0)
        memcpy(info, der, (size_t)der_len);
    OPENSSL_free(der);
    X509_SIG_free(sig);
    return (size_t)der_len;
}
