/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The DER of a public key.  i2d_PUBKEY() looks through all encoders of all
 * providers at each call, 50 us on OpenSSL 3.0, and a key has several names;
 * d2i_PUBKEY() through all decoders, 60 to 100 us.  So the common types are put
 * together and taken apart by the ASN.1 library, others left to it.
 */
#include "platform/public_der.h"

#include "platform/algorithm.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#define EC_OCTETS_MAX 72 /* of a coordinate: sect571 */
#define UNUSED_BITS   7  /* of an ASN1_BIT_STRING's flags: a key has none */

/* RSAPublicKey of RFC 8017, A.1.1. */
typedef struct {
    BIGNUM *n, *e;
} RSA_PUBLIC;
/* SubjectPublicKeyInfo of RFC 5280, 4.1; X509_PUBKEY would decode the key. */
typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *key;
} SPKI;
/* clang-format off */
ASN1_SEQUENCE(RSA_PUBLIC) = {
    ASN1_SIMPLE(RSA_PUBLIC, n, BIGNUM),
    ASN1_SIMPLE(RSA_PUBLIC, e, BIGNUM),
} static_ASN1_SEQUENCE_END(RSA_PUBLIC);
ASN1_SEQUENCE(SPKI) = {
    ASN1_SIMPLE(SPKI, algorithm, X509_ALGOR),
    ASN1_SIMPLE(SPKI, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SPKI);
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

/* NULL if it is none; for spki_free(). */
static SPKI *spki_read(const unsigned char *der, size_t len)
{
    const unsigned char *end = der;
    ASN1_VALUE *spki = len <= LONG_MAX ? ASN1_item_d2i(NULL, &end, (long)len,
                                                       ASN1_ITEM_rptr(SPKI))
                                       : NULL;

    if (spki != NULL && end != der + len) {
        ASN1_item_free(spki, ASN1_ITEM_rptr(SPKI));
        spki = NULL;
    }
    return (SPKI *)spki;
}

static void spki_free(SPKI *spki)
{
    ASN1_item_free((ASN1_VALUE *)spki, ASN1_ITEM_rptr(SPKI));
}

int mesh_public_has_shape(const unsigned char *der, size_t len)
{
    SPKI *spki;

    ERR_set_mark();
    spki = spki_read(der, len);
    ERR_pop_to_mark();
    spki_free(spki);
    return spki != NULL;
}

int mesh_public_identifier(struct mesh_context *ctx, const unsigned char *der,
                           size_t len, unsigned char sha1[20])
{
    SPKI *spki;
    int ok;

    ERR_set_mark();
    spki = spki_read(der, len);
    ok = spki != NULL
         && EVP_Q_digest(ctx->libctx, "SHA1", NULL, spki->key->data,
                         (size_t)spki->key->length, sha1, NULL)
                == 1;
    ERR_pop_to_mark();
    spki_free(spki);
    return ok
           || mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                         "the public key has no identifier");
}

static EVP_PKEY *ec_from(struct mesh_context *ctx, const char *curve,
                         const ASN1_BIT_STRING *point)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve,
                               strlen(curve)),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point->data,
                                (size_t)point->length),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(ctx->libctx, "EC", NULL);
    EVP_PKEY *key = NULL;

    if (make != NULL && EVP_PKEY_fromdata_init(make) == 1)
        EVP_PKEY_fromdata(make, &key, EVP_PKEY_PUBLIC_KEY,
                          (OSSL_PARAM *)params);
    EVP_PKEY_CTX_free(make);
    return key;
}

/* The reverse of get_parts(): NULL for what is to be left to libcrypto. */
static EVP_PKEY *key_from(struct mesh_context *ctx, const SPKI *spki)
{
    const ASN1_OBJECT *algorithm;
    const void *value;
    const struct mesh_algorithm *row;
    int parameters, nid;

    X509_ALGOR_get0(&algorithm, &parameters, &value, spki->algorithm);
    nid = OBJ_obj2nid(algorithm);
    if (nid == NID_undef || spki->key->length == 0
        || (spki->key->flags & UNUSED_BITS) != 0)
        return NULL;
    if (nid == NID_X9_62_id_ecPublicKey)
        return parameters == V_ASN1_OBJECT && OBJ_obj2nid(value) != NID_undef
                       && spki->key->data[0] == POINT_CONVERSION_UNCOMPRESSED
                   ? ec_from(ctx, OBJ_nid2sn(OBJ_obj2nid(value)), spki->key)
                   : NULL;
    row = mesh_algorithm_find(OBJ_nid2sn(nid));
    if (row == NULL)
        row = mesh_algorithm_find(OBJ_nid2ln(nid));
    return row != NULL && parameters == V_ASN1_UNDEF
               ? EVP_PKEY_new_raw_public_key_ex(ctx->libctx, row->keytype, NULL,
                                                spki->key->data,
                                                (size_t)spki->key->length)
               : NULL;
}

EVP_PKEY *mesh_public_read(struct mesh_context *ctx, const unsigned char *der,
                           size_t len)
{
    EVP_PKEY *key = NULL;
    SPKI *spki;

    ERR_set_mark();
    spki = spki_read(der, len);
    if (spki != NULL && (key = key_from(ctx, spki)) == NULL)
        key = d2i_PUBKEY_ex(NULL, &der, (long)len, ctx->libctx, NULL);
    ERR_pop_to_mark();
    spki_free(spki);
    return key;
}
