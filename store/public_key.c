/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Public keys and their certificates in the JSON of a profile.
 */
#include "store/profile.h"

#include "platform/public_der.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#define RSA_OCTETS_MAX 2048 /* libcrypto verifies up to 16384 bits */

static EVP_PKEY *rsa_key(struct mesh_context *ctx, const json_t *params)
{
    unsigned char *n = NULL, *e = NULL;
    size_t n_len, e_len;
    BIGNUM *modulus = NULL, *exponent = NULL;
    OSSL_PARAM_BLD *build = NULL;
    OSSL_PARAM *values = NULL;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_PKEY *key = NULL;

    if (!mesh_base64url_member(ctx, params, "n", &n, &n_len)
        || !mesh_base64url_member(ctx, params, "e", &e, &e_len)
        || n_len > RSA_OCTETS_MAX || e_len > RSA_OCTETS_MAX)
        goto end;
    modulus = BN_bin2bn(n, (int)n_len, NULL);
    exponent = BN_bin2bn(e, (int)e_len, NULL);
    build = OSSL_PARAM_BLD_new();
    if (modulus == NULL || exponent == NULL || build == NULL
        || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus)
        || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        goto end;
    values = OSSL_PARAM_BLD_to_param(build);
    pctx = EVP_PKEY_CTX_new_from_name(ctx->libctx, "RSA", NULL);
    if (values != NULL && pctx != NULL && EVP_PKEY_fromdata_init(pctx) > 0)
        EVP_PKEY_fromdata(pctx, &key, EVP_PKEY_PUBLIC_KEY, values);

end:
    OPENSSL_free(n);
    OPENSSL_free(e);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(build);
    OSSL_PARAM_free(values);
    EVP_PKEY_CTX_free(pctx);
    return key;
}

/* Of the later reference: the curve's name and the point. */
static EVP_PKEY *raw_key(struct mesh_context *ctx, const json_t *params)
{
    static const char *const curves[] = {"Ed25519", "Ed448", "X25519", "X448"};
    const char *curve = json_string_value(json_object_get(params, "crv"));
    unsigned char *point = NULL;
    EVP_PKEY *key = NULL;
    size_t len, i;

    if (!mesh_base64url_member(ctx, params, "Public", &point, &len))
        return NULL;
    for (i = 0; curve != NULL && i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(curve, curves[i]) == 0)
            key = EVP_PKEY_new_raw_public_key_ex(ctx->libctx, curve, NULL,
                                                 point, len);
    OPENSSL_free(point);
    return key;
}

static EVP_PKEY *spki_key(struct mesh_context *ctx, const json_t *params)
{
    unsigned char *der = NULL;
    EVP_PKEY *key;
    size_t len;

    if (!mesh_base64url_member(ctx, params, "spki", &der, &len))
        return NULL;
    key = mesh_public_read(ctx, der, len);
    OPENSSL_free(der);
    return key;
}

static const struct key_form {
    const char *name;
    EVP_PKEY *(*read)(struct mesh_context *ctx, const json_t *params);
} key_forms[] = {
    {"PublicKeyRSA", rsa_key},
    {"PublicKeyECDH", raw_key},
    {"PublicKeyPKIX", spki_key},
};

/* NULL, without an error, if it is none. */
static X509 *decode_certificate(struct mesh_context *ctx,
                                const unsigned char *der, size_t len)
{
    X509 *certificate = X509_new_ex(ctx->libctx, NULL);
    const unsigned char *p = der;

    ERR_set_mark();
    /* On failure d2i frees the certificate and writes NULL. */
    if (certificate != NULL
        && (d2i_X509(&certificate, &p, (long)len) == NULL || p != der + len)) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_pop_to_mark();
    return certificate;
}

/* The same of a member of a profile.  Files of 2017 hold only such. */
static X509 *read_certificate(struct mesh_context *ctx, const json_t *value)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    X509 *certificate = NULL;
    unsigned char *der;
    size_t len;

    if (json_is_string(value)
        && mesh_base64url_decode(&quiet, json_string_value(value),
                                 json_string_length(value), &der, &len)) {
        certificate = decode_certificate(ctx, der, len);
        OPENSSL_free(der);
    }
    return certificate;
}

static int push_certificate(struct mesh_context *ctx,
                            STACK_OF(X509) * *certificates, X509 *certificate)
{
    if (*certificates == NULL)
        *certificates = sk_X509_new_null();
    if (*certificates != NULL && sk_X509_push(*certificates, certificate))
        return 1;
    X509_free(certificate);
    return mesh_raise(ctx, MESH_R_MEMORY, "reading certificates");
}

static int is_of_key(X509 *certificate, EVP_PKEY *public)
{
    int same;

    ERR_set_mark();
    same = EVP_PKEY_eq(X509_get0_pubkey(certificate), public) == 1;
    ERR_pop_to_mark();
    return same;
}

/* Of a key without one in its profile: the one that the system has. */
static int ask_certificate(struct mesh_context *ctx,
                           struct mesh_profile_key *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    X509 *certificate = NULL;
    struct mesh_key_name name;
    unsigned char *der = NULL;
    size_t len = 0;

    mesh_profile_key_name(key, &name);
    if (mesh_keystore_certificate(&quiet, &name, &der, &len) && der != NULL)
        certificate = decode_certificate(ctx, der, len);
    OPENSSL_free(der);
    if (certificate == NULL)
        return 1;
    if (is_of_key(certificate, key->public))
        return push_certificate(ctx, &key->certificates, certificate);
    mesh_trace(ctx, "%s: the system's certificate skipped, it is another key's",
               key->udf);
    X509_free(certificate);
    return 1;
}

/* A chain is only looked at beside a certificate of this key. */
static int read_certificates(struct mesh_context *ctx,
                             struct mesh_profile_key *key)
{
    const json_t *own = json_object_get(key->object, "X509Certificate");
    const json_t *chain = json_object_get(key->object, "X509Chain");
    X509 *certificate;
    size_t i;

    if (own == NULL)
        return ask_certificate(ctx, key);
    certificate = read_certificate(ctx, own);
    if (certificate == NULL || !is_of_key(certificate, key->public)) {
        mesh_trace(ctx, "%s: certificate skipped, it is %s", key->udf,
                   certificate == NULL ? "malformed" : "another key's");
        X509_free(certificate);
        return 1;
    }
    if (!push_certificate(ctx, &key->certificates, certificate))
        return 0;
    for (i = 0; i < json_array_size(chain); i++) {
        certificate = read_certificate(ctx, json_array_get(chain, i));
        if (certificate == NULL)
            mesh_trace(ctx, "%s: X509Chain[%zu] skipped, it is malformed",
                       key->udf, i);
        else if (!push_certificate(ctx, &key->certificates, certificate))
            return 0;
    }
    return 1;
}

int mesh_profile_key_named(struct mesh_context *ctx,
                           const struct mesh_profile_key *key,
                           const struct mesh_udf *udf, int *named)
{
    char text[MESH_UDF_TEXT_MAX];

    *named = 0;
    if (!mesh_profile_key_open(ctx, key))
        return 0;
    mesh_udf_print(udf, text);
    *named = strcmp(text, key->udf) == 0;
    return *named || mesh_udf_names_key(ctx, udf, key->public, named);
}

/* The form of a key, and its parameters in it; NULL if none is known. */
static const struct key_form *find_form(const json_t *object,
                                        const json_t **params)
{
    const json_t *forms = json_object_get(object, "PublicParameters");
    size_t i;

    for (i = 0; i < sizeof(key_forms) / sizeof(key_forms[0]); i++) {
        *params = json_object_get(forms, key_forms[i].name);
        if (*params != NULL)
            return &key_forms[i];
    }
    return NULL;
}

int mesh_profile_key_note(struct mesh_context *ctx, json_t *object,
                          struct mesh_profile_key *key)
{
    const char *name = json_string_value(json_object_get(object, "UDF"));
    const json_t *params;
    struct mesh_udf udf;

    if (find_form(object, &params) == NULL)
        return 1;
    /* The applications of 2017 give the fingerprint only here. */
    if (name == NULL)
        name = json_string_value(json_object_get(params, "kid"));
    if (name == NULL)
        return 1;
    if (!mesh_udf_parse(ctx, name, &udf))
        return 0;
    mesh_udf_print(&udf, key->udf);
    key->object = json_incref(object);
    return 1;
}

/* The name that the profile gives a key must be its own. */
static int check_name(struct mesh_context *ctx, struct mesh_profile_key *key)
{
    struct mesh_key_name own;
    struct mesh_udf given;
    int named;

    if (!mesh_udf_parse(ctx, key->udf, &given)
        || !mesh_key_name_of(ctx, key->public, &own))
        return 0;
    memcpy(key->udf, own.udf, sizeof(key->udf));
    key->name = own;
    if (!mesh_profile_key_named(ctx, key, &given, &named) || named)
        return named;
    mesh_udf_print(&given, key->udf);
    return mesh_raise(ctx, MESH_R_KEY_FINGERPRINT,
                      "%.64s is not the fingerprint of the %s under it",
                      key->udf, key->member);
}

static int open_key(struct mesh_context *ctx, struct mesh_profile_key *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const json_t *params;
    const struct key_form *form = find_form(key->object, &params);

    ERR_set_mark();
    key->public = form->read(&quiet, params);
    ERR_pop_to_mark();
    if (key->public == NULL)
        return mesh_raise(ctx, MESH_R_KEY_MALFORMED, "the %s of %s %s is none",
                          form->name, key->member, key->udf);
    if (check_name(ctx, key) && read_certificates(ctx, key))
        return 1;
    EVP_PKEY_free(key->public);
    key->public = NULL;
    sk_X509_pop_free(key->certificates, X509_free);
    key->certificates = NULL;
    return 0;
}

/* To whoever has the key it is the same as before. */
int mesh_profile_key_open(struct mesh_context *ctx,
                          const struct mesh_profile_key *key)
{
    return key->public != NULL || open_key(ctx, (struct mesh_profile_key *)key);
}

void mesh_profile_key_name(const struct mesh_profile_key *key,
                           struct mesh_key_name *name)
{
    *name = key->name;
}

/* Adds a member; takes value over. */
static int set_data(struct mesh_context *ctx, json_t *object, const char *name,
                    const void *data, int len)
{
    char *text = len < 0 ? NULL : mesh_base64url_encode(ctx, data, (size_t)len);
    int ok = text != NULL
             && json_object_set_new(object, name, json_string(text)) == 0;

    OPENSSL_free(text);
    return ok;
}

/* n and e as the reference has them. */
static int set_rsa(struct mesh_context *ctx, json_t *params, EVP_PKEY *public)
{
    static const char *const names[][2] = {{"n", OSSL_PKEY_PARAM_RSA_N},
                                           {"e", OSSL_PKEY_PARAM_RSA_E}};
    unsigned char octets[RSA_OCTETS_MAX];
    size_t i;
    int ok = 1;

    for (i = 0; ok && i < 2; i++) {
        BIGNUM *value = NULL;

        ok = EVP_PKEY_get_bn_param(public, names[i][1], &value)
             && BN_num_bytes(value) <= RSA_OCTETS_MAX
             && set_data(ctx, params, names[i][0], octets,
                         BN_bn2bin(value, octets));
        BN_free(value);
    }
    return ok;
}

static int set_spki(struct mesh_context *ctx, json_t *params, EVP_PKEY *public)
{
    unsigned char *der;
    int len = mesh_public_spki(ctx, public, &der);
    int ok = len > 0 && set_data(ctx, params, "spki", der, len);

    OPENSSL_free(der);
    return ok;
}

static int set_certificates(struct mesh_context *ctx, json_t *object,
                            const STACK_OF(X509) * certificates)
{
    json_t *chain = json_array();
    int i, ok = 1;

    for (i = 0; ok && i < sk_X509_num(certificates); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(sk_X509_value(certificates, i), &der);
        char *text =
            len < 0 ? NULL : mesh_base64url_encode(ctx, der, (size_t)len);

        ok = text != NULL
             && (i == 0 ? json_object_set_new(object, "X509Certificate",
                                              json_string(text))
                        : json_array_append_new(chain, json_string(text)))
                    == 0;
        OPENSSL_free(text);
        OPENSSL_free(der);
    }
    if (ok && json_array_size(chain) > 0)
        ok = json_object_set(object, "X509Chain", chain) == 0;
    json_decref(chain);
    return ok;
}

json_t *mesh_profile_key_json(struct mesh_context *ctx, EVP_PKEY *public,
                              STACK_OF(X509) * certificates)
{
    int is_rsa = EVP_PKEY_is_a(public, "RSA");
    char text[MESH_UDF_TEXT_MAX];
    json_t *object, *params;
    struct mesh_udf udf;

    if (!mesh_udf_of_key(ctx, public, &udf))
        return NULL;
    mesh_udf_print(&udf, text);
    params = json_pack("{ss}", "kid", text);
    object = json_pack("{ss s{sO}}", "UDF", text, "PublicParameters",
                       is_rsa ? "PublicKeyRSA" : "PublicKeyPKIX", params);
    if (params == NULL || object == NULL
        || !(is_rsa ? set_rsa : set_spki)(ctx, params, public)
        || !set_certificates(ctx, object, certificates)) {
        mesh_raise(ctx, MESH_R_INTERNAL, "key %s cannot be written as JSON",
                   text);
        json_decref(object);
        object = NULL;
    }
    json_decref(params);
    return object;
}
