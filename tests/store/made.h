/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles that a test makes, with keys of the fake key store.
 */
#ifndef MESH_TESTS_STORE_MADE_H
#define MESH_TESTS_STORE_MADE_H

#include "store/profile.h"

#include "tests/store/fake_keystore.h"

#include <openssl/ec.h>

static inline const char *udf_of(struct mesh_context *ctx, EVP_PKEY *key,
                                 char text[MESH_UDF_TEXT_MAX])
{
    struct mesh_udf udf;

    expect_ok(ctx, mesh_udf_of_key(ctx, key, &udf));
    mesh_udf_print(&udf, text);
    return text;
}

static inline json_t *key_json(struct mesh_context *ctx, EVP_PKEY *key)
{
    json_t *json = mesh_profile_key_json(ctx, key, NULL);

    assert_non_null(json);
    return json;
}

/* Signs {type: body}; takes body over. */
static inline json_t *sign(struct mesh_context *ctx, const char *type,
                           json_t *body, EVP_PKEY *signer)
{
    json_t *payload = json_pack("{so}", type, body);
    const char *name = json_string_value(json_object_get(body, "Identifier"));
    json_t *object = mesh_signed_make(ctx, name, payload, signer);

    assert_non_null(object);
    json_decref(payload);
    return object;
}

/* A device's payload: one key for all, which is its name. */
static inline json_t *device_body(struct mesh_context *ctx, EVP_PKEY *key)
{
    char udf[MESH_UDF_TEXT_MAX];

    return json_pack("{ss ss so so}", "Identifier", udf_of(ctx, key, udf),
                     "Description", "a device", "DeviceSignatureKey",
                     key_json(ctx, key), "DeviceEncryptiontionKey",
                     key_json(ctx, key));
}

static inline json_t *device(struct mesh_context *ctx, EVP_PKEY *key)
{
    return sign(ctx, "DeviceProfile", device_body(ctx, key), key);
}

static inline json_t *master(struct mesh_context *ctx, EVP_PKEY *key,
                             EVP_PKEY *online)
{
    char udf[MESH_UDF_TEXT_MAX];

    return sign(ctx, "MasterProfile",
                json_pack("{ss so s[o]}", "Identifier", udf_of(ctx, key, udf),
                          "MasterSignatureKey", key_json(ctx, key),
                          "OnlineSignatureKeys", key_json(ctx, online)),
                key);
}

/* A personal profile's payload; takes master and device over. */
static inline json_t *personal_body(json_t *master_object,
                                    json_t *device_object, const char *app,
                                    const char *admin)
{
    const char *name =
        json_string_value(json_object_get(master_object, "Identifier"));

    return json_pack("{ss s[o] s[{ss ss s[s]}] so}", "Identifier", name,
                     "Devices", device_object, "Applications", "Identifier",
                     app, "Type", "WebProfile", "AdminDeviceUDF", admin,
                     "SignedMasterProfile", master_object);
}

#define APP "RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ"

static inline json_t *web_body(struct mesh_context *ctx, EVP_PKEY *key,
                               const char *device_udf)
{
    return json_pack("{ss s[{s{ss so}}]}", "Identifier", APP, "Devices",
                     "WebDevicePublic", "DeviceUDF", device_udf, "PublicKey",
                     key_json(ctx, key));
}

/* Signs {type: body} in the form of 2016 by a key on P-256; takes body over. */
static inline json_t *sign_2016(struct mesh_context *ctx, const char *type,
                                json_t *body, EVP_PKEY *signer)
{
    json_t *payload = json_pack("{so}", type, body), *object;
    struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                 .digest = "SHA2-256"};
    char udf[MESH_UDF_TEXT_MAX], header[256], *text, *parts[3];
    unsigned char raw[64], sig[128];
    const unsigned char *at = sig;
    size_t len = sizeof(sig), i;
    struct mesh_key_name name;
    ECDSA_SIG *ecdsa;

    text = json_dumps(payload, JSON_COMPACT);
    assert_true(EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, text, strlen(text),
                             raw, NULL));
    expect_ok(
        ctx, mesh_key_name_of(ctx, signer, &name)
                 && mesh_keystore_operate(ctx, &name, &op, raw, 32, sig, &len));
    ecdsa = d2i_ECDSA_SIG(NULL, &at, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(ecdsa), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(ecdsa), raw + 32, 32);
    ECDSA_SIG_free(ecdsa);
    snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
             udf_of(ctx, signer, udf));
    parts[0] = mesh_base64url_encode(ctx, header, strlen(header));
    parts[1] = mesh_base64url_encode(ctx, text, strlen(text));
    parts[2] = mesh_base64url_encode(ctx, raw, sizeof(raw));
    object = json_pack("{s{ss ss ss}}", "SignedData", "header", parts[0],
                       "payload", parts[1], "signature", parts[2]);
    assert_non_null(object);
    for (i = 0; i < 3; i++)
        OPENSSL_free(parts[i]);
    free(text);
    json_decref(payload);
    return object;
}

/* Parses a signed object as a file; takes it over. */
static inline struct mesh_profile *parse_made(struct mesh_context *ctx,
                                              const char *tag, json_t *object)
{
    struct mesh_profile *profile;
    size_t len;
    char *text = mesh_profile_text(ctx, tag, object, &len);

    assert_non_null(text);
    mesh_profile_parse(ctx, text, len, "made.mmm", &profile);
    OPENSSL_free(text);
    json_decref(object);
    return profile;
}

#endif
