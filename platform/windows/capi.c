/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The containers of CryptoAPI, one for each key, in which the first
 * applications of the Mesh on Windows kept their RSA keys.  Such keys are used
 * and removed; new ones go to CNG.  Its numbers are little-endian.
 */
#include "platform/windows/source.h"

#include "platform/pkcs1.h"
#include "platform/windows/blob.h"
#include "platform/windows/status.h"
#include "platform/windows/use.h"

#include <openssl/crypto.h>
#include <string.h>

/* Of CryptSignHash; not in every version of the headers. */
#ifndef CRYPT_NOHASHOID
#define CRYPT_NOHASHOID 0x1
#endif

/* Of a call that returned ok: 0, or what Windows says. */
static DWORD status_of(BOOL ok)
{
    DWORD status = ok ? 0 : GetLastError();

    return ok || status != 0 ? status : (DWORD)NTE_FAIL;
}

static DWORD open_container(const struct mesh_source *source,
                            const wchar_t *name, DWORD flags,
                            HCRYPTPROV *container)
{
    *container = 0;
    return status_of(CryptAcquireContextW(container, name, source->provider,
                                          PROV_RSA_AES, flags));
}

static DWORD read_public(struct mesh_context *ctx, HCRYPTPROV container,
                         EVP_PKEY **public)
{
    unsigned char blob[MESH_BLOB_MAX];
    DWORD len = sizeof(blob), status;
    HCRYPTKEY key;

    *public = NULL;
    status = status_of(CryptGetUserKey(container, AT_KEYEXCHANGE, &key));
    if (status != 0)
        return status;
    status = status_of(CryptExportKey(key, 0, PUBLICKEYBLOB, 0, blob, &len));
    if (status == 0
        && (*public = mesh_blob_read_legacy(ctx, blob, len)) == NULL)
        status = (DWORD)NTE_BAD_KEY;
    CryptDestroyKey(key);
    return status;
}

static void close_key(struct mesh_source_key *key)
{
    if (key->handle != 0)
        CryptReleaseContext(key->handle, 0);
    EVP_PKEY_free(key->public);
    key->handle = 0;
    key->public = NULL;
}

/* Opens the container with key->name. */
static DWORD open_name(struct mesh_context *ctx,
                       const struct mesh_source *source, int is_silent,
                       struct mesh_source_key *key)
{
    HCRYPTPROV container;
    DWORD status;

    key->source = source;
    key->public = NULL;
    status = open_container(source, key->name, is_silent ? CRYPT_SILENT : 0,
                            &container);
    key->handle = container;
    if (status == 0
        && (status = read_public(ctx, container, &key->public)) != 0)
        close_key(key);
    return status;
}

static DWORD open_key(struct mesh_context *ctx,
                      const struct mesh_source *source,
                      const struct mesh_key_name *name, int is_silent,
                      struct mesh_source_key *key)
{
    mesh_source_name(name->udf, key->name);
    return open_name(ctx, source, is_silent, key);
}

static DWORD destroy_key(struct mesh_source_key *key, int is_silent)
{
    HCRYPTPROV none;

    close_key(key);
    return open_container(key->source, key->name,
                          CRYPT_DELETEKEYSET | (is_silent ? CRYPT_SILENT : 0),
                          &none);
}

/* The names of containers are octets; ours are ASCII. */
static int take_name(const char *from, wchar_t name[MESH_KEY_NAME_MAX])
{
    wchar_t wide[MESH_KEY_NAME_MAX] = L"";
    size_t i;

    for (i = 0; i < MESH_KEY_NAME_MAX - 1 && from[i] != '\0'; i++)
        wide[i] = (unsigned char)from[i];
    return from[i] == '\0' && mesh_source_take_name(wide, name);
}

static int list_keys(struct mesh_context *ctx, const struct mesh_source *source,
                     mesh_source_visit_fn *visit, void *arg)
{
    char container[MAX_PATH + 1];
    struct mesh_source_key key;
    HCRYPTPROV all;
    DWORD len, flags = CRYPT_FIRST;
    DWORD status =
        open_container(source, NULL, CRYPT_VERIFYCONTEXT | CRYPT_SILENT, &all);
    int ok = 1;

    if (status != 0)
        return mesh_status_raise(ctx, status, "list keys", source->label);
    for (; ok; flags = CRYPT_NEXT) {
        len = sizeof(container);
        status = status_of(CryptGetProvParam(all, PP_ENUMCONTAINERS,
                                             (BYTE *)container, &len, flags));
        if (status == ERROR_MORE_DATA)
            continue; /* a name too long for ours */
        if (status != 0)
            break;
        if (!take_name(container, key.name))
            continue;
        status = open_name(ctx, source, 1, &key);
        if (status != 0) {
            mesh_trace(ctx, "%s: container \"%s\" left out, status 0x%08lx",
                       source->label, container, (unsigned long)status);
            continue;
        }
        ok = visit(ctx, &key, arg);
        close_key(&key);
    }
    CryptReleaseContext(all, 0);
    return ok
           && (status == ERROR_NO_MORE_ITEMS
               || mesh_status_raise(ctx, status, "list keys", source->label));
}

/* Signs a digest; flags may leave its DigestInfo out. */
static DWORD sign_hash(HCRYPTPROV container, ALG_ID algorithm,
                       const unsigned char *value, DWORD flags,
                       unsigned char *signature, DWORD *len)
{
    HCRYPTHASH hash;
    DWORD status =
        status_of(CryptCreateHash(container, algorithm, 0, 0, &hash));

    if (status != 0)
        return status;
    status = status_of(CryptSetHashParam(hash, HP_HASHVAL, value, 0));
    if (status == 0)
        status = status_of(
            CryptSignHashW(hash, AT_KEYEXCHANGE, NULL, flags, signature, len));
    CryptDestroyHash(hash);
    return status;
}

/*
 * CryptoAPI signs digests that it knows.  Input without a digest is one of the
 * length of one, or a DigestInfo, as a caller of libcrypto may have made it.
 */
static int run_sign_pkcs1(const struct mesh_source_use *use,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    struct mesh_digest digest = use->digest;
    unsigned char signature[MESH_RSA_MAX];
    DWORD len = sizeof(signature), flags = 0, status;

    if (!use->has_digest && !mesh_digest_unwrap(in, in_len, &digest, &in)) {
        digest = mesh_digest_of_size(in_len);
        flags = digest.plain ? 0 : CRYPT_NOHASHOID;
    }
    if (digest.legacy == 0)
        return mesh_source_refuse(
            use, use->has_digest
                     ? "CryptoAPI does not have the digest"
                     : "without a digest it signs 16, 20, 32, 36, 48 or 64 "
                       "octets, or a DigestInfo");
    status =
        sign_hash(use->key->handle, digest.legacy, in, flags, signature, &len);
    if (status != 0)
        return mesh_source_failed(use, status);
    mesh_source_reverse(signature, len);
    return mesh_source_give(use, signature, len, out, out_len);
}

/* block: the ciphertext, and then the message. */
static DWORD decrypt(const struct mesh_source_use *use, DWORD flags,
                     const unsigned char *in, size_t in_len,
                     unsigned char block[MESH_RSA_MAX], DWORD *len)
{
    HCRYPTKEY key;
    DWORD status;

    memset(block, 0, MESH_RSA_MAX);
    *len = (DWORD)use->size;
    if (in_len > use->size || use->size > MESH_RSA_MAX)
        return (DWORD)NTE_BAD_LEN;
    memcpy(block + use->size - in_len, in, in_len);
    mesh_source_reverse(block, use->size);
    status = status_of(CryptGetUserKey(use->key->handle, AT_KEYEXCHANGE, &key));
    if (status != 0)
        return status;
    status = status_of(CryptDecrypt(key, 0, TRUE, flags, block, len));
    CryptDestroyKey(key);
    return status;
}

static int run_decrypt(const struct mesh_source_use *use,
                       const unsigned char *in, size_t in_len,
                       unsigned char *out, size_t *out_len)
{
    unsigned char block[MESH_RSA_MAX];
    int is_oaep = use->op->padding == MESH_PAD_OAEP, ok;
    struct mesh_digest digest = {.legacy = CALG_SHA1};
    DWORD len, status;

    if (is_oaep
        && (!mesh_digest_find(
                use->ctx, use->has_digest ? use->op->digest : "SHA1", &digest)
            || !mesh_source_check_mgf1(use, &digest)))
        return 0;
    if (digest.legacy != CALG_SHA1 || use->op->label_len != 0)
        return mesh_source_refuse(
            use, "CryptoAPI has OAEP with SHA1 and without a label alone");
    status = decrypt(use, is_oaep ? CRYPT_OAEP : 0, in, in_len, block, &len);
    ok = status == 0 ? mesh_source_give(use, block, len, out, out_len)
                     : mesh_source_failed(use, status);
    OPENSSL_cleanse(block, sizeof(block));
    return ok;
}

/* CryptoAPI tells whether the padding was right; what comes of it does not. */
static int run_decrypt_tls(const struct mesh_source_use *use,
                           const unsigned char *in, size_t in_len,
                           unsigned char *out, size_t *out_len)
{
    unsigned char block[MESH_RSA_MAX], secret[MESH_TLS_SECRET];
    DWORD len, status = decrypt(use, 0, in, in_len, block, &len);
    int ok =
        status == 0 || (mesh_status_kind(status) & MESH_STATUS_DATA) != 0
            ? mesh_pkcs1_tls_message(use->ctx, status == 0, block, len,
                                     use->op->tls_client_version,
                                     use->op->tls_negotiated_version, secret)
            : mesh_source_failed(use, status);

    ok = ok && mesh_source_give(use, secret, sizeof(secret), out, out_len);
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(block, sizeof(block));
    return ok;
}

static int run_refuse(const struct mesh_source_use *use,
                      const unsigned char *in, size_t in_len,
                      unsigned char *out, size_t *out_len)
{
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    return mesh_source_refuse(
        use, "CryptoAPI has PKCS#1 signatures, and decryption of PKCS#1 and "
             "OAEP; move the key to CNG with meshctl import, if you have it");
}

static const struct mesh_source_method methods[] = {
    {MESH_OP_SIGN, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_sign_pkcs1},
    {MESH_OP_SIGN, MESH_PAD_PSS, MESH_FAMILY_RSA, run_refuse},
    {MESH_OP_SIGN, MESH_PAD_NONE, MESH_FAMILY_RSA, run_refuse},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_decrypt},
    {MESH_OP_DECRYPT, MESH_PAD_OAEP, MESH_FAMILY_RSA, run_decrypt},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, MESH_FAMILY_RSA, run_decrypt_tls},
    {MESH_OP_DECRYPT, MESH_PAD_NONE, MESH_FAMILY_RSA, run_refuse},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, MESH_FAMILY_RSA, run_refuse},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, 0, NULL},
};

static int operate(struct mesh_context *ctx, const struct mesh_source_key *key,
                   const struct mesh_private_op *op, int is_silent,
                   const unsigned char *in, size_t in_len, unsigned char *out,
                   size_t *out_len)
{
    return mesh_source_operate(ctx, methods, key, op, is_silent, in, in_len,
                               out, out_len);
}

const struct mesh_source mesh_source_legacy = {
    "cryptoapi",
    "container of CryptoAPI",
    MS_ENH_RSA_AES_PROV_W,
    open_key,
    close_key,
    operate,
    destroy_key,
    list_keys,
    NULL,
    NULL,
};
