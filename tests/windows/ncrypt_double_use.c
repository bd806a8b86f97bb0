/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's functions that use a key: sign, decrypt, agree, and give the
 * public half.
 */
#include "ncrypt_double.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_MAX 2048 /* RSA of 16384 bits */
#define BLOB_MAX   4200

/* The digest of CNG's name, NULL if it has none such. */
static const EVP_MD *digest_of(const wchar_t *name)
{
    static const struct {
        const wchar_t *name;
        const EVP_MD *(*digest)(void);
    } digests[] = {
        {BCRYPT_SHA1_ALGORITHM, EVP_sha1},
        {BCRYPT_SHA256_ALGORITHM, EVP_sha256},
        {BCRYPT_SHA384_ALGORITHM, EVP_sha384},
        {BCRYPT_SHA512_ALGORITHM, EVP_sha512},
        {BCRYPT_MD5_ALGORITHM, EVP_md5},
    };
    size_t i;

    for (i = 0; name != NULL && i < sizeof(digests) / sizeof(*digests); i++)
        if (wcscmp(digests[i].name, name) == 0)
            return digests[i].digest();
    return NULL;
}

/* Without a digest's name no DigestInfo is put around the value. */
static SECURITY_STATUS
pad_pkcs1(EVP_PKEY_CTX *ctx, const BCRYPT_PKCS1_PADDING_INFO *info, DWORD len)
{
    const EVP_MD *digest;

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
        return NTE_INTERNAL_ERROR;
    if (info == NULL)
        return NTE_INVALID_PARAMETER;
    if (info->pszAlgId == NULL)
        return ERROR_SUCCESS;
    digest = digest_of(info->pszAlgId);
    if (digest == NULL || (DWORD)EVP_MD_get_size(digest) != len
        || EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1)
        return NTE_INVALID_PARAMETER;
    return ERROR_SUCCESS;
}

static SECURITY_STATUS pad_pss(EVP_PKEY_CTX *ctx,
                               const BCRYPT_PSS_PADDING_INFO *info, DWORD len,
                               int is_tpm)
{
    const EVP_MD *digest = info != NULL ? digest_of(info->pszAlgId) : NULL;

    if (digest == NULL || (DWORD)EVP_MD_get_size(digest) != len
        || info->cbSalt > RESULT_MAX)
        return NTE_INVALID_PARAMETER;
    if (is_tpm && info->cbSalt != len)
        return DOUBLE_TPM_BAD_SALT;
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1
        || EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1
        || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)info->cbSalt) != 1)
        return NTE_INVALID_PARAMETER;
    return ERROR_SUCCESS;
}

static SECURITY_STATUS pad_signature(const struct double_key *key,
                                     EVP_PKEY_CTX *ctx, const void *info,
                                     DWORD len, DWORD flags)
{
    if (!double_is_rsa(key))
        return flags == 0 ? ERROR_SUCCESS : NTE_BAD_FLAGS;
    if (flags == NCRYPT_PAD_PKCS1_FLAG)
        return pad_pkcs1(ctx, info, len);
    if (flags == NCRYPT_PAD_PSS_FLAG)
        return pad_pss(ctx, info, len, key->is_tpm);
    return NTE_BAD_FLAGS;
}

/* r and s of the same length, as CNG has them. */
static int halves_of(unsigned char *signature, size_t len, size_t need)
{
    const unsigned char *der = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int half = (int)need / 2;
    int ok = parsed != NULL
             && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, half) == half
             && BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + half, half)
                    == half;

    ECDSA_SIG_free(parsed);
    return ok;
}

static SECURITY_STATUS make_signature(const struct double_key *key,
                                      const void *info, const BYTE *hash,
                                      DWORD len, DWORD flags,
                                      unsigned char *signature, DWORD need)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(double_libctx(), key->pkey, NULL);
    SECURITY_STATUS status = NTE_INTERNAL_ERROR;
    size_t made = RESULT_MAX;

    if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1)
        status = pad_signature(key, ctx, info, len, flags);
    if (status == ERROR_SUCCESS
        && (EVP_PKEY_sign(ctx, signature, &made, hash, len) != 1
            || (double_is_rsa(key) ? made != need
                                   : !halves_of(signature, made, need))))
        status = NTE_INVALID_PARAMETER;
    EVP_PKEY_CTX_free(ctx);
    return status;
}

static SECURITY_STATUS sign_hash(NCRYPT_KEY_HANDLE handle, const void *info,
                                 const BYTE *hash, DWORD len, PBYTE out,
                                 DWORD size, DWORD *result, DWORD flags)
{
    unsigned char signature[RESULT_MAX];
    SECURITY_STATUS status;
    struct double_key *key;
    DWORD need;

    key = double_usable(handle, NCRYPT_ALLOW_SIGNING_FLAG, flags, &status);
    if (key == NULL)
        return status;
    if (hash == NULL || result == NULL)
        return NTE_INVALID_PARAMETER;
    need = (key->bits + 7) / 8 * (double_is_rsa(key) ? 1 : 2);
    if (out == NULL || size < need)
        return double_give(signature, need, out, size, result);
    status = make_signature(key, info, hash, len, flags & ~NCRYPT_SILENT_FLAG,
                            signature, need);
    return status != ERROR_SUCCESS
               ? status
               : double_give(signature, need, out, size, result);
}

SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE handle, VOID *info,
                                      PBYTE hash, DWORD len, PBYTE out,
                                      DWORD size, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    return double_logged(__func__, status
                                       ? status
                                       : sign_hash(handle, info, hash, len, out,
                                                   size, result, flags));
}

static SECURITY_STATUS pad_oaep(EVP_PKEY_CTX *ctx,
                                const BCRYPT_OAEP_PADDING_INFO *info)
{
    const EVP_MD *digest = info != NULL ? digest_of(info->pszAlgId) : NULL;
    void *label = NULL;

    if (digest == NULL
        || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1
        || EVP_PKEY_CTX_set_rsa_oaep_md(ctx, digest) != 1
        || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) != 1)
        return NTE_INVALID_PARAMETER;
    if (info->cbLabel == 0)
        return ERROR_SUCCESS;
    label = OPENSSL_memdup(info->pbLabel, info->cbLabel);
    if (label == NULL
        || EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)info->cbLabel)
               != 1) {
        OPENSSL_free(label);
        return NTE_NO_MEMORY;
    }
    return ERROR_SUCCESS;
}

/* This TPM does not decrypt without padding: callers must bear that. */
static SECURITY_STATUS pad_decrypt(const struct double_key *key,
                                   EVP_PKEY_CTX *ctx, const void *info,
                                   DWORD flags)
{
    int padding;

    if (flags == NCRYPT_PAD_OAEP_FLAG)
        return pad_oaep(ctx, info);
    if (flags == NCRYPT_NO_PADDING_FLAG && key->is_tpm)
        return NTE_NOT_SUPPORTED;
    if (flags == NCRYPT_NO_PADDING_FLAG)
        padding = RSA_NO_PADDING;
    else if (flags == NCRYPT_PAD_PKCS1_FLAG)
        padding = RSA_PKCS1_PADDING;
    else
        return NTE_BAD_FLAGS;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 ? ERROR_SUCCESS
                                                           : NTE_INTERNAL_ERROR;
}

static SECURITY_STATUS decrypt(NCRYPT_KEY_HANDLE handle, const BYTE *in,
                               DWORD len, const void *info, PBYTE out,
                               DWORD size, DWORD *result, DWORD flags)
{
    unsigned char plain[RESULT_MAX];
    size_t plain_len = sizeof(plain);
    SECURITY_STATUS status;
    EVP_PKEY_CTX *ctx;
    struct double_key *key;

    key = double_usable(handle, NCRYPT_ALLOW_DECRYPT_FLAG, flags, &status);
    if (key == NULL)
        return status;
    if (in == NULL || result == NULL)
        return NTE_INVALID_PARAMETER;
    if (!double_is_rsa(key))
        return NTE_NOT_SUPPORTED;
    if (out == NULL)
        return double_give(plain, key->bits / 8, NULL, 0, result);
    ctx = EVP_PKEY_CTX_new_from_pkey(double_libctx(), key->pkey, NULL);
    status = NTE_INTERNAL_ERROR;
    if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1)
        status = pad_decrypt(key, ctx, info, flags & ~NCRYPT_SILENT_FLAG);
    if (status == ERROR_SUCCESS
        && EVP_PKEY_decrypt(ctx, plain, &plain_len, in, len) != 1)
        status = NTE_INVALID_PARAMETER;
    if (status == ERROR_SUCCESS)
        status = double_give(plain, (DWORD)plain_len, out, size, result);
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_cleanse(plain, sizeof(plain));
    return status;
}

SECURITY_STATUS WINAPI NCryptDecrypt(NCRYPT_KEY_HANDLE handle, PBYTE in,
                                     DWORD len, VOID *info, PBYTE out,
                                     DWORD size, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    return double_logged(__func__, status ? status
                                          : decrypt(handle, in, len, info, out,
                                                    size, result, flags));
}

static SECURITY_STATUS export_key(NCRYPT_KEY_HANDLE handle, LPCWSTR type,
                                  PBYTE out, DWORD size, DWORD *result)
{
    struct double_key *key = double_find(handle, DOUBLE_KEY);
    unsigned char blob[BLOB_MAX];
    SECURITY_STATUS status;
    DWORD len;

    if (key == NULL || !key->is_final)
        return NTE_INVALID_HANDLE;
    if (type == NULL || result == NULL)
        return NTE_INVALID_PARAMETER;
    if (double_is_private_type(type))
        double_log("private-export %ls\n", type);
    status = double_public_blob(key, type, blob, sizeof(blob), &len);
    return status != ERROR_SUCCESS ? status
                                   : double_give(blob, len, out, size, result);
}

SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE handle,
                                       NCRYPT_KEY_HANDLE wrap, LPCWSTR type,
                                       NCryptBufferDesc *parameters, PBYTE out,
                                       DWORD size, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)wrap;
    (void)parameters;
    (void)flags;
    return double_logged(__func__,
                         status ? status
                                : export_key(handle, type, out, size, result));
}

static int derive(const struct double_key *key, const struct double_key *peer,
                  struct double_secret *secret)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(double_libctx(), key->pkey, NULL);
    int ok;

    secret->len = sizeof(secret->value);
    ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1
         && EVP_PKEY_derive_set_peer(ctx, peer->pkey) == 1
         && EVP_PKEY_derive(ctx, secret->value, &secret->len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* Both keys are of one provider and one algorithm. */
static SECURITY_STATUS agree(NCRYPT_KEY_HANDLE handle,
                             NCRYPT_KEY_HANDLE peer_handle,
                             NCRYPT_SECRET_HANDLE *agreed, DWORD flags)
{
    struct double_key *peer = double_find(peer_handle, DOUBLE_KEY), *key;
    struct double_secret *secret;
    SECURITY_STATUS status;

    key =
        double_usable(handle, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, flags, &status);
    if (key == NULL)
        return status;
    if (peer == NULL || !peer->is_final)
        return NTE_INVALID_HANDLE;
    if (double_is_rsa(key))
        return NTE_NOT_SUPPORTED;
    if (agreed == NULL || peer->is_tpm != key->is_tpm
        || wcscmp(peer->algorithm, key->algorithm) != 0)
        return NTE_INVALID_PARAMETER;
    secret = calloc(1, sizeof(*secret));
    if (secret == NULL)
        return NTE_NO_MEMORY;
    if (!derive(key, peer, secret)) {
        free(secret);
        return NTE_INVALID_PARAMETER;
    }
    *agreed = double_add(&secret->object, DOUBLE_SECRET);
    return ERROR_SUCCESS;
}

SECURITY_STATUS WINAPI NCryptSecretAgreement(NCRYPT_KEY_HANDLE handle,
                                             NCRYPT_KEY_HANDLE peer,
                                             NCRYPT_SECRET_HANDLE *agreed,
                                             DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    return double_logged(__func__,
                         status ? status : agree(handle, peer, agreed, flags));
}

/* The raw secret has its least significant octet first. */
static SECURITY_STATUS derive_key(NCRYPT_SECRET_HANDLE handle, LPCWSTR kdf,
                                  PBYTE out, DWORD size, DWORD *result)
{
    struct double_secret *secret = double_find(handle, DOUBLE_SECRET);
    unsigned char reversed[DOUBLE_SECRET_MAX];
    SECURITY_STATUS status;
    size_t i;

    if (secret == NULL)
        return NTE_INVALID_HANDLE;
    if (kdf == NULL || result == NULL)
        return NTE_INVALID_PARAMETER;
    if (wcscmp(kdf, BCRYPT_KDF_RAW_SECRET) != 0)
        return NTE_NOT_SUPPORTED;
    for (i = 0; i < secret->len; i++)
        reversed[i] = secret->value[secret->len - 1 - i];
    status = double_give(reversed, (DWORD)secret->len, out, size, result);
    OPENSSL_cleanse(reversed, sizeof(reversed));
    return status;
}

SECURITY_STATUS WINAPI NCryptDeriveKey(NCRYPT_SECRET_HANDLE handle, LPCWSTR kdf,
                                       NCryptBufferDesc *parameters, PBYTE out,
                                       DWORD size, DWORD *result, ULONG flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)parameters;
    (void)flags;
    return double_logged(
        __func__, status ? status : derive_key(handle, kdf, out, size, result));
}
