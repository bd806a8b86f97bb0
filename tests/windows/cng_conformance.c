/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What we believe of CNG, each thing with a name, tried: the same program for
 * the test double under Wine and for a real Windows.  Prints what is otherwise,
 * and "N passed, N failed".  The keys that it makes are named
 * mesh-conformance-…, for the user alone, and removed again.
 *
 * Signatures, ciphertexts and secrets are checked by libcrypto.
 */
#include "cng_conformance.h"

#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_RSA L"mesh-conformance-rsa"

#define RSA_BITS    2048
#define RSA_OCTETS  (RSA_BITS / 8)
#define SALT_MAX    (RSA_OCTETS - 32 - 2) /* with SHA-256 */
#define TPM_BADSALT ((SECURITY_STATUS)0x40290423)

static const struct {
    const wchar_t *cng;
    const char *openssl;
    DWORD len;
} digests[] = {
    {BCRYPT_SHA1_ALGORITHM, "SHA1", 20},
    {BCRYPT_SHA256_ALGORITHM, "SHA256", 32},
    {BCRYPT_SHA384_ALGORITHM, "SHA384", 48},
    {BCRYPT_SHA512_ALGORITHM, "SHA512", 64},
};

static void try_provider(NCRYPT_PROV_HANDLE provider, int is_tpm)
{
    DWORD type = 0, len = 0;
    NCRYPT_PROV_HANDLE none = 0;
    NCRYPT_KEY_HANDLE key = 0;

    expect_status("provider: the kind of its implementation is known", 0,
                  NCryptGetProperty(provider, NCRYPT_IMPL_TYPE_PROPERTY,
                                    (PBYTE)&type, sizeof(type), &len, 0));
    expect_true("provider: hardware or software, as its name says",
                (type & NCRYPT_IMPL_HARDWARE_FLAG) == 0 ? !is_tpm : is_tpm);
    expect_refused("provider: a name that nobody has",
                   NCryptOpenStorageProvider(&none, L"No Such Provider", 0));
    expect_status("open: a key that is not there", NTE_BAD_KEYSET,
                  NCryptOpenKey(provider, &key, L"mesh-conformance-none", 0,
                                NCRYPT_SILENT_FLAG));
    expect_status("open: flags that mean nothing", NTE_BAD_FLAGS,
                  NCryptOpenKey(provider, &key, NAME_RSA, 0, 0x8000));
    expect_status("open: no name", NTE_INVALID_PARAMETER,
                  NCryptOpenKey(provider, &key, NULL, 0, 0));
    expect_status("open: no provider", NTE_INVALID_HANDLE,
                  NCryptOpenKey(0, &key, NAME_RSA, 0, 0));
    expect_status("free: no handle", NTE_INVALID_HANDLE, NCryptFreeObject(0));
}

static void try_refused_exports(NCRYPT_KEY_HANDLE key, const char *what,
                                int is_rsa)
{
    static const wchar_t *const rsa[] = {BCRYPT_RSAFULLPRIVATE_BLOB,
                                         BCRYPT_RSAPRIVATE_BLOB};
    BYTE blob[4096];
    DWORD len = 0;

    expect_status_of(what, "the private half does not leave as PKCS#8",
                     NTE_NOT_SUPPORTED,
                     NCryptExportKey(key, 0, NCRYPT_PKCS8_PRIVATE_KEY_BLOB,
                                     NULL, blob, sizeof(blob), &len, 0));
    if (is_rsa) {
        expect_status_of(
            what, "the private half does not leave whole", NTE_NOT_SUPPORTED,
            NCryptExportKey(key, 0, rsa[0], NULL, blob, sizeof(blob), &len, 0));
        expect_status_of(
            what, "the private half does not leave as primes",
            NTE_NOT_SUPPORTED,
            NCryptExportKey(key, 0, rsa[1], NULL, blob, sizeof(blob), &len, 0));
    } else {
        expect_status_of(what, "the private half does not leave as a number",
                         NTE_NOT_SUPPORTED,
                         NCryptExportKey(key, 0, BCRYPT_ECCPRIVATE_BLOB, NULL,
                                         blob, sizeof(blob), &len, 0));
    }
}

static void try_pkcs1(NCRYPT_KEY_HANDLE key, EVP_PKEY *public)
{
    BYTE hash[64], signature[RSA_OCTETS];
    BCRYPT_PKCS1_PADDING_INFO info;
    DWORD len, i;
    char what[80];

    memset(hash, 0xA5, sizeof(hash));
    for (i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
        snprintf(what, sizeof(what), "RSA PKCS#1 %s: signature",
                 digests[i].openssl);
        info.pszAlgId = digests[i].cng;
        len = 0;
        expect_status(
            what, 0,
            NCryptSignHash(key, &info, hash, digests[i].len, signature,
                           sizeof(signature), &len,
                           NCRYPT_PAD_PKCS1_FLAG | NCRYPT_SILENT_FLAG));
        expect_true_of(what, "libcrypto agrees",
                       is_signature(public, RSA_PKCS1_PADDING,
                                    digests[i].openssl, 0, hash, digests[i].len,
                                    signature, len));
    }
    info.pszAlgId = NULL;
    expect_status("RSA PKCS#1 of octets as they are: signature", 0,
                  NCryptSignHash(key, &info, hash, 36, signature,
                                 sizeof(signature), &len,
                                 NCRYPT_PAD_PKCS1_FLAG));
    expect_true("RSA PKCS#1 of octets as they are: libcrypto agrees",
                is_signature(public, RSA_PKCS1_PADDING, NULL, 0, hash, 36,
                             signature, len));
    info.pszAlgId = BCRYPT_SHA256_ALGORITHM;
    expect_refused("RSA PKCS#1: a hash of another length",
                   NCryptSignHash(key, &info, hash, 31, signature,
                                  sizeof(signature), &len,
                                  NCRYPT_PAD_PKCS1_FLAG));
    expect_refused("RSA: a signature without padding",
                   NCryptSignHash(key, &info, hash, 32, signature,
                                  sizeof(signature), &len, 0));
    len = 0;
    expect_status("RSA: the length of a signature is known", 0,
                  NCryptSignHash(key, &info, hash, 32, NULL, 0, &len,
                                 NCRYPT_PAD_PKCS1_FLAG));
    expect_true("RSA: a signature is as long as the modulus",
                len == RSA_OCTETS);
    expect_status("RSA: a buffer too small", NTE_BUFFER_TOO_SMALL,
                  NCryptSignHash(key, &info, hash, 32, signature,
                                 RSA_OCTETS - 1, &len, NCRYPT_PAD_PKCS1_FLAG));
}

static void try_pss(NCRYPT_KEY_HANDLE key, EVP_PKEY *public, int is_tpm)
{
    static const DWORD salts[] = {32, 0, 20, SALT_MAX};
    BYTE hash[32], signature[RSA_OCTETS];
    BCRYPT_PSS_PADDING_INFO info;
    SECURITY_STATUS status;
    char what[80];
    DWORD len, i;

    memset(hash, 0x5A, sizeof(hash));
    info.pszAlgId = BCRYPT_SHA256_ALGORITHM;
    for (i = 0; i < sizeof(salts) / sizeof(*salts); i++) {
        snprintf(what, sizeof(what), "RSA PSS, salt of %lu octets: signature",
                 salts[i]);
        info.cbSalt = salts[i];
        len = 0;
        status = NCryptSignHash(key, &info, hash, 32, signature,
                                sizeof(signature), &len, NCRYPT_PAD_PSS_FLAG);
        if (is_tpm && salts[i] != 32) {
            expect_status(what, TPM_BADSALT, status);
            continue;
        }
        expect_status(what, 0, status);
        expect_true_of(what, "libcrypto agrees",
                       is_signature(public, RSA_PKCS1_PSS_PADDING, "SHA256",
                                    (int)salts[i], hash, 32, signature, len));
    }
    info.cbSalt = SALT_MAX + 1;
    expect_refused("RSA PSS: a salt that has no room",
                   NCryptSignHash(key, &info, hash, 32, signature,
                                  sizeof(signature), &len,
                                  NCRYPT_PAD_PSS_FLAG));
}

static void try_oaep(NCRYPT_KEY_HANDLE key, EVP_PKEY *public)
{
    static BYTE label[] = "label";
    BYTE in[RSA_OCTETS], out[RSA_OCTETS];
    BCRYPT_OAEP_PADDING_INFO info;
    char what[80];
    DWORD len, i;

    for (i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
        snprintf(what, sizeof(what), "RSA OAEP %s: decrypted",
                 digests[i].openssl);
        info.pszAlgId = (LPCWSTR)digests[i].cng;
        info.pbLabel = i == 1 ? label : NULL;
        info.cbLabel = i == 1 ? sizeof(label) - 1 : 0;
        encrypt(public, RSA_PKCS1_OAEP_PADDING, digests[i].openssl,
                info.pbLabel, info.cbLabel, in);
        len = 0;
        expect_status(what, 0,
                      NCryptDecrypt(key, in, sizeof(in), &info, out,
                                    sizeof(out), &len,
                                    NCRYPT_PAD_OAEP_FLAG | NCRYPT_SILENT_FLAG));
        expect_true_of(what, "it is the text", is_text(out, len));
        in[RSA_OCTETS - 1] ^= 1;
        expect_refused_of(what, "another ciphertext is refused",
                          NCryptDecrypt(key, in, sizeof(in), &info, out,
                                        sizeof(out), &len,
                                        NCRYPT_PAD_OAEP_FLAG));
    }
}

static void try_decrypt(NCRYPT_KEY_HANDLE key, EVP_PKEY *public, int is_tpm)
{
    BYTE in[RSA_OCTETS], out[RSA_OCTETS];
    SECURITY_STATUS status;
    DWORD len = 0;

    encrypt(public, RSA_PKCS1_PADDING, NULL, NULL, 0, in);
    expect_status("RSA PKCS#1: decrypted", 0,
                  NCryptDecrypt(key, in, sizeof(in), NULL, out, sizeof(out),
                                &len, NCRYPT_PAD_PKCS1_FLAG));
    expect_true("RSA PKCS#1: it is the text", is_text(out, len));
    expect_status("RSA PKCS#1: a buffer too small for the text",
                  NTE_BUFFER_TOO_SMALL,
                  NCryptDecrypt(key, in, sizeof(in), NULL, out, 1, &len,
                                NCRYPT_PAD_PKCS1_FLAG));
    in[0] ^= 1;
    status = NCryptDecrypt(key, in, sizeof(in), NULL, out, sizeof(out), &len,
                           NCRYPT_PAD_PKCS1_FLAG);
    expect_true("RSA PKCS#1: another ciphertext is not the text",
                status != 0 || !is_text(out, len));
    memset(in, 0x11, sizeof(in)); /* less than the modulus */
    status = NCryptDecrypt(key, in, sizeof(in), NULL, out, sizeof(out), &len,
                           NCRYPT_NO_PADDING_FLAG);
    if (is_tpm) /* some do, some do not */
        expect_true("RSA without padding: decrypted, or not supported",
                    status == 0 || status == NTE_NOT_SUPPORTED);
    else
        expect_status("RSA without padding: decrypted", 0, status);
    if (status == 0)
        expect_true("RSA without padding: encrypted again it is as before",
                    len == sizeof(out) && is_raw(public, out, in));
}

static void try_rsa(NCRYPT_PROV_HANDLE provider, int is_tpm)
{
    NCRYPT_KEY_HANDLE key = 0, again = 0;
    BCRYPT_PKCS1_PADDING_INFO info = {BCRYPT_SHA256_ALGORITHM};
    DWORD bits = RSA_BITS, len;
    BYTE hash[32] = {0}, signature[RSA_OCTETS];
    EVP_PKEY *public;

    expect_status("create: RSA", 0,
                  NCryptCreatePersistedKey(provider, &key, BCRYPT_RSA_ALGORITHM,
                                           NAME_RSA, 0, 0));
    expect_status("create: the length is set", 0,
                  NCryptSetProperty(key, NCRYPT_LENGTH_PROPERTY, (PBYTE)&bits,
                                    sizeof(bits), 0));
    expect_refused("create: no signature before it is final",
                   NCryptSignHash(key, &info, hash, sizeof(hash), signature,
                                  sizeof(signature), &len,
                                  NCRYPT_PAD_PKCS1_FLAG));
    expect_status("create: it is made final", 0,
                  NCryptFinalizeKey(key, NCRYPT_SILENT_FLAG));
    NCryptFreeObject(key);
    key = 0;
    expect_status("create: the name is taken", NTE_EXISTS,
                  NCryptCreatePersistedKey(
                      provider, &again, BCRYPT_RSA_ALGORITHM, NAME_RSA, 0, 0));
    expect_status(
        "open: RSA", 0,
        NCryptOpenKey(provider, &key, NAME_RSA, 0, NCRYPT_SILENT_FLAG));
    expect_text(key, NCRYPT_NAME_PROPERTY, NAME_RSA);
    expect_text(key, NCRYPT_ALGORITHM_PROPERTY, L"RSA");
    expect_text(key, NCRYPT_ALGORITHM_GROUP_PROPERTY, L"RSA");
    expect_number(key, NCRYPT_LENGTH_PROPERTY, RSA_BITS);
    expect_number(key, NCRYPT_EXPORT_POLICY_PROPERTY, 0);
    public = public_key(key, 1);
    expect_true("RSA: the public half is a key for libcrypto",
                public != NULL && EVP_PKEY_get_bits(public) == RSA_BITS);
    if (public != NULL) {
        try_pkcs1(key, public);
        try_pss(key, public, is_tpm);
        try_oaep(key, public);
        try_decrypt(key, public, is_tpm);
    }
    try_refused_exports(key, "RSA", 1);
    EVP_PKEY_free(public);
    NCryptFreeObject(key);
}

static const struct curve {
    const wchar_t *name, *ecdsa, *ecdh;
    const char *group;
    DWORD octets, bits;
    int is_in_tpm;
} curves[] = {
    {L"mesh-conformance-p256", BCRYPT_ECDSA_P256_ALGORITHM,
     BCRYPT_ECDH_P256_ALGORITHM, "P-256", 32, 256, 1},
    {L"mesh-conformance-p384", BCRYPT_ECDSA_P384_ALGORITHM,
     BCRYPT_ECDH_P384_ALGORITHM, "P-384", 48, 384, 0},
    {L"mesh-conformance-p521", BCRYPT_ECDSA_P521_ALGORITHM,
     BCRYPT_ECDH_P521_ALGORITHM, "P-521", 66, 521, 0},
};

static NCRYPT_KEY_HANDLE make(NCRYPT_PROV_HANDLE provider,
                              const wchar_t *algorithm, const wchar_t *name)
{
    NCRYPT_KEY_HANDLE key = 0;

    if (NCryptCreatePersistedKey(provider, &key, algorithm, name, 0,
                                 NCRYPT_OVERWRITE_KEY_FLAG)
            == 0
        && NCryptFinalizeKey(key, NCRYPT_SILENT_FLAG) == 0)
        return key;
    NCryptFreeObject(key);
    return 0;
}

/* A signature of r and s, each as long as the field. */
static void try_ecdsa_signature(NCRYPT_KEY_HANDLE key, EVP_PKEY *public,
                                const struct curve *curve, const char *what)
{
    BYTE hash[32], signature[2 * 66];
    DWORD len = 0;

    memset(hash, 0xC3, sizeof(hash));
    expect_status_of(what, "signature", 0,
                     NCryptSignHash(key, NULL, hash, sizeof(hash), signature,
                                    sizeof(signature), &len,
                                    NCRYPT_SILENT_FLAG));
    expect_true_of(what, "its halves are as long as the field",
                   len == 2 * curve->octets);
    expect_true_of(what, "libcrypto agrees",
                   is_ecdsa(public, hash, sizeof(hash), signature, len));
}

static void try_ecdsa(NCRYPT_PROV_HANDLE provider, const struct curve *curve)
{
    NCRYPT_KEY_HANDLE key = make(provider, curve->ecdsa, curve->name);
    EVP_PKEY *public = key != 0 ? public_key(key, 0) : NULL;
    NCRYPT_SECRET_HANDLE secret = 0;
    char what[40];

    snprintf(what, sizeof(what), "ECDSA %s", curve->group);
    expect_true_of(what, "is made, and its public half is a key for libcrypto",
                   public != NULL);
    if (public != NULL) {
        expect_text(key, NCRYPT_ALGORITHM_GROUP_PROPERTY, L"ECDSA");
        expect_text(key, NCRYPT_ALGORITHM_PROPERTY, curve->ecdsa);
        expect_number(key, NCRYPT_LENGTH_PROPERTY, curve->bits);
        try_ecdsa_signature(key, public, curve, what);
        try_refused_exports(key, what, 0);
        expect_refused_of(what, "agrees with nobody",
                          NCryptSecretAgreement(key, key, &secret, 0));
        expect_status_of(what, "deleted", 0, NCryptDeleteKey(key, 0));
        key = 0;
        expect_status_of(what, "is there no more", NTE_BAD_KEYSET,
                         NCryptOpenKey(provider, &key, curve->name, 0, 0));
    }
    EVP_PKEY_free(public);
}

static void try_secret(NCRYPT_KEY_HANDLE key, NCRYPT_KEY_HANDLE peer,
                       EVP_PKEY *public, EVP_PKEY *other,
                       const struct curve *curve, const char *what)
{
    NCRYPT_SECRET_HANDLE secret = 0;
    BYTE raw[66];
    DWORD len = 0;

    expect_status_of(what, "agreement", 0,
                     NCryptSecretAgreement(key, peer, &secret, 0));
    expect_status_of(
        what, "the raw secret's length is known", 0,
        NCryptDeriveKey(secret, BCRYPT_KDF_RAW_SECRET, NULL, NULL, 0, &len, 0));
    expect_true_of(what, "the raw secret is as long as the field",
                   len == curve->octets);
    expect_status_of(what, "the raw secret", 0,
                     NCryptDeriveKey(secret, BCRYPT_KDF_RAW_SECRET, NULL, raw,
                                     sizeof(raw), &len, 0));
    expect_true_of(what, "libcrypto has the same, in the other order",
                   is_secret(other, public, raw, len));
    NCryptFreeObject(secret);
}

static void try_ecdh(NCRYPT_PROV_HANDLE provider, const struct curve *curve)
{
    NCRYPT_KEY_HANDLE key = make(provider, curve->ecdh, curve->name), peer = 0;
    EVP_PKEY *public = key != 0 ? public_key(key, 0) : NULL;
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve->group);
    BYTE blob[256];
    DWORD len = ecc_blob(other, 0, 0, blob);
    char what[40];

    snprintf(what, sizeof(what), "ECDH %s", curve->group);
    expect_true_of(what, "is made, and its public half is a key for libcrypto",
                   public != NULL);
    if (public != NULL) {
        expect_text(key, NCRYPT_ALGORITHM_GROUP_PROPERTY, L"ECDH");
        try_refused_exports(key, what, 0);
        expect_status_of(what, "the other's public half", 0,
                         NCryptImportKey(provider, 0, BCRYPT_ECCPUBLIC_BLOB,
                                         NULL, &peer, blob, len, 0));
        try_secret(key, peer, public, other, curve, what);
        NCryptFreeObject(peer);
        /* Windows: one for agreement is for signatures too. */
        try_ecdsa_signature(key, public, curve, what);
        blob[len - 1] ^= 1;
        expect_refused_of(what, "a public half that is no point",
                          NCryptImportKey(provider, 0, BCRYPT_ECCPUBLIC_BLOB,
                                          NULL, &peer, blob, len, 0));
        expect_status_of(what, "deleted", 0, NCryptDeleteKey(key, 0));
    }
    EVP_PKEY_free(public);
    EVP_PKEY_free(other);
}

/* A blob as a property, before the key is final: works since Windows Vista. */
static void try_import(NCRYPT_PROV_HANDLE provider, const wchar_t *algorithm,
                       const wchar_t *type, EVP_PKEY *mine, BYTE *blob,
                       DWORD len, const char *what)
{
    NCRYPT_KEY_HANDLE key = 0;
    EVP_PKEY *public;
    int is_rsa = EVP_PKEY_is_a(mine, "RSA");

    expect_status_of(what, "created for it", 0,
                     NCryptCreatePersistedKey(provider, &key, algorithm,
                                              L"mesh-conformance-import", 0,
                                              0));
    expect_status_of(what, "given", 0,
                     NCryptSetProperty(key, type, blob, len, 0));
    expect_status_of(what, "made final", 0, NCryptFinalizeKey(key, 0));
    NCryptFreeObject(key);
    key = 0;
    expect_status_of(
        what, "opened", 0,
        NCryptOpenKey(provider, &key, L"mesh-conformance-import", 0, 0));
    public = key != 0 ? public_key(key, is_rsa) : NULL;
    expect_true_of(what, "it is that key",
                   public != NULL && EVP_PKEY_eq(public, mine) == 1);
    EVP_PKEY_free(public);
    expect_number(key, NCRYPT_EXPORT_POLICY_PROPERTY, 0);
    try_refused_exports(key, what, is_rsa);
    expect_status_of(what, "deleted", 0, NCryptDeleteKey(key, 0));
}

static void try_pkcs8(NCRYPT_PROV_HANDLE provider, EVP_PKEY *mine)
{
    static wchar_t name[] = L"mesh-conformance-import";
    BYTE blob[4096];
    DWORD len = pkcs8_blob(mine, blob);
    NCryptBuffer buffer = {sizeof(name), NCRYPTBUFFER_PKCS_KEY_NAME, name};
    NCryptBufferDesc named = {NCRYPTBUFFER_VERSION, 1, &buffer};
    NCRYPT_KEY_HANDLE key = 0, again = 0;

    expect_status("PKCS#8: imported with a name", 0,
                  NCryptImportKey(provider, 0, NCRYPT_PKCS8_PRIVATE_KEY_BLOB,
                                  &named, &key, blob, len,
                                  NCRYPT_DO_NOT_FINALIZE_FLAG));
    expect_status("PKCS#8: made final", 0, NCryptFinalizeKey(key, 0));
    expect_number(key, NCRYPT_EXPORT_POLICY_PROPERTY, 0);
    expect_text(key, NCRYPT_NAME_PROPERTY, name);
    expect_status("PKCS#8: the name is taken", NTE_EXISTS,
                  NCryptImportKey(provider, 0, NCRYPT_PKCS8_PRIVATE_KEY_BLOB,
                                  &named, &again, blob, len, 0));
    try_refused_exports(key, "PKCS#8", 1);
    expect_status("PKCS#8: deleted", 0, NCryptDeleteKey(key, 0));
    key = 0;
    blob[0] ^= 1;
    expect_refused("PKCS#8: what is none",
                   NCryptImportKey(provider, 0, NCRYPT_PKCS8_PRIVATE_KEY_BLOB,
                                   &named, &key, blob, len, 0));
}

static void try_imports(NCRYPT_PROV_HANDLE provider)
{
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    NCRYPT_KEY_HANDLE key = 0;
    BYTE blob[4096];
    DWORD len;

    len = rsa_blob(rsa, blob);
    try_import(provider, BCRYPT_RSA_ALGORITHM, BCRYPT_RSAFULLPRIVATE_BLOB, rsa,
               blob, len, "RSA import");
    blob[len - 1] ^= 1;
    NCryptCreatePersistedKey(provider, &key, BCRYPT_RSA_ALGORITHM,
                             L"mesh-conformance-import", 0, 0);
    expect_refused(
        "RSA import: a blob that is too short",
        NCryptSetProperty(key, BCRYPT_RSAFULLPRIVATE_BLOB, blob, len - 1, 0));
    NCryptFreeObject(key);
    try_import(provider, BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_ECCPRIVATE_BLOB,
               ec, blob, ecc_blob(ec, 1, 1, blob), "ECDSA import");
    try_import(provider, BCRYPT_ECDH_P256_ALGORITHM, BCRYPT_ECCPRIVATE_BLOB, ec,
               blob, ecc_blob(ec, 0, 1, blob), "ECDH import");
    try_pkcs8(provider, rsa);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

static void try_enum(NCRYPT_PROV_HANDLE provider)
{
    NCryptKeyName *found = NULL;
    PVOID state = NULL;
    int is_found = 0;
    SECURITY_STATUS status;

    while ((status = NCryptEnumKeys(provider, NULL, &found, &state,
                                    NCRYPT_SILENT_FLAG))
           == 0) {
        if (wcscmp(found->pszName, NAME_RSA) == 0)
            is_found = wcscmp(found->pszAlgid, L"RSA") == 0;
        NCryptFreeBuffer(found);
    }
    expect_status("enumerate: it has an end", NTE_NO_MORE_ITEMS, status);
    expect_true("enumerate: the key is there, with its algorithm", is_found);
    NCryptFreeBuffer(state);
}

/* What an interrupted run has left, or this one. */
static void clean(NCRYPT_PROV_HANDLE provider)
{
    static const wchar_t *const names[] = {
        NAME_RSA, L"mesh-conformance-import", L"mesh-conformance-p256",
        L"mesh-conformance-p384", L"mesh-conformance-p521"};
    NCRYPT_KEY_HANDLE key;
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (NCryptOpenKey(provider, &key, names[i], 0, NCRYPT_SILENT_FLAG) == 0
            && NCryptDeleteKey(key, NCRYPT_SILENT_FLAG) != 0)
            NCryptFreeObject(key);
}

static void try_all(NCRYPT_PROV_HANDLE provider, int is_tpm)
{
    size_t i;

    clean(provider);
    try_provider(provider, is_tpm);
    try_rsa(provider, is_tpm);
    for (i = 0; i < sizeof(curves) / sizeof(*curves); i++)
        if (!is_tpm || curves[i].is_in_tpm) {
            try_ecdsa(provider, &curves[i]);
            try_ecdh(provider, &curves[i]);
        }
    if (!is_tpm)
        try_imports(provider);
    try_enum(provider);
    clean(provider);
}

int main(void)
{
    NCRYPT_PROV_HANDLE provider = 0;
    SECURITY_STATUS status;

    section("software");
    status = NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0);
    expect_status("the software provider is there", 0, status);
    if (status == 0) {
        try_all(provider, 0);
        NCryptFreeObject(provider);
    }
    section("TPM");
    status = NCryptOpenStorageProvider(&provider,
                                       MS_PLATFORM_KEY_STORAGE_PROVIDER, 0);
    if (status != 0) {
        expect_status("no TPM says that no device is ready",
                      NTE_DEVICE_NOT_READY, status);
    } else {
        try_all(provider, 1);
        NCryptFreeObject(provider);
    }
    return summary();
}
