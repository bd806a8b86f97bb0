/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers in the blobs of CNG are big-endian and of fixed lengths; in those of
 * CryptoAPI they are little-endian.
 */
#include "platform/windows/blob.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#define POINT_MAX (2 * 66 + 1)

static const struct mesh_curve curves[] = {
    {"prime256v1", BCRYPT_ECDH_P256_ALGORITHM, 32,
     BCRYPT_ECDH_PUBLIC_P256_MAGIC, BCRYPT_ECDH_PRIVATE_P256_MAGIC,
     BCRYPT_ECDSA_PUBLIC_P256_MAGIC},
    {"secp384r1", BCRYPT_ECDH_P384_ALGORITHM, 48, BCRYPT_ECDH_PUBLIC_P384_MAGIC,
     BCRYPT_ECDH_PRIVATE_P384_MAGIC, BCRYPT_ECDSA_PUBLIC_P384_MAGIC},
    {"secp521r1", BCRYPT_ECDH_P521_ALGORITHM, 66, BCRYPT_ECDH_PUBLIC_P521_MAGIC,
     BCRYPT_ECDH_PRIVATE_P521_MAGIC, BCRYPT_ECDSA_PUBLIC_P521_MAGIC},
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

const struct mesh_curve *mesh_curve_find(const char *group)
{
    for (size_t i = 0; i < CURVES; i++)
        if (strcmp(curves[i].group, group) == 0)
            return &curves[i];
    return NULL;
}

const struct mesh_curve *mesh_curve_of(const EVP_PKEY *key)
{
    char group[64];

    return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1
               ? mesh_curve_find(group)
               : NULL;
}

/* Makes a public key; frees params. */
static EVP_PKEY *make_public(struct mesh_context *ctx, const char *type,
                             OSSL_PARAM *params)
{
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(ctx->libctx, type, NULL);
    EVP_PKEY *key = NULL;

    ERR_set_mark();
    if (make == NULL || params == NULL || EVP_PKEY_fromdata_init(make) != 1
        || EVP_PKEY_fromdata(make, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    ERR_pop_to_mark();
    EVP_PKEY_CTX_free(make);
    OSSL_PARAM_free(params);
    return key;
}

/* Takes over both numbers. */
static EVP_PKEY *make_rsa(struct mesh_context *ctx, BIGNUM *n, BIGNUM *e)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;

    if (build != NULL && n != NULL && e != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return make_public(ctx, "RSA", params);
}

EVP_PKEY *mesh_blob_read_rsa(struct mesh_context *ctx,
                             const unsigned char *blob, size_t len)
{
    BCRYPT_RSAKEY_BLOB head;

    if (len < sizeof(head))
        return NULL;
    memcpy(&head, blob, sizeof(head));
    blob += sizeof(head);
    len -= sizeof(head);
    if (head.Magic != BCRYPT_RSAPUBLIC_MAGIC || head.cbPublicExp > len
        || head.cbModulus > len - head.cbPublicExp || head.cbPublicExp == 0
        || head.cbModulus == 0 || head.cbModulus > MESH_RSA_MAX)
        return NULL;
    return make_rsa(
        ctx, BN_bin2bn(blob + head.cbPublicExp, (int)head.cbModulus, NULL),
        BN_bin2bn(blob, (int)head.cbPublicExp, NULL));
}

EVP_PKEY *mesh_blob_read_legacy(struct mesh_context *ctx,
                                const unsigned char *blob, size_t len)
{
    PUBLICKEYSTRUC type;
    RSAPUBKEY head;
    BIGNUM *e;

    if (len < sizeof(type) + sizeof(head))
        return NULL;
    memcpy(&type, blob, sizeof(type));
    memcpy(&head, blob + sizeof(type), sizeof(head));
    blob += sizeof(type) + sizeof(head);
    len -= sizeof(type) + sizeof(head);
    if (type.bType != PUBLICKEYBLOB || head.magic != 0x31415352 /* "RSA1" */
        || head.bitlen == 0 || head.bitlen / 8 > MESH_RSA_MAX
        || (head.bitlen + 7) / 8 > len)
        return NULL;
    e = BN_new();
    if (e != NULL && BN_set_word(e, head.pubexp) != 1) {
        BN_free(e);
        e = NULL;
    }
    return make_rsa(ctx, BN_lebin2bn(blob, (int)((head.bitlen + 7) / 8), NULL),
                    e);
}

EVP_PKEY *mesh_blob_read_ec(struct mesh_context *ctx, const unsigned char *blob,
                            size_t len)
{
    const struct mesh_curve *curve = curves;
    unsigned char point[POINT_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD *build;
    OSSL_PARAM *params = NULL;
    BCRYPT_ECCKEY_BLOB head;

    if (len < sizeof(head))
        return NULL;
    memcpy(&head, blob, sizeof(head));
    while (curve < curves + CURVES && curve->agree_public != head.dwMagic
           && curve->sign_public != head.dwMagic)
        curve++;
    if (curve == curves + CURVES || head.cbKey != curve->octets
        || len - sizeof(head) < 2 * curve->octets)
        return NULL;
    memcpy(point + 1, blob + sizeof(head), 2 * curve->octets);
    build = OSSL_PARAM_BLD_new();
    if (build != NULL
        && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                           curve->group, 0)
               == 1
        && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 2 * curve->octets + 1)
               == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    OSSL_PARAM_BLD_free(build);
    return make_public(ctx, "EC", params);
}

/* Writes a number of the key in so many octets; a secret one leaves nothing. */
static int put_number(EVP_PKEY *key, const char *name, unsigned char *to,
                      size_t octets)
{
    BIGNUM *number = NULL;
    int ok = EVP_PKEY_get_bn_param(key, name, &number) == 1
             && BN_bn2binpad(number, to, (int)octets) == (int)octets;

    BN_clear_free(number);
    return ok;
}

static size_t number_octets(EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    size_t octets = EVP_PKEY_get_bn_param(key, name, &number) == 1
                        ? (size_t)BN_num_bytes(number)
                        : 0;

    BN_clear_free(number);
    return octets;
}

static int put_point(EVP_PKEY *key, const struct mesh_curve *curve, DWORD magic,
                     unsigned char *blob)
{
    BCRYPT_ECCKEY_BLOB head = {magic, curve->octets};

    memcpy(blob, &head, sizeof(head));
    blob += sizeof(head);
    return put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, blob, curve->octets)
           && put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, blob + curve->octets,
                         curve->octets);
}

size_t mesh_blob_write_ec(EVP_PKEY *key, const struct mesh_curve *curve,
                          unsigned char *blob, size_t size)
{
    size_t len = sizeof(BCRYPT_ECCKEY_BLOB) + 2 * curve->octets;

    return len <= size && put_point(key, curve, curve->agree_public, blob) ? len
                                                                           : 0;
}

static const wchar_t *write_private_ec(EVP_PKEY *key, unsigned char **blob,
                                       size_t *len)
{
    const struct mesh_curve *curve = mesh_curve_of(key);
    size_t at;

    if (curve == NULL)
        return NULL;
    at = sizeof(BCRYPT_ECCKEY_BLOB) + 2 * curve->octets;
    *len = at + curve->octets;
    *blob = OPENSSL_zalloc(*len);
    return *blob != NULL && put_point(key, curve, curve->agree_private, *blob)
                   && put_number(key, OSSL_PKEY_PARAM_PRIV_KEY, *blob + at,
                                 curve->octets)
               ? BCRYPT_ECCPRIVATE_BLOB
               : NULL;
}

/* A third prime would be lost; no such key is written. */
static const wchar_t *write_private_rsa(EVP_PKEY *key, unsigned char **blob,
                                        size_t *len)
{
    enum { E, N, P, Q };
    static const struct {
        const char *name;
        int as; /* it has the length of this one */
    } numbers[] = {
        {OSSL_PKEY_PARAM_RSA_E, E},
        {OSSL_PKEY_PARAM_RSA_N, N},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, P},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, Q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, P},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, Q},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, P},
        {OSSL_PKEY_PARAM_RSA_D, N},
    };
    const size_t count = sizeof(numbers) / sizeof(numbers[0]);
    BCRYPT_RSAKEY_BLOB head = {.Magic = BCRYPT_RSAFULLPRIVATE_MAGIC};
    size_t octets[4], at = sizeof(head);

    for (size_t i = E; i <= Q; i++) {
        octets[i] = number_octets(key, numbers[i].name);
        if (octets[i] == 0 || octets[i] > MESH_RSA_MAX)
            return NULL;
    }
    if (number_octets(key, OSSL_PKEY_PARAM_RSA_FACTOR3) != 0)
        return NULL;
    *len = sizeof(head);
    for (size_t i = 0; i < count; i++)
        *len += octets[numbers[i].as];
    *blob = OPENSSL_zalloc(*len);
    if (*blob == NULL)
        return NULL;
    head.BitLength = (ULONG)EVP_PKEY_get_bits(key);
    head.cbPublicExp = (ULONG)octets[E];
    head.cbModulus = (ULONG)octets[N];
    head.cbPrime1 = (ULONG)octets[P];
    head.cbPrime2 = (ULONG)octets[Q];
    memcpy(*blob, &head, sizeof(head));
    for (size_t i = 0; i < count; at += octets[numbers[i++].as])
        if (!put_number(key, numbers[i].name, *blob + at,
                        octets[numbers[i].as]))
            return NULL;
    return BCRYPT_RSAFULLPRIVATE_BLOB;
}

const wchar_t *mesh_blob_write_private(EVP_PKEY *key, unsigned char **blob,
                                       size_t *len)
{
    const wchar_t *type;

    *blob = NULL;
    *len = 0;
    ERR_set_mark();
    type = EVP_PKEY_is_a(key, "RSA")  ? write_private_rsa(key, blob, len)
           : EVP_PKEY_is_a(key, "EC") ? write_private_ec(key, blob, len)
                                      : NULL;
    ERR_pop_to_mark();
    if (type == NULL) {
        OPENSSL_clear_free(*blob, *len);
        *blob = NULL;
    }
    return type;
}
