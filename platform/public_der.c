/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The DER of a public key.  i2d_PUBKEY() looks through all encoders of all
 * providers at each call, 50 us on OpenSSL 3.0, and a key has several names: so
 * the common types are put together by the ASN.1 library, others left to it.
 */
#include "platform/public_der.h"

#include "platform/algorithm.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#define EC_OCTETS_MAX 72 /* of a coordinate: sect571 */

/* RSAPublicKey of RFC 8017, A.1.1. */
typedef struct {
    BIGNUM *n, *e;
} RSA_PUBLIC;
/* clang-format off */
ASN1_SEQUENCE(RSA_PUBLIC) = {
    ASN1_SIMPLE(RSA_PUBLIC, n, BIGNUM),
    ASN1_SIMPLE(RSA_PUBLIC, e, BIGNUM),
} static_ASN1_SEQUENCE_END(RSA_PUBLIC);
/* clang-format on */

/* What stands in a SubjectPublicKeyInfo. */
struct parts {
    ASN1_OBJECT *algorithm;
    int parameters; /* V_ASN1_… */
    ASN1_OBJECT *curve;
    unsigned char *octets;
    int len;
};

/* Both numbers at once, neither longer than the modulus, or it fails.  (With
 * EVP_PKEY_get_bn_param() libcrypto writes and reads 2048 octets for each.) */
static int rsa_numbers(EVP_PKEY *key, RSA_PUBLIC *public)
{
    size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    unsigned char *octets = OPENSSL_malloc(2 * size);
    OSSL_PARAM params[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, octets, size),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, octets + size, size),
        OSSL_PARAM_END};
    int ok = octets != NULL && EVP_PKEY_get_params(key, params) > 0
             && OSSL_PARAM_get_BN(&params[0], &public->n)
             && OSSL_PARAM_get_BN(&params[1], &public->e);

    OPENSSL_free(octets);
    return ok;
}

static int rsa_octets(EVP_PKEY *key, unsigned char **der)
{
    RSA_PUBLIC public = {NULL, NULL};
    int len = rsa_numbers(key, &public) ? ASN1_item_i2d(
                  (ASN1_VALUE *)&public, der, ASN1_ITEM_rptr(RSA_PUBLIC))
                                        : 0;

    BN_free(public.n);
    BN_free(public.e);
    return len > 0 ? len : i2d_PublicKey(key, der);
}

static int rsa_parts(EVP_PKEY *key, struct parts *parts)
{
    parts->algorithm = OBJ_nid2obj(NID_rsaEncryption);
    parts->parameters = V_ASN1_NULL;
    parts->len = rsa_octets(key, &parts->octets);
    return parts->len > 0;
}

/* With explicit parameters a curve may have a name, too; and the encoded public
 * key is never a compressed point. */
static int ec_parts(EVP_PKEY *key, struct parts *parts)
{
    char curve[64] = "", encoding[32] = "", format[32] = "";
    unsigned char point[1 + 2 * EC_OCTETS_MAX];
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve,
                               sizeof(curve)),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding,
                               sizeof(encoding)),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                               format, sizeof(format)),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                sizeof(point)),
        OSSL_PARAM_END};

    if (EVP_PKEY_get_params(key, params) <= 0
        || strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0
        || strcmp(format, OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED)
               != 0
        || !OSSL_PARAM_modified(&params[3])
        || (parts->curve = OBJ_txt2obj(curve, 0)) == NULL)
        return 0;
    parts->algorithm = OBJ_nid2obj(NID_X9_62_id_ecPublicKey);
    parts->parameters = V_ASN1_OBJECT;
    parts->octets = OPENSSL_memdup(point, params[3].return_size);
    parts->len = (int)params[3].return_size;
    return parts->octets != NULL;
}

/* A type whose name says all, and whose public key is a string of octets. */
static int raw_parts(EVP_PKEY *key, struct parts *parts)
{
    size_t len;

    if (!EVP_PKEY_get_raw_public_key(key, NULL, &len)
        || (parts->octets = OPENSSL_malloc(len)) == NULL
        || !EVP_PKEY_get_raw_public_key(key, parts->octets, &len))
        return 0;
    parts->algorithm = OBJ_txt2obj(EVP_PKEY_get0_type_name(key), 0);
    parts->parameters = V_ASN1_UNDEF;
    parts->len = (int)len;
    return parts->algorithm != NULL;
}

static int get_parts(EVP_PKEY *key, struct parts *parts)
{
    const char *type = EVP_PKEY_get0_type_name(key);

    if (EVP_PKEY_is_a(key, "RSA"))
        return rsa_parts(key, parts);
    if (EVP_PKEY_is_a(key, "EC"))
        return ec_parts(key, parts);
    return type != NULL && mesh_algorithm_find(type) != NULL
           && raw_parts(key, parts);
}

static int join_parts(struct parts *parts, unsigned char **der)
{
    X509_PUBKEY *spki = X509_PUBKEY_new();
    int len = 0;

    if (spki != NULL
        && X509_PUBKEY_set0_param(spki, parts->algorithm, parts->parameters,
                                  parts->curve, parts->octets, parts->len)) {
        memset(parts, 0, sizeof(*parts)); /* they are spki's */
        len = i2d_X509_PUBKEY(spki, der);
    }
    X509_PUBKEY_free(spki);
    return len;
}

static int checked(struct mesh_context *ctx, EVP_PKEY *key, int len)
{
    if (len > 0)
        return len;
    return mesh_raise(ctx, MESH_R_ALGORITHM,
                      "libcrypto cannot encode the public half of a key of "
                      "type %s",
                      EVP_PKEY_get0_type_name(key));
}

int mesh_public_spki(struct mesh_context *ctx, EVP_PKEY *key,
                     unsigned char **der)
{
    struct parts parts = {0};
    int len = 0;

    *der = NULL;
    ERR_set_mark();
    if (get_parts(key, &parts))
        len = join_parts(&parts, der);
    ERR_pop_to_mark();
    ASN1_OBJECT_free(parts.algorithm);
    ASN1_OBJECT_free(parts.curve);
    OPENSSL_free(parts.octets);
    return checked(ctx, key, len > 0 ? len : i2d_PUBKEY(key, der));
}

int mesh_public_pkcs1(struct mesh_context *ctx, EVP_PKEY *key,
                      unsigned char **der)
{
    *der = NULL;
    return checked(ctx, key,
                   EVP_PKEY_is_a(key, "RSA") ? rsa_octets(key, der) : 0);
}
