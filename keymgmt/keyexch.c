/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key exchange (provider-keyexch(7)): the shared secret is made where the key
 * is, a KDF is run over it here.
 */
#include "keymgmt/operations.h"
#include "keymgmt/types.h"
#include "keymgmt/use.h"
#include "platform/public_der.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define SECRET_MAX 128 /* octets: more than any field of libcrypto's curves */

static OSSL_FUNC_keyexch_init_fn keyexch_init;
static OSSL_FUNC_keyexch_set_peer_fn keyexch_set_peer;
static OSSL_FUNC_keyexch_derive_fn keyexch_derive;

static int keyexch_init(void *vctx, void *key, const OSSL_PARAM params[])
{
    return mesh_use_start(vctx, key, EVP_PKEY_derive_init_ex,
                          EVP_PKEY_derive_init_ex, params);
}

/* The native context refuses a peer on another curve.  (Whether the point is on
 * it has been checked by libcrypto if the application wanted so, and is by
 * whoever has the private half.) */
static int keyexch_set_peer(void *vctx, void *vpeer)
{
    struct mesh_use *use = vctx;
    EVP_PKEY *peer = vpeer != NULL ? mesh_key_public(vpeer) : NULL;

    if (use->native == NULL)
        return 0;
    if (peer == NULL || EVP_PKEY_derive_set_peer_ex(use->native, peer, 0) != 1)
        return mesh_raise(use->ctx, MESH_R_USAGE,
                          "the peer's key is not of the type and curve of %s",
                          mesh_key_uri(use->key) != NULL
                              ? mesh_key_uri(use->key)
                              : "the own key");
    if (!EVP_PKEY_up_ref(peer))
        return 0;
    EVP_PKEY_free(use->peer);
    use->peer = peer;
    return 1;
}

/* Of ECDH; an empty type: the secret is wanted as it is. */
struct kdf {
    char type[32];
    char digest[MESH_DIGEST_NAME_MAX];
    unsigned char *ukm; /* the native context's */
    size_t ukm_len;
    size_t out_len;
};

static int read_kdf(struct mesh_use *use, struct kdf *kdf)
{
    const OSSL_PARAM *has = EVP_PKEY_CTX_gettable_params(use->native);
    int cofactor_mode = 0;
    BIGNUM *cofactor = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, kdf->type,
                               sizeof(kdf->type)),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, kdf->digest,
                               sizeof(kdf->digest)),
        OSSL_PARAM_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &kdf->ukm, 0),
        OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &kdf->out_len),
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE,
                       &cofactor_mode),
        OSSL_PARAM_END,
    };

    memset(kdf, 0, sizeof(*kdf));
    if (has == NULL
        || OSSL_PARAM_locate_const(has, OSSL_EXCHANGE_PARAM_KDF_TYPE) == NULL)
        return 1; /* X25519 */
    if (EVP_PKEY_CTX_get_params(use->native, params) != 1)
        return mesh_raise(use->ctx, MESH_R_INTERNAL,
                          "cannot read the parameters of the key exchange");
    kdf->ukm_len = kdf->ukm != NULL ? params[2].return_size : 0;
    if (cofactor_mode == 1
        && EVP_PKEY_get_bn_param(mesh_key_public(use->key),
                                 OSSL_PKEY_PARAM_EC_COFACTOR, &cofactor)
        && !BN_is_one(cofactor)) {
        BN_free(cofactor);
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "ECDH with the cofactor by a key of the key store");
    }
    BN_free(cofactor);
    return 1;
}

static int run_kdf(struct mesh_use *use, const struct kdf *kdf,
                   unsigned char *secret, size_t secret_len, unsigned char *out)
{
    EVP_KDF *fetched = EVP_KDF_fetch(use->ctx->libctx, kdf->type, NULL);
    EVP_KDF_CTX *run = EVP_KDF_CTX_new(fetched);
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)kdf->digest,
                               strlen(kdf->digest)),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SECRET, secret, secret_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, kdf->ukm, kdf->ukm_len),
        OSSL_PARAM_END,
    };
    int ok;

    if (kdf->ukm_len == 0)
        params[2] = OSSL_PARAM_construct_end();
    ok = run != NULL && EVP_KDF_derive(run, out, kdf->out_len, params) == 1;
    EVP_KDF_CTX_free(run);
    EVP_KDF_free(fetched);
    return ok
           || mesh_raise(use->ctx, MESH_R_OPERATION_FAILED,
                         "%s with digest \"%s\" over the shared secret",
                         kdf->type, kdf->digest);
}

static int derive_raw(struct mesh_use *use, unsigned char *secret, size_t *len)
{
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char *der = NULL;
    int der_len, ok;

    if (use->peer == NULL)
        return mesh_raise(use->ctx, MESH_R_USAGE,
                          "a key exchange without the peer's key");
    der_len = mesh_public_spki(use->ctx, use->peer, &der);
    ok = der_len > 0
         && mesh_key_operate(use->key, &op, der, (size_t)der_len, secret, len);
    OPENSSL_free(der);
    return ok;
}

static int derive_held(struct mesh_use *use, unsigned char *out,
                       size_t *out_len, size_t room)
{
    unsigned char secret[SECRET_MAX];
    size_t len = sizeof(secret);
    struct kdf kdf;
    int ok;

    if (!read_kdf(use, &kdf))
        return 0;
    if (room < kdf.out_len && kdf.type[0] != '\0')
        return mesh_raise(use->ctx, MESH_R_BUFFER_TOO_SMALL,
                          "%zu octets of room for %zu of derived key", room,
                          kdf.out_len);
    ok = derive_raw(use, secret, &len);
    if (ok && kdf.type[0] != '\0') {
        ok = run_kdf(use, &kdf, secret, len, out);
        *out_len = kdf.out_len;
    } else if (ok) {
        /* ECDH in less room gives the beginning, X25519 nothing */
        if (room < len && !EVP_PKEY_is_a(use->peer, "EC"))
            ok =
                mesh_raise(use->ctx, MESH_R_BUFFER_TOO_SMALL,
                           "%zu octets of room for a secret of %zu", room, len);
        *out_len = room < len ? room : len;
        if (ok)
            memcpy(out, secret, *out_len);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int keyexch_derive(void *vctx, unsigned char *secret, size_t *len,
                          size_t room)
{
    struct mesh_use *use = vctx;

    if (use->native == NULL)
        return 0;
    if (secret != NULL && use->held)
        return derive_held(use, secret, len, room);
    if (use->held && !EVP_PKEY_is_a(mesh_key_public(use->key), "EC")) {
        *len = (size_t)EVP_PKEY_get_size(mesh_key_public(use->key));
        return 1;
    }
    /* The native context knows how long a held key's secret is, too. */
    *len = room;
    return EVP_PKEY_derive(use->native, secret, len) == 1;
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))mesh_use_new},
    {OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))mesh_use_free},
    {OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))mesh_use_dup},
    {OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))keyexch_init},
    {OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))keyexch_set_peer},
    {OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))keyexch_derive},
    {OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, (void (*)(void))mesh_use_get_params},
    {OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, (void (*)(void))mesh_use_gettable},
    {OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, (void (*)(void))mesh_use_set_params},
    {OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, (void (*)(void))mesh_use_settable},
    {0, NULL},
};

#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, "", functions, "key agreement"),

static const OSSL_ALGORITHM algorithms[] = {
    MESH_ALGORITHM("ECDH", "", functions, "key agreement"),
    MESH_TYPES_XDH(ROW) MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_keyexch_algorithms(void)
{
    return algorithms;
}
