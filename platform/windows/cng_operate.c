/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key of CNG.
 *
 * RSA as it is (NCRYPT_NO_PADDING_FLAG) does what CNG has no form for: raw
 * signatures, RSASVE, and PKCS#1 padding taken off here, in constant time.
 */
#include "platform/windows/cng.h"

#include "platform/pkcs1.h"
#include "platform/public_der.h"
#include "platform/windows/blob.h"
#include "platform/windows/status.h"
#include "platform/windows/use.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

#define COORDINATE_MAX 66 /* octets; P-521 */

/* What RSA takes and gives. */
struct block {
    unsigned char octets[MESH_RSA_MAX];
};

/* Moves len octets at the front of a block of size to its end. */
static void align(unsigned char *octets, size_t len, size_t size)
{
    memmove(octets + size - len, octets, len);
    memset(octets, 0, size - len);
}

/* RSA as it is: block has the number, and then the result. */
static DWORD rsa(const struct mesh_source_use *use, struct block *block)
{
    struct block in = *block;
    DWORD len = 0, status;

    status =
        (DWORD)NCryptDecrypt(use->key->handle, in.octets, (DWORD)use->size,
                             NULL, block->octets, (DWORD)sizeof(block->octets),
                             &len, NCRYPT_NO_PADDING_FLAG | use->silent);
    OPENSSL_cleanse(&in, sizeof(in));
    if (status == 0 && len > use->size)
        return (DWORD)NTE_INTERNAL_ERROR;
    if (status == 0)
        align(block->octets, len, use->size);
    return status;
}

/* Takes a number of so many octets at most. */
static int load(const struct mesh_source_use *use, const unsigned char *in,
                size_t in_len, struct block *block)
{
    if (in_len > use->size || use->size > sizeof(block->octets))
        return mesh_source_failed(use, (DWORD)NTE_BAD_LEN);
    memcpy(block->octets, in, in_len);
    align(block->octets, in_len, use->size);
    return 1;
}

/* Raw signature, raw decryption, RSASVE. */
static int run_raw(const struct mesh_source_use *use, const unsigned char *in,
                   size_t in_len, unsigned char *out, size_t *out_len)
{
    struct block block;
    DWORD status;
    int ok;

    if (in_len != use->size && use->op->operation != MESH_OP_DECRYPT)
        return mesh_source_refuse(use, "needs input of the key's length");
    if (!load(use, in, in_len, &block))
        return 0;
    status = rsa(use, &block);
    ok = status == 0
             ? mesh_source_give(use, block.octets, use->size, out, out_len)
             : mesh_source_failed(use, status);
    OPENSSL_cleanse(&block, sizeof(block));
    return ok;
}

/* A signature of RSA, which has the modulus's length. */
static int sign_rsa(const struct mesh_source_use *use, void *padding,
                    DWORD flags, const unsigned char *in, size_t in_len,
                    unsigned char *out, size_t *out_len)
{
    struct block signature;
    DWORD len = 0, status;

    status = (DWORD)NCryptSignHash(
        use->key->handle, padding, (PBYTE)in, (DWORD)in_len, signature.octets,
        (DWORD)sizeof(signature.octets), &len, flags | use->silent);
    return status == 0
               ? mesh_source_give(use, signature.octets, len, out, out_len)
               : mesh_source_failed(use, status);
}

/* A digest that CNG does not know is put into its DigestInfo here, and signed
 * as it stands. */
static int run_sign_pkcs1(const struct mesh_source_use *use,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    BCRYPT_PKCS1_PADDING_INFO padding = {NULL};
    unsigned char info[MESH_DIGEST_INFO_MAX];

    if (use->has_digest && use->digest.cng != NULL) {
        padding.pszAlgId = use->digest.cng;
    } else if (use->has_digest && !use->digest.plain) {
        in_len = mesh_pkcs1_digest_info(use->digest.nid, in, in_len, info);
        if (in_len == 0)
            return mesh_source_refuse(use, "the digest has no identifier");
        in = info;
    }
    if (in_len + MESH_PKCS1_MIN > use->size)
        return mesh_source_refuse(use, "the input is too long for the key");
    return sign_rsa(use, &padding, BCRYPT_PAD_PKCS1, in, in_len, out, out_len);
}

static int run_sign_pss(const struct mesh_source_use *use,
                        const unsigned char *in, size_t in_len,
                        unsigned char *out, size_t *out_len)
{
    BCRYPT_PSS_PADDING_INFO padding = {use->digest.cng,
                                       (ULONG)use->op->salt_length};

    if (use->digest.cng == NULL)
        return mesh_source_refuse(use, "Windows does not have the digest");
    return mesh_source_check_mgf1(use, &use->digest)
           && sign_rsa(use, &padding, BCRYPT_PAD_PSS, in, in_len, out, out_len);
}

static int run_decrypt_oaep(const struct mesh_source_use *use,
                            const unsigned char *in, size_t in_len,
                            unsigned char *out, size_t *out_len)
{
    BCRYPT_OAEP_PADDING_INFO padding = {0};
    struct mesh_digest digest;
    struct block block, message;
    DWORD len = 0, status;
    int ok;

    if (!mesh_digest_find(use->ctx, use->has_digest ? use->op->digest : "SHA1",
                          &digest)
        || !mesh_source_check_mgf1(use, &digest))
        return 0;
    if (digest.cng == NULL)
        return mesh_source_refuse(use, "Windows does not have the digest");
    if (!load(use, in, in_len, &block))
        return 0;
    padding.pszAlgId = digest.cng;
    padding.pbLabel = use->op->label_len > 0 ? (PUCHAR)use->op->label : NULL;
    padding.cbLabel = (ULONG)use->op->label_len;
    status = (DWORD)NCryptDecrypt(use->key->handle, block.octets,
                                  (DWORD)use->size, &padding, message.octets,
                                  (DWORD)sizeof(message.octets), &len,
                                  NCRYPT_PAD_OAEP_FLAG | use->silent);
    ok = status == 0 ? mesh_source_give(use, message.octets, len, out, out_len)
                     : mesh_source_failed(use, status);
    OPENSSL_cleanse(&message, sizeof(message));
    return ok;
}

/* Where a provider has no raw RSA, as some TPMs, it takes the padding off
 * itself, and tells if it was wrong. */
static DWORD decrypt_pkcs1(const struct mesh_source_use *use,
                           const struct block *block, struct block *message,
                           DWORD *len)
{
    memset(message, 0, sizeof(*message));
    *len = 0;
    return (DWORD)NCryptDecrypt(use->key->handle, (PBYTE)block->octets,
                                (DWORD)use->size, NULL, message->octets,
                                (DWORD)sizeof(message->octets), len,
                                NCRYPT_PAD_PKCS1_FLAG | use->silent);
}

static DWORD rejection_secret(const struct mesh_source_use *use,
                              unsigned char secret[32])
{
    struct block block;
    DWORD status;

    mesh_pkcs1_question(block.octets, use->size);
    status = rsa(use, &block);
    if (status == 0
        && !mesh_pkcs1_secret(use->ctx, block.octets, use->size, secret))
        status = (DWORD)NTE_INTERNAL_ERROR;
    OPENSSL_cleanse(&block, sizeof(block));
    return status;
}

static int run_decrypt_pkcs1(const struct mesh_source_use *use,
                             const unsigned char *in, size_t in_len,
                             unsigned char *out, size_t *out_len)
{
    struct block block, plain, message;
    unsigned char secret[32];
    DWORD len = 0, status = (DWORD)NTE_NOT_SUPPORTED;
    size_t message_len = 0;
    int ok;

    if (!load(use, in, in_len, &block))
        return 0;
    plain = block;
    if (use->op->implicit_rejection != 0)
        status = rsa(use, &plain);
    if (status == 0)
        status = rejection_secret(use, secret);
    if (status == 0) {
        ok = mesh_pkcs1_implicit(use->ctx, plain.octets, use->size, secret,
                                 block.octets, use->size, message.octets,
                                 &message_len);
    } else if ((mesh_status_kind(status)
                & (MESH_STATUS_UNSUPPORTED | MESH_STATUS_DATA))
               != 0) {
        status = decrypt_pkcs1(use, &block, &message, &len);
        message_len = len;
        ok = status == 0 || mesh_source_failed(use, status);
    } else {
        ok = mesh_source_failed(use, status);
    }
    ok = ok && mesh_source_give(use, message.octets, message_len, out, out_len);
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(&plain, sizeof(plain));
    OPENSSL_cleanse(&message, sizeof(message));
    return ok;
}

static int run_decrypt_tls(const struct mesh_source_use *use,
                           const unsigned char *in, size_t in_len,
                           unsigned char *out, size_t *out_len)
{
    unsigned client = use->op->tls_client_version;
    unsigned negotiated = use->op->tls_negotiated_version;
    unsigned char secret[MESH_TLS_SECRET];
    struct block block, plain;
    DWORD len, status;
    int ok;

    if (!load(use, in, in_len, &block))
        return 0;
    plain = block;
    status = rsa(use, &plain);
    if (status == 0) {
        ok = mesh_pkcs1_tls(use->ctx, plain.octets, use->size, client,
                            negotiated, secret);
    } else if ((mesh_status_kind(status)
                & (MESH_STATUS_UNSUPPORTED | MESH_STATUS_DATA))
               != 0) {
        status = decrypt_pkcs1(use, &block, &plain, &len);
        ok = status == 0 || (mesh_status_kind(status) & MESH_STATUS_DATA) != 0
                 ? mesh_pkcs1_tls_message(use->ctx, status == 0, plain.octets,
                                          len, client, negotiated, secret)
                 : mesh_source_failed(use, status);
    } else {
        ok = mesh_source_failed(use, status);
    }
    ok = ok && mesh_source_give(use, secret, sizeof(secret), out, out_len);
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(&plain, sizeof(plain));
    return ok;
}

/* r and s, one after the other, as DER. */
static int give_ecdsa(const struct mesh_source_use *use,
                      const unsigned char *both, size_t len, unsigned char *out,
                      size_t *out_len)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(both, (int)(len / 2), NULL);
    BIGNUM *s = BN_bin2bn(both + len / 2, (int)(len / 2), NULL);
    unsigned char *der = NULL;
    int der_len = -1, ok;

    if (signature != NULL && r != NULL && s != NULL
        && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = s = NULL;
        der_len = i2d_ECDSA_SIG(signature, &der);
    }
    ok = der_len > 0
             ? mesh_source_give(use, der, (size_t)der_len, out, out_len)
             : mesh_raise(use->ctx, MESH_R_MEMORY, "%s", use->rule->name);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    OPENSSL_free(der);
    return ok;
}

static int run_sign_ecdsa(const struct mesh_source_use *use,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    const struct mesh_curve *curve = mesh_curve_of(use->key->public);
    unsigned char both[2 * COORDINATE_MAX];
    DWORD len = 0, status;

    if (use->op->deterministic != 0)
        return mesh_source_refuse(use, "Windows has no deterministic form");
    /* of a longer one ECDSA takes the front; P-521's has no whole octets */
    if (in_len > curve->octets)
        in_len = curve->octets;
    if (in_len == COORDINATE_MAX)
        return mesh_source_refuse(use, "takes 65 octets at most");
    status =
        (DWORD)NCryptSignHash(use->key->handle, NULL, (PBYTE)in, (DWORD)in_len,
                              both, (DWORD)sizeof(both), &len, use->silent);
    if (status == 0 && len != 2 * curve->octets)
        status = (DWORD)NTE_INTERNAL_ERROR;
    return status == 0 ? give_ecdsa(use, both, len, out, out_len)
                       : mesh_source_failed(use, status);
}

/* The secret of an agreement is little-endian. */
static DWORD agree(const struct mesh_source_use *use, const unsigned char *blob,
                   size_t blob_len, unsigned char *secret, size_t size)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE peer = 0;
    NCRYPT_SECRET_HANDLE agreed = 0;
    DWORD len = 0, status = mesh_cng_provider(use->key->source, &provider);

    if (status == 0)
        status = (DWORD)NCryptImportKey(provider, 0, BCRYPT_ECCPUBLIC_BLOB,
                                        NULL, &peer, (PBYTE)blob,
                                        (DWORD)blob_len, NCRYPT_SILENT_FLAG);
    if (status == 0)
        status = (DWORD)NCryptSecretAgreement(use->key->handle, peer, &agreed,
                                              use->silent);
    if (status == 0)
        status = (DWORD)NCryptDeriveKey(agreed, BCRYPT_KDF_RAW_SECRET, NULL,
                                        secret, (DWORD)size, &len, 0);
    if (status == 0 && len > size)
        status = (DWORD)NTE_INTERNAL_ERROR;
    if (status == 0) {
        mesh_source_reverse(secret, len);
        align(secret, len, size);
    }
    if (agreed != 0)
        NCryptFreeObject(agreed);
    if (peer != 0)
        NCryptFreeObject(peer);
    if (provider != 0)
        NCryptFreeObject(provider);
    return status;
}

static int run_derive(const struct mesh_source_use *use,
                      const unsigned char *in, size_t in_len,
                      unsigned char *out, size_t *out_len)
{
    const struct mesh_curve *curve = mesh_curve_of(use->key->public);
    EVP_PKEY *peer = mesh_public_read(use->ctx, in, in_len);
    unsigned char blob[256], secret[COORDINATE_MAX] = {0};
    size_t len = 0;
    DWORD status;
    int ok;

    if (peer != NULL && mesh_curve_of(peer) == curve)
        len = mesh_blob_write_ec(peer, curve, blob, sizeof(blob));
    EVP_PKEY_free(peer);
    if (len == 0)
        return mesh_raise(use->ctx, MESH_R_KEY_MALFORMED,
                          "derive: the peer's public key is not one of the "
                          "same curve");
    status = agree(use, blob, len, secret, curve->octets);
    ok = status == 0
             ? mesh_source_give(use, secret, curve->octets, out, out_len)
             : mesh_source_failed(use, status);
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static const struct mesh_source_method methods[] = {
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_EC, run_sign_ecdsa},
    {MESH_OP_SIGN, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_sign_pkcs1},
    {MESH_OP_SIGN, MESH_PAD_PSS, MESH_FAMILY_RSA, run_sign_pss},
    {MESH_OP_SIGN, MESH_PAD_NONE, MESH_FAMILY_RSA, run_raw},
    {MESH_OP_DECRYPT, MESH_PAD_NONE, MESH_FAMILY_RSA, run_raw},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_decrypt_pkcs1},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, MESH_FAMILY_RSA, run_decrypt_tls},
    {MESH_OP_DECRYPT, MESH_PAD_OAEP, MESH_FAMILY_RSA, run_decrypt_oaep},
    {MESH_OP_DERIVE, MESH_PAD_DEFAULT, MESH_FAMILY_EC, run_derive},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, MESH_FAMILY_RSA, run_raw},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, 0, NULL},
};

int mesh_cng_operate(struct mesh_context *ctx,
                     const struct mesh_source_key *key,
                     const struct mesh_private_op *op, int is_silent,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len)
{
    return mesh_source_operate(ctx, methods, key, op, is_silent, in, in_len,
                               out, out_len);
}
