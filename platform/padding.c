/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * RSA's paddings.
 */
/* libcrypto has them for the callers of its old interface alone. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "platform/padding.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#define PSS_TRAILER 0xbc

int mesh_padding_sign_pkcs1(struct mesh_context *ctx, const unsigned char *in,
                            size_t in_len, unsigned char *block, size_t size)
{
    int ok;

    ERR_set_mark();
    ok =
        in_len <= size
        && RSA_padding_add_PKCS1_type_1(block, (int)size, in, (int)in_len) == 1;
    ERR_pop_to_mark();
    return ok
           || mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                         "sign PKCS1: %zu octets are too many for this key",
                         in_len);
}

/* H of RFC 8017, 9.1.1: of eight octets 0, the digest and the salt. */
static int pss_hash(const EVP_MD *md, const unsigned char *digest,
                    const unsigned char *salt, size_t salt_len,
                    unsigned char *out)
{
    static const unsigned char zeros[8];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int ok = hash != NULL && EVP_DigestInit_ex2(hash, md, NULL) == 1
             && EVP_DigestUpdate(hash, zeros, sizeof(zeros)) == 1
             && EVP_DigestUpdate(hash, digest, (size_t)EVP_MD_get_size(md)) == 1
             && EVP_DigestUpdate(hash, salt, salt_len) == 1
             && EVP_DigestFinal_ex(hash, out, NULL) == 1;

    EVP_MD_CTX_free(hash);
    return ok;
}

/* octets ^= MGF1(seed) */
static int mask(const EVP_MD *mgf1, const unsigned char *seed, size_t seed_len,
                unsigned char *octets, size_t len)
{
    unsigned char *other = OPENSSL_malloc(len);
    int ok = other != NULL
             && PKCS1_MGF1(other, (long)len, seed, (long)seed_len, mgf1) == 0;

    for (size_t i = 0; ok && i < len; i++)
        octets[i] ^= other[i];
    OPENSSL_free(other);
    return ok;
}

int mesh_padding_sign_pss(struct mesh_context *ctx, const EVP_MD *md,
                          const EVP_MD *mgf1, size_t salt_len,
                          const unsigned char *digest, unsigned char *block,
                          unsigned bits)
{
    size_t size = (bits + 7) / 8, hash = (size_t)EVP_MD_get_size(md);
    /* one bit less than the modulus, which may be an octet less */
    size_t len = (bits - 1 + 7) / 8, masked;
    unsigned char *encoded = block + (size - len), *salt;

    if (len < hash + 2 || len - hash - 2 < salt_len)
        return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "sign PSS: a digest of %zu octets and a salt of %zu "
                          "are too long for a key of %u bits",
                          hash, salt_len, bits);
    masked = len - hash - 1;
    memset(block, 0, size);
    salt = encoded + masked - salt_len;
    salt[-1] = 1;
    encoded[len - 1] = PSS_TRAILER;
    if (salt_len > 0 && RAND_bytes_ex(ctx->libctx, salt, salt_len, 0) != 1)
        return mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
    if (!pss_hash(md, digest, salt, salt_len, encoded + masked)
        || !mask(mgf1, encoded + masked, hash, encoded, masked))
        return mesh_raise(ctx, MESH_R_MEMORY, "sign PSS");
    encoded[0] &= (unsigned char)(0xff >> (8 * len - (bits - 1)));
    return 1;
}

int mesh_padding_open_oaep(const EVP_MD *md, const EVP_MD *mgf1,
                           const unsigned char *label, size_t label_len,
                           const unsigned char *block, size_t size,
                           unsigned char *out, size_t *out_len)
{
    int len;

    ERR_set_mark();
    len = RSA_padding_check_PKCS1_OAEP_mgf1(out, (int)size, block, (int)size,
                                            (int)size, label, (int)label_len,
                                            md, mgf1);
    ERR_pop_to_mark();
    *out_len = len >= 0 ? (size_t)len : 0;
    return len >= 0;
}
