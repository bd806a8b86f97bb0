/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signed objects: base64url, taking apart, verifying, making.
 */
#include "store/signed.h"

#include "platform/algorithm.h"
#include "platform/udf.h"
#include "store/time.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#define DIGEST "SHA2-512" /* of val */

/* The JOSE algorithms: which key, how. */
struct jose {
    const char *name; /* NULL: that of the key's type */
    const char *keytype;
    const char *group;  /* EC: its curve, else NULL */
    const char *digest; /* NULL: the algorithm takes the message */
    size_t half;        /* EC: octets of r and of s */
    enum mesh_padding padding;
};

/* The first row that fits a key is the one that we sign with. */
static const struct jose joses[] = {
    {"RS512", "RSA", NULL, "SHA2-512", 0, MESH_PAD_PKCS1},
    {"RS384", "RSA", NULL, "SHA2-384", 0, MESH_PAD_PKCS1},
    {"RS256", "RSA", NULL, "SHA2-256", 0, MESH_PAD_PKCS1},
    {"PS512", "RSA-PSS", NULL, "SHA2-512", 0, MESH_PAD_PSS},
    {"ES256", "EC", SN_X9_62_prime256v1, "SHA2-256", 32, MESH_PAD_DEFAULT},
    {"ES384", "EC", SN_secp384r1, "SHA2-384", 48, MESH_PAD_DEFAULT},
    {"ES512", "EC", SN_secp521r1, "SHA2-512", 66, MESH_PAD_DEFAULT},
    {"ES256K", "EC", SN_secp256k1, "SHA2-256", 32, MESH_PAD_DEFAULT},
    {"ESB256", "EC", SN_brainpoolP256r1, "SHA2-256", 32, MESH_PAD_DEFAULT},
    {"ESB384", "EC", SN_brainpoolP384r1, "SHA2-384", 48, MESH_PAD_DEFAULT},
    {"ESB512", "EC", SN_brainpoolP512r1, "SHA2-512", 64, MESH_PAD_DEFAULT},
    {"EdDSA", "ED25519", NULL, NULL, 0, MESH_PAD_DEFAULT},
    {"EdDSA", "ED448", NULL, NULL, 0, MESH_PAD_DEFAULT},
};
/* ML-DSA and SLH-DSA: "ML-DSA-65" … */
static const struct jose named_by_type = {NULL, NULL, NULL,
                                          NULL, 0,    MESH_PAD_DEFAULT};

int mesh_base64url_decode(struct mesh_context *ctx, const char *text,
                          size_t text_len, unsigned char **out, size_t *len)
{
    unsigned char *plain = NULL, *data = NULL, again[5];
    size_t i, n = 0, rest;
    int ok = 0;

    *out = NULL;
    *len = 0;
    if (text_len > INT_MAX - 4)
        return mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                          "%zu characters of base64url", text_len);
    plain = OPENSSL_malloc(text_len + 5);
    data = OPENSSL_malloc(text_len + 5);
    if (plain == NULL || data == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "decoding base64url");
        goto end;
    }
    for (i = 0; i < text_len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n' || c == '\r')
            continue;
        /* EVP_DecodeBlock() finds what else is foreign. */
        if (c == '+' || c == '/' || c == '=' || c == ' ' || c == '\t'
            || c == '\0') {
            mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                       "octet 0x%02X in base64url", c);
            goto end;
        }
        plain[n++] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    rest = n % 4;
    while (n % 4 != 0)
        plain[n++] = '=';
    if (rest == 1 || EVP_DecodeBlock(data, plain, (int)n) != (int)(n / 4 * 3)) {
        mesh_raise(ctx, MESH_R_PROFILE_MALFORMED, "no base64url: \"%.16s\"",
                   text);
        goto end;
    }
    *len = n / 4 * 3 - (rest == 0 ? 0 : 4 - rest);
    data[*len] = '\0';
    /* Bits that no octet takes must be zero: one text for one value. */
    if (rest != 0) {
        EVP_EncodeBlock(again, data + n / 4 * 3 - 3, (int)rest - 1);
        if (memcmp(again, plain + n - 4, 4) != 0) {
            mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                       "base64url with bits beyond its last octet");
            goto end;
        }
    }
    *out = data;
    data = NULL;
    ok = 1;

end:
    OPENSSL_free(plain);
    OPENSSL_free(data);
    return ok;
}

char *mesh_base64url_encode(struct mesh_context *ctx, const void *data,
                            size_t len)
{
    char *text = NULL, *p;

    if (len <= INT_MAX / 2)
        text = OPENSSL_malloc(len / 3 * 4 + 5);
    if (text == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "encoding %zu octets", len);
        return NULL;
    }
    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    for (p = text; *p != '\0' && *p != '='; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    *p = '\0';
    return text;
}

int mesh_base64url_member(struct mesh_context *ctx, const json_t *object,
                          const char *member, unsigned char **out, size_t *len)
{
    const json_t *value = json_object_get(object, member);

    *out = NULL;
    *len = 0;
    if (!json_is_string(value))
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "there is no text \"%s\"", member);
    return mesh_base64url_decode(ctx, json_string_value(value),
                                 json_string_length(value), out, len);
}

static int copy_member(struct mesh_context *ctx, const json_t *object,
                       const char *member, char **out)
{
    const char *value = json_string_value(json_object_get(object, member));

    if (value == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "a signature has no \"%s\"", member);
    *out = OPENSSL_strdup(value);
    if (*out == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "copying \"%s\"", member);
    return 1;
}

static int hash(struct mesh_context *ctx, const char *digest, const void *data,
                size_t len, unsigned char out[EVP_MAX_MD_SIZE], size_t *out_len)
{
    return EVP_Q_digest(ctx->libctx, digest, NULL, data, len, out, out_len)
           || mesh_raise(ctx, MESH_R_INTERNAL, "%s failed", digest);
}

/* val of a protected header against the payload. */
static int check_digest(struct mesh_context *ctx, const json_t *header,
                        const struct mesh_signed *parsed)
{
    unsigned char digest[EVP_MAX_MD_SIZE], *val = NULL;
    size_t len, digest_len = 0;
    int ok;

    ok = mesh_base64url_member(ctx, header, "val", &val, &len)
         && hash(ctx, DIGEST, parsed->payload, parsed->payload_len, digest,
                 &digest_len);
    if (ok && (len != digest_len || memcmp(val, digest, len) != 0))
        ok = mesh_raise(ctx, MESH_R_PROFILE_DIGEST,
                        "the payload is not the one that was signed");
    OPENSSL_free(val);
    return ok;
}

/* One of "signatures": {"header": {"kid"}, "protected", "signature"}. */
static int parse_signature(struct mesh_context *ctx, const json_t *object,
                           const struct mesh_signed *parsed,
                           struct mesh_signature *signature)
{
    json_t *header = NULL;
    int ok = 0;

    if (mesh_base64url_member(ctx, object, "protected",
                              &signature->signed_bytes, &signature->signed_len))
        header = mesh_json_parse(ctx, (char *)signature->signed_bytes,
                                 signature->signed_len, "protected header");
    if (header != NULL)
        ok = check_digest(ctx, header, parsed)
             && copy_member(ctx, header, "alg", &signature->algorithm)
             && copy_member(ctx, json_object_get(object, "header"), "kid",
                            &signature->kid)
             && mesh_base64url_member(ctx, object, "signature",
                                      &signature->signature,
                                      &signature->signature_len);
    json_decref(header);
    return ok;
}

/* The form of 2016: {"header": {"alg", "kid"}, "payload", "signature"}, the
 * signature over the payload itself. */
static int parse_signature_2016(struct mesh_context *ctx, const json_t *data,
                                struct mesh_signed *parsed)
{
    struct mesh_signature *signature = &parsed->signatures[0];
    unsigned char *text = NULL;
    json_t *header = NULL;
    size_t len;
    int ok = 0;

    parsed->form_2016 = 1;
    parsed->signatures_count = 1;
    if (mesh_base64url_member(ctx, data, "header", &text, &len))
        header = mesh_json_parse(ctx, (char *)text, len, "header");
    if (header != NULL)
        ok = copy_member(ctx, header, "alg", &signature->algorithm)
             && copy_member(ctx, header, "kid", &signature->kid)
             && mesh_base64url_member(ctx, data, "signature",
                                      &signature->signature,
                                      &signature->signature_len);
    if (ok) {
        signature->signed_bytes =
            OPENSSL_memdup(parsed->payload, parsed->payload_len + 1);
        signature->signed_len = parsed->payload_len;
        ok = signature->signed_bytes != NULL
             || mesh_raise(ctx, MESH_R_MEMORY, "copying a payload");
    }
    json_decref(header);
    OPENSSL_free(text);
    return ok;
}

static int parse_signatures(struct mesh_context *ctx, const json_t *data,
                            struct mesh_signed *parsed)
{
    const json_t *signatures = json_object_get(data, "signatures");
    size_t i, count = json_array_size(signatures);

    if (signatures == NULL)
        return parse_signature_2016(ctx, data, parsed);
    if (count == 0 || count > MESH_SIGNERS_MAX)
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "%zu signatures; 1 to %d are accepted", count,
                          MESH_SIGNERS_MAX);
    parsed->signatures_count = count;
    for (i = 0; i < count; i++)
        if (!parse_signature(ctx, json_array_get(signatures, i), parsed,
                             &parsed->signatures[i]))
            return 0;
    return 1;
}

int mesh_signed_parse(struct mesh_context *ctx, const json_t *object,
                      struct mesh_signed **parsed)
{
    const json_t *data = json_object_get(object, "SignedData");
    const char *identifier =
        json_string_value(json_object_get(object, "Identifier"));
    struct mesh_signed *result;

    *parsed = NULL;
    if (!json_is_object(data))
        return mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                          "no signed object: it has no \"SignedData\"");
    result = OPENSSL_zalloc(sizeof(*result));
    if (result != NULL && identifier != NULL)
        result->identifier = OPENSSL_strdup(identifier);
    if (result == NULL || (identifier != NULL && result->identifier == NULL)) {
        mesh_signed_free(result);
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a signed object");
    }
    if (!mesh_base64url_member(ctx, data, "payload", &result->payload,
                               &result->payload_len)
        || !parse_signatures(ctx, data, result)) {
        mesh_signed_free(result);
        return 0;
    }
    *parsed = result;
    return 1;
}

void mesh_signed_free(struct mesh_signed *parsed)
{
    size_t i;

    if (parsed == NULL)
        return;
    for (i = 0; i < parsed->signatures_count; i++) {
        OPENSSL_free(parsed->signatures[i].kid);
        OPENSSL_free(parsed->signatures[i].algorithm);
        OPENSSL_free(parsed->signatures[i].signed_bytes);
        OPENSSL_free(parsed->signatures[i].signature);
    }
    OPENSSL_free(parsed->payload);
    OPENSSL_free(parsed->identifier);
    OPENSSL_free(parsed);
}

/* The row for a key: of that name, or (NULL) the one to sign with. */
static const struct jose *find_jose(EVP_PKEY *key, const char *name)
{
    char group[64] = "";
    size_t i;

    ERR_set_mark();
    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    ERR_pop_to_mark();
    for (i = 0; i < sizeof(joses) / sizeof(joses[0]); i++)
        if ((name == NULL || strcmp(name, joses[i].name) == 0)
            && EVP_PKEY_is_a(key, joses[i].keytype)
            && (joses[i].group == NULL || strcmp(joses[i].group, group) == 0))
            return &joses[i];
    if (mesh_algorithm_family(key) == MESH_FAMILY_PQ_SIGN
        && (name == NULL || strcmp(name, mesh_algorithm_of(key)) == 0))
        return &named_by_type;
    return NULL;
}

/* r and s as JOSE has them -> DER.  *der is the caller's; NULL on failure. */
static int ecdsa_to_der(const struct jose *jose, const unsigned char *raw,
                        unsigned char **der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, (int)jose->half, NULL);
    BIGNUM *s = BN_bin2bn(raw + jose->half, (int)jose->half, NULL);
    int len = -1;

    *der = NULL;
    if (sig != NULL && ECDSA_SIG_set0(sig, r, s)) {
        r = s = NULL;
        len = i2d_ECDSA_SIG(sig, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

/* DER -> r and s as JOSE has them, in place. */
static int ecdsa_from_der(const struct jose *jose, unsigned char *signature,
                          size_t *len)
{
    const unsigned char *p = signature;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)*len);
    int half = (int)jose->half;
    int ok =
        sig != NULL
        && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, half) == half
        && BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + half, half) == half;

    *len = 2 * jose->half;
    ECDSA_SIG_free(sig);
    return ok;
}

/* The signature itself; 1 if it is right. */
static int verify_bytes(struct mesh_context *ctx, const struct jose *jose,
                        const struct mesh_signature *signature, EVP_PKEY *key)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const unsigned char *sig = signature->signature;
    size_t sig_len = signature->signature_len;
    unsigned char *der = NULL;
    int ok = md != NULL, der_len;

    ERR_set_mark();
    if (ok && jose->half != 0) {
        der_len =
            sig_len == 2 * jose->half ? ecdsa_to_der(jose, sig, &der) : -1;
        ok = der_len > 0;
        sig = der;
        sig_len = (size_t)der_len;
    }
    ok = ok
         && EVP_DigestVerifyInit_ex(md, NULL, jose->digest, ctx->libctx, NULL,
                                    key, NULL)
                == 1
         && EVP_DigestVerify(md, sig, sig_len, signature->signed_bytes,
                             signature->signed_len)
                == 1;
    ERR_pop_to_mark();
    OPENSSL_free(der);
    EVP_MD_CTX_free(md);
    return ok;
}

int mesh_signature_verify(struct mesh_context *ctx,
                          const struct mesh_signature *signature, EVP_PKEY *key)
{
    const struct jose *jose = find_jose(key, signature->algorithm);
    struct mesh_udf kid;
    int named;

    if (!mesh_udf_parse(ctx, signature->kid, &kid)
        || !mesh_udf_names_key(ctx, &kid, key, &named))
        return 0;
    if (!named)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "the signature is by %.64s, another key",
                          signature->kid);
    if (jose == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNATURE,
                          "algorithm \"%.32s\" is unknown or does not fit key "
                          "%.64s",
                          signature->algorithm, signature->kid);
    if (!verify_bytes(ctx, jose, signature, key))
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNATURE,
                          "the signature by %.64s is wrong", signature->kid);
    return 1;
}

/* Signs header in the key store: base64url text of the signature. */
static char *sign_text(struct mesh_context *ctx, EVP_PKEY *signer,
                       const struct jose *jose, const char *header)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .padding = jose->padding};
    struct mesh_key_name name;
    unsigned char digest[EVP_MAX_MD_SIZE];
    const unsigned char *in = (const unsigned char *)header;
    size_t in_len = strlen(header), len = (size_t)EVP_PKEY_get_size(signer);
    unsigned char *signature = OPENSSL_malloc(len);
    char *text = NULL;

    if (signature == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "making a signed object");
        return NULL;
    }
    if (jose->digest != NULL) {
        OPENSSL_strlcpy(op.digest, jose->digest, sizeof(op.digest));
        if (!hash(ctx, jose->digest, in, in_len, digest, &in_len))
            goto end;
        in = digest;
    }
    if (jose->padding == MESH_PAD_PSS) /* RFC 7518, 3.5 */
        op.salt_length = (int)in_len;
    if (!mesh_key_name_of(ctx, signer, &name)
        || !mesh_keystore_operate(ctx, &name, &op, in, in_len, signature, &len))
        goto end;
    if (jose->half != 0 && !ecdsa_from_der(jose, signature, &len))
        mesh_raise(ctx, MESH_R_OPERATION_FAILED,
                   "the key store returned no ECDSA signature");
    else
        text = mesh_base64url_encode(ctx, signature, len);
end:
    OPENSSL_free(signature);
    return text;
}

json_t *mesh_signed_make(struct mesh_context *ctx, const char *identifier,
                         const json_t *payload, EVP_PKEY *signer)
{
    const struct jose *jose = find_jose(signer, NULL);
    char *payload_text = NULL, *payload64 = NULL, *val = NULL;
    char *header_text = NULL, *header64 = NULL, *signature64 = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t digest_len;
    char kid[MESH_UDF_TEXT_MAX], now[MESH_TIME_TEXT_MAX];
    json_t *header = NULL, *result = NULL;
    struct mesh_udf udf;

    if (jose == NULL) {
        mesh_raise(ctx, MESH_R_ALGORITHM,
                   "no profile can be signed by a key of this algorithm");
        return NULL;
    }
    if (!mesh_udf_of_key(ctx, signer, &udf))
        return NULL;
    mesh_udf_print(&udf, kid);
    if (!mesh_time_print(mesh_time_now(), now)) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no time of day");
        return NULL;
    }

    payload_text = mesh_json_print(payload, JSON_COMPACT);
    if (payload_text != NULL
        && hash(ctx, DIGEST, payload_text, strlen(payload_text), digest,
                &digest_len)) {
        payload64 =
            mesh_base64url_encode(ctx, payload_text, strlen(payload_text));
        val = mesh_base64url_encode(ctx, digest, digest_len);
    }
    if (payload64 != NULL && val != NULL)
        header = json_pack("{ss ss}", "alg",
                           jose->name != NULL ? jose->name
                                              : mesh_algorithm_of(signer),
                           "val", val);
    if (header != NULL)
        header_text = mesh_json_print(header, JSON_COMPACT);
    if (header_text == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "making a signed object");
        goto end;
    }
    header64 = mesh_base64url_encode(ctx, header_text, strlen(header_text));
    signature64 = sign_text(ctx, signer, jose, header_text);
    if (header64 == NULL || signature64 == NULL)
        goto end;
    result = json_pack("{ss s{s{ss} ss s[{s{ss} ss ss}]} s{ss}}", "Identifier",
                       identifier, "SignedData", "unprotected", "dig", "S512",
                       "payload", payload64, "signatures", "header", "kid", kid,
                       "protected", header64, "signature", signature64,
                       "Unauthenticated", "Default", now);
    if (result == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "making a signed object");

end:
    json_decref(header);
    OPENSSL_free(payload_text);
    OPENSSL_free(header_text);
    OPENSSL_free(payload64);
    OPENSSL_free(val);
    OPENSSL_free(header64);
    OPENSSL_free(signature64);
    return result;
}
