/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CNG's blobs of keys, from and to the double's own.
 */
#include "ncrypt_double.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define RSA_OCTETS_MAX 2048

struct ecc_magic {
    DWORD bits, magic;
    const wchar_t *algorithm;
    int is_private;
};

static const struct ecc_magic magics[] = {
    {256, BCRYPT_ECDSA_PUBLIC_P256_MAGIC, L"ECDSA_P256", 0},
    {384, BCRYPT_ECDSA_PUBLIC_P384_MAGIC, L"ECDSA_P384", 0},
    {521, BCRYPT_ECDSA_PUBLIC_P521_MAGIC, L"ECDSA_P521", 0},
    {256, BCRYPT_ECDH_PUBLIC_P256_MAGIC, L"ECDH_P256", 0},
    {384, BCRYPT_ECDH_PUBLIC_P384_MAGIC, L"ECDH_P384", 0},
    {521, BCRYPT_ECDH_PUBLIC_P521_MAGIC, L"ECDH_P521", 0},
    {256, BCRYPT_ECDSA_PRIVATE_P256_MAGIC, L"ECDSA_P256", 1},
    {384, BCRYPT_ECDSA_PRIVATE_P384_MAGIC, L"ECDSA_P384", 1},
    {521, BCRYPT_ECDSA_PRIVATE_P521_MAGIC, L"ECDSA_P521", 1},
    {256, BCRYPT_ECDH_PRIVATE_P256_MAGIC, L"ECDH_P256", 1},
    {384, BCRYPT_ECDH_PRIVATE_P384_MAGIC, L"ECDH_P384", 1},
    {521, BCRYPT_ECDH_PRIVATE_P521_MAGIC, L"ECDH_P521", 1},
};

static SECURITY_STATUS rsa_blob(const struct double_key *key,
                                unsigned char *blob, DWORD size, DWORD *len)
{
    BIGNUM *n = NULL, *e = NULL;
    SECURITY_STATUS status = NTE_INTERNAL_ERROR;
    BCRYPT_RSAKEY_BLOB head = {.Magic = BCRYPT_RSAPUBLIC_MAGIC};

    if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1
        && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
        head.BitLength = (DWORD)BN_num_bits(n);
        head.cbPublicExp = (DWORD)BN_num_bytes(e);
        head.cbModulus = (DWORD)BN_num_bytes(n);
        *len = (DWORD)sizeof(head) + head.cbPublicExp + head.cbModulus;
        status = *len <= size ? ERROR_SUCCESS : NTE_INTERNAL_ERROR;
    }
    if (status == ERROR_SUCCESS) {
        memcpy(blob, &head, sizeof(head));
        BN_bn2bin(e, blob + sizeof(head));
        BN_bn2bin(n, blob + sizeof(head) + head.cbPublicExp);
    }
    BN_free(n);
    BN_free(e);
    return status;
}

static SECURITY_STATUS ecc_blob(const struct double_key *key,
                                unsigned char *blob, DWORD size, DWORD *len)
{
    unsigned char point[1 + 2 * DOUBLE_SECRET_MAX];
    BCRYPT_ECCKEY_BLOB head;
    size_t i, point_len;

    for (i = 0; wcscmp(magics[i].algorithm, key->algorithm) != 0; i++)
        ;
    if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                        point, sizeof(point), &point_len)
            != 1
        || point[0] != POINT_CONVERSION_UNCOMPRESSED)
        return NTE_INTERNAL_ERROR;
    head.dwMagic = magics[i].magic;
    head.cbKey = (DWORD)(point_len - 1) / 2;
    *len = (DWORD)(sizeof(head) + point_len - 1);
    if (*len > size)
        return NTE_INTERNAL_ERROR;
    memcpy(blob, &head, sizeof(head));
    memcpy(blob + sizeof(head), point + 1, point_len - 1);
    return ERROR_SUCCESS;
}

SECURITY_STATUS double_public_blob(const struct double_key *key,
                                   const wchar_t *type, unsigned char *blob,
                                   DWORD size, DWORD *len)
{
    int is_rsa = double_is_rsa(key);

    /* What is no public type is as a key that may not leave: not supported. */
    if (wcscmp(type, BCRYPT_PUBLIC_KEY_BLOB) != 0
        && wcscmp(type, is_rsa ? BCRYPT_RSAPUBLIC_BLOB : BCRYPT_ECCPUBLIC_BLOB)
               != 0)
        return NTE_NOT_SUPPORTED;
    return (is_rsa ? rsa_blob : ecc_blob)(key, blob, size, len);
}

int double_is_private_type(const wchar_t *type)
{
    return wcscmp(type, BCRYPT_PUBLIC_KEY_BLOB) != 0
           && wcscmp(type, BCRYPT_RSAPUBLIC_BLOB) != 0
           && wcscmp(type, BCRYPT_ECCPUBLIC_BLOB) != 0;
}

static EVP_PKEY *from_params(const char *keytype, int selection,
                             OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_name(double_libctx(), keytype, NULL);
    EVP_PKEY *pkey = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

/* Whether the halves belong together. */
static int is_sound(EVP_PKEY *pkey, int is_private)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(double_libctx(), pkey, NULL);
    int ok = ctx != NULL
             && (is_private ? EVP_PKEY_pairwise_check(ctx)
                            : EVP_PKEY_public_check(ctx))
                    == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* The exponents from the primes: the shorter form of the blob has no others. */
static EVP_PKEY *rsa_from_primes(const BIGNUM *n, const BIGNUM *e,
                                 const BIGNUM *p, const BIGNUM *q)
{
    BN_CTX *bn = BN_CTX_secure_new_ex(double_libctx());
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *p1, *q1, *d, *dp, *dq, *qinv;
    EVP_PKEY *pkey = NULL;

    BN_CTX_start(bn);
    p1 = BN_CTX_get(bn);
    q1 = BN_CTX_get(bn);
    d = BN_CTX_get(bn);
    dp = BN_CTX_get(bn);
    dq = BN_CTX_get(bn);
    qinv = BN_CTX_get(bn);
    if (qinv != NULL && BN_sub(p1, p, BN_value_one())
        && BN_sub(q1, q, BN_value_one()) && BN_mul(qinv, p1, q1, bn)
        && BN_mod_inverse(d, e, qinv, bn) != NULL && BN_mod(dp, d, p1, bn)
        && BN_mod(dq, d, q1, bn) && BN_mod_inverse(qinv, q, p, bn) != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR1, p)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR2, q)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                  qinv))
        pkey = from_params("RSA", EVP_PKEY_KEYPAIR, build);
    OSSL_PARAM_BLD_free(build);
    BN_CTX_end(bn);
    BN_CTX_free(bn);
    return pkey;
}

static SECURITY_STATUS read_rsa(struct double_key *key,
                                const unsigned char *blob, DWORD len)
{
    BCRYPT_RSAKEY_BLOB head;
    const unsigned char *at = blob + sizeof(head);
    BIGNUM *part[4] = {NULL}; /* e, n, p, q */
    DWORD sizes[4], need = sizeof(head);
    size_t i;

    if (len < sizeof(head))
        return NTE_BAD_DATA;
    memcpy(&head, blob, sizeof(head));
    if (head.Magic != BCRYPT_RSAFULLPRIVATE_MAGIC
        && head.Magic != BCRYPT_RSAPRIVATE_MAGIC)
        return NTE_BAD_DATA;
    sizes[0] = head.cbPublicExp;
    sizes[1] = head.cbModulus;
    sizes[2] = head.cbPrime1;
    sizes[3] = head.cbPrime2;
    for (i = 0; i < 4; i++) {
        if (sizes[i] == 0 || sizes[i] > RSA_OCTETS_MAX)
            return NTE_BAD_DATA;
        need += sizes[i];
    }
    if (head.Magic == BCRYPT_RSAFULLPRIVATE_MAGIC)
        need += 2 * head.cbPrime1 + head.cbPrime2 + head.cbModulus;
    if (len != need)
        return NTE_BAD_DATA;
    for (i = 0; i < 4; at += sizes[i], i++)
        part[i] = BN_bin2bn(at, (int)sizes[i], NULL);
    key->pkey = rsa_from_primes(part[1], part[0], part[2], part[3]);
    for (i = 0; i < 4; i++)
        BN_clear_free(part[i]);
    wcscpy(key->algorithm, BCRYPT_RSA_ALGORITHM);
    return key->pkey != NULL ? ERROR_SUCCESS : NTE_BAD_DATA;
}

static SECURITY_STATUS read_ecc(struct double_key *key,
                                const unsigned char *blob, DWORD len)
{
    const struct ecc_magic *magic = NULL;
    unsigned char point[1 + 2 * DOUBLE_SECRET_MAX];
    char group[8];
    BCRYPT_ECCKEY_BLOB head;
    OSSL_PARAM_BLD *build;
    BIGNUM *d = NULL;
    size_t i, n;

    if (len < sizeof(head))
        return NTE_BAD_DATA;
    memcpy(&head, blob, sizeof(head));
    for (i = 0; i < sizeof(magics) / sizeof(*magics); i++)
        if (magics[i].magic == head.dwMagic)
            magic = &magics[i];
    if (magic == NULL || head.cbKey != (magic->bits + 7) / 8
        || len != sizeof(head) + (magic->is_private ? 3 : 2) * head.cbKey)
        return NTE_BAD_DATA;
    n = head.cbKey;
    blob += sizeof(head);
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, blob, 2 * n);
    snprintf(group, sizeof(group), "P-%lu", magic->bits);
    build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                    0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                     1 + 2 * n);
    if (magic->is_private) {
        d = BN_secure_new();
        BN_bin2bn(blob + 2 * n, (int)n, d);
        OSSL_PARAM_BLD_push_BN_pad(build, OSSL_PKEY_PARAM_PRIV_KEY, d, n);
    }
    key->pkey = from_params(
        "EC", magic->is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
        build);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(d);
    key->is_public = !magic->is_private;
    wcscpy(key->algorithm, magic->algorithm);
    return key->pkey != NULL ? ERROR_SUCCESS : NTE_BAD_DATA;
}

/* Windows takes an EC key that does not say otherwise for one that can both. */
static SECURITY_STATUS read_pkcs8(struct double_key *key,
                                  const unsigned char *blob, DWORD len)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &blob, (long)len);

    if (info == NULL)
        return NTE_BAD_DATA;
    key->pkey = EVP_PKCS82PKEY_ex(info, double_libctx(), NULL);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (key->pkey == NULL)
        return NTE_BAD_DATA;
    if (EVP_PKEY_is_a(key->pkey, "RSA"))
        wcscpy(key->algorithm, BCRYPT_RSA_ALGORITHM);
    else if (EVP_PKEY_is_a(key->pkey, "EC"))
        _snwprintf(key->algorithm, DOUBLE_ALGORITHM_MAX, L"ECDH_P%d",
                   EVP_PKEY_get_bits(key->pkey));
    else
        return NTE_NOT_SUPPORTED;
    return ERROR_SUCCESS;
}

static const struct {
    const wchar_t *type;
    int is_private;
    SECURITY_STATUS (*read)(struct double_key *, const unsigned char *, DWORD);
} readers[] = {
    {BCRYPT_RSAFULLPRIVATE_BLOB, 1, read_rsa},
    {BCRYPT_RSAPRIVATE_BLOB, 1, read_rsa},
    {BCRYPT_ECCPRIVATE_BLOB, 1, read_ecc},
    {NCRYPT_PKCS8_PRIVATE_KEY_BLOB, 1, read_pkcs8},
    {BCRYPT_ECCPUBLIC_BLOB, 0, read_ecc},
    {BCRYPT_PUBLIC_KEY_BLOB, 0, read_ecc},
};

SECURITY_STATUS double_read_blob(struct double_key *key, const wchar_t *type,
                                 const unsigned char *blob, DWORD len)
{
    SECURITY_STATUS status = NTE_NOT_SUPPORTED;
    wchar_t asked[DOUBLE_ALGORITHM_MAX];
    int is_private = 0;
    size_t i;

    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
    wcscpy(asked, key->algorithm);
    for (i = 0; i < sizeof(readers) / sizeof(*readers); i++)
        if (wcscmp(readers[i].type, type) == 0) {
            status = readers[i].read(key, blob, len);
            is_private = readers[i].is_private;
        }
    if (status != ERROR_SUCCESS)
        return status;
    if (key->is_public == is_private || !is_sound(key->pkey, is_private)
        || (asked[0] != L'\0' && wcscmp(asked, key->algorithm) != 0))
        return NTE_BAD_DATA;
    key->bits = (DWORD)EVP_PKEY_get_bits(key->pkey);
    return double_has_size(key) ? ERROR_SUCCESS : NTE_NOT_SUPPORTED;
}
