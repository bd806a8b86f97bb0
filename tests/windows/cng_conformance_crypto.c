/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The conformance program's counting, and what it needs of libcrypto.
 */
#include "cng_conformance.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX 66

static const char text[] = "a text for nobody else";
static const char *provider_name = "";
static unsigned passed, failed;

void section(const char *provider)
{
    provider_name = provider;
}

static int count(int is_true, const char *what, const char *belief)
{
    if (is_true) {
        passed++;
        return 1;
    }
    failed++;
    printf("FAILED: %s: %s%s%s", provider_name, what, *what ? ": " : "",
           belief);
    return 0;
}

void expect_status_of(const char *what, const char *belief,
                      SECURITY_STATUS expected, SECURITY_STATUS came)
{
    if (!count(came == expected, what, belief))
        printf(": expected %08lx, came %08lx\n", (unsigned long)expected,
               (unsigned long)came);
}

void expect_status(const char *belief, SECURITY_STATUS expected,
                   SECURITY_STATUS came)
{
    expect_status_of("", belief, expected, came);
}

void expect_refused_of(const char *what, const char *belief,
                       SECURITY_STATUS came)
{
    if (!count(came != 0, what, belief))
        printf(": expected an error, came success\n");
}

void expect_refused(const char *belief, SECURITY_STATUS came)
{
    expect_refused_of("", belief, came);
}

void expect_true_of(const char *what, const char *belief, int is_true)
{
    if (!count(is_true, what, belief))
        printf(": expected so, came otherwise\n");
}

void expect_true(const char *belief, int is_true)
{
    expect_true_of("", belief, is_true);
}

void expect_text(NCRYPT_KEY_HANDLE key, const wchar_t *property,
                 const wchar_t *expected)
{
    wchar_t came[64] = L"";
    char belief[64];
    DWORD len = 0;
    SECURITY_STATUS status =
        NCryptGetProperty(key, property, (PBYTE)came, sizeof(came), &len, 0);

    snprintf(belief, sizeof(belief), "property '%ls'", property);
    if (!count(status == 0 && len == (wcslen(expected) + 1) * sizeof(*expected)
                   && wcscmp(came, expected) == 0,
               "", belief))
        printf(": expected '%ls', came %08lx '%ls'\n", expected,
               (unsigned long)status, came);
}

void expect_number(NCRYPT_KEY_HANDLE key, const wchar_t *property,
                   DWORD expected)
{
    DWORD came = 0, len = 0;
    char belief[64];
    SECURITY_STATUS status =
        NCryptGetProperty(key, property, (PBYTE)&came, sizeof(came), &len, 0);

    snprintf(belief, sizeof(belief), "property '%ls'", property);
    if (!count(status == 0 && len == sizeof(came) && came == expected, "",
               belief))
        printf(": expected %lu, came %08lx %lu\n", expected,
               (unsigned long)status, came);
}

int summary(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}

static EVP_PKEY *from_params(const char *keytype, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, keytype, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const BYTE *blob, DWORD len)
{
    BCRYPT_RSAKEY_BLOB head;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *e, *n;
    EVP_PKEY *key = NULL;

    memcpy(&head, blob, sizeof(head));
    e = BN_bin2bn(blob + sizeof(head), (int)head.cbPublicExp, NULL);
    n = BN_bin2bn(blob + sizeof(head) + head.cbPublicExp, (int)head.cbModulus,
                  NULL);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    if (head.Magic == BCRYPT_RSAPUBLIC_MAGIC
        && len == sizeof(head) + head.cbPublicExp + head.cbModulus)
        key = from_params("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    return key;
}

static EVP_PKEY *ecc_key(const BYTE *blob, DWORD len)
{
    BCRYPT_ECCKEY_BLOB head;
    BYTE point[1 + 2 * FIELD_MAX];
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    memcpy(&head, blob, sizeof(head));
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                    head.cbKey == 32   ? "P-256"
                                    : head.cbKey == 48 ? "P-384"
                                                       : "P-521",
                                    0);
    if (head.cbKey <= FIELD_MAX && len == sizeof(head) + 2 * head.cbKey) {
        point[0] = POINT_CONVERSION_UNCOMPRESSED;
        memcpy(point + 1, blob + sizeof(head), 2 * head.cbKey);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * head.cbKey);
        key = from_params("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return key;
}

EVP_PKEY *public_key(NCRYPT_KEY_HANDLE key, int is_rsa)
{
    BYTE blob[4096];
    DWORD len = 0;

    if (NCryptExportKey(key, 0,
                        is_rsa ? BCRYPT_RSAPUBLIC_BLOB : BCRYPT_ECCPUBLIC_BLOB,
                        NULL, blob, sizeof(blob), &len, 0)
            != 0
        || len < sizeof(BCRYPT_RSAKEY_BLOB))
        return NULL;
    return (is_rsa ? rsa_key : ecc_key)(blob, len);
}

DWORD ecc_blob(EVP_PKEY *key, int is_ecdsa, int is_private, BYTE *blob)
{
    static const ULONG magics[2][2][3] = {
        {{BCRYPT_ECDH_PUBLIC_P256_MAGIC, BCRYPT_ECDH_PUBLIC_P384_MAGIC,
          BCRYPT_ECDH_PUBLIC_P521_MAGIC},
         {BCRYPT_ECDH_PRIVATE_P256_MAGIC, BCRYPT_ECDH_PRIVATE_P384_MAGIC,
          BCRYPT_ECDH_PRIVATE_P521_MAGIC}},
        {{BCRYPT_ECDSA_PUBLIC_P256_MAGIC, BCRYPT_ECDSA_PUBLIC_P384_MAGIC,
          BCRYPT_ECDSA_PUBLIC_P521_MAGIC},
         {BCRYPT_ECDSA_PRIVATE_P256_MAGIC, BCRYPT_ECDSA_PRIVATE_P384_MAGIC,
          BCRYPT_ECDSA_PRIVATE_P521_MAGIC}}};
    BCRYPT_ECCKEY_BLOB head;
    BYTE point[1 + 2 * FIELD_MAX], *at = blob + sizeof(head);
    BIGNUM *d = NULL;
    size_t len = 0;

    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                    sizeof(point), &len);
    head.cbKey = (ULONG)(len - 1) / 2;
    head.dwMagic = magics[is_ecdsa][is_private][head.cbKey == 32   ? 0
                                                : head.cbKey == 48 ? 1
                                                                   : 2];
    memcpy(blob, &head, sizeof(head));
    memcpy(at, point + 1, len - 1);
    at += len - 1;
    if (is_private) {
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d);
        BN_bn2binpad(d, at, (int)head.cbKey);
        BN_clear_free(d);
        at += head.cbKey;
    }
    return (DWORD)(at - blob);
}

DWORD rsa_blob(EVP_PKEY *key, BYTE *blob)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_E,
                                        OSSL_PKEY_PARAM_RSA_N,
                                        OSSL_PKEY_PARAM_RSA_FACTOR1,
                                        OSSL_PKEY_PARAM_RSA_FACTOR2,
                                        OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                        OSSL_PKEY_PARAM_RSA_EXPONENT2,
                                        OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                        OSSL_PKEY_PARAM_RSA_D};
    int octets = EVP_PKEY_get_bits(key) / 8, i;
    int sizes[] = {3,          octets,     octets / 2, octets / 2,
                   octets / 2, octets / 2, octets / 2, octets};
    BCRYPT_RSAKEY_BLOB head;
    BYTE *at = blob + sizeof(head);

    head.Magic = BCRYPT_RSAFULLPRIVATE_MAGIC;
    head.BitLength = (ULONG)octets * 8;
    head.cbPublicExp = 3; /* 65537 */
    head.cbModulus = (ULONG)octets;
    head.cbPrime1 = head.cbPrime2 = (ULONG)octets / 2;
    memcpy(blob, &head, sizeof(head));
    for (i = 0; i < 8; at += sizes[i], i++) {
        BIGNUM *number = NULL;

        EVP_PKEY_get_bn_param(key, names[i], &number);
        BN_bn2binpad(number, at, sizes[i]);
        BN_clear_free(number);
    }
    return (DWORD)(at - blob);
}

DWORD pkcs8_blob(EVP_PKEY *key, BYTE *blob)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &blob);

    PKCS8_PRIV_KEY_INFO_free(info);
    return (DWORD)len;
}

int is_signature(EVP_PKEY *key, int padding, const char *digest, int salt,
                 const BYTE *hash, DWORD len, const BYTE *signature,
                 DWORD signature_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    int ok =
        EVP_PKEY_verify_init(ctx) == 1
        && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1
        && (digest == NULL
            || EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(digest))
                   == 1)
        && (padding != RSA_PKCS1_PSS_PADDING
            || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1)
        && EVP_PKEY_verify(ctx, signature, signature_len, hash, len) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int is_ecdsa(EVP_PKEY *key, const BYTE *hash, DWORD len, const BYTE *signature,
             DWORD signature_len)
{
    int half = (int)signature_len / 2, der_len, ok;
    ECDSA_SIG *parsed = ECDSA_SIG_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char *der = NULL;

    ECDSA_SIG_set0(parsed, BN_bin2bn(signature, half, NULL),
                   BN_bin2bn(signature + half, half, NULL));
    der_len = i2d_ECDSA_SIG(parsed, &der);
    ok = der_len > 0 && EVP_PKEY_verify_init(ctx) == 1
         && EVP_PKEY_verify(ctx, der, (size_t)der_len, hash, len) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(parsed);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

void encrypt(EVP_PKEY *key, int padding, const char *digest, const BYTE *label,
             DWORD label_len, BYTE *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = (size_t)EVP_PKEY_get_size(key);
    int ok = EVP_PKEY_encrypt_init(ctx) == 1
             && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1;

    if (ok && digest != NULL) {
        const EVP_MD *md = EVP_get_digestbyname(digest);

        ok = EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1
             && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
    }
    if (ok && label != NULL)
        ok = EVP_PKEY_CTX_set0_rsa_oaep_label(
                 ctx, OPENSSL_memdup(label, label_len), (int)label_len)
             == 1;
    ok = ok
         && EVP_PKEY_encrypt(ctx, out, &len, (const BYTE *)text, sizeof(text))
                == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        memset(out, 0, (size_t)EVP_PKEY_get_size(key));
}

int is_text(const BYTE *data, DWORD len)
{
    return len == sizeof(text) && memcmp(data, text, sizeof(text)) == 0;
}

int is_raw(EVP_PKEY *key, const BYTE *plain, const BYTE *in)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    BYTE out[512];
    size_t len = sizeof(out), size = (size_t)EVP_PKEY_get_size(key);
    int ok = EVP_PKEY_encrypt_init(ctx) == 1
             && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1
             && EVP_PKEY_encrypt(ctx, out, &len, plain, size) == 1
             && len == size && memcmp(out, in, size) == 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int is_secret(EVP_PKEY *mine, EVP_PKEY *theirs, const BYTE *raw, DWORD len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
    BYTE secret[FIELD_MAX];
    size_t i, secret_len = sizeof(secret);
    int ok = EVP_PKEY_derive_init(ctx) == 1
             && EVP_PKEY_derive_set_peer(ctx, theirs) == 1
             && EVP_PKEY_derive(ctx, secret, &secret_len) == 1
             && secret_len == len;

    for (i = 0; ok && i < secret_len; i++)
        ok = secret[i] == raw[secret_len - 1 - i];
    EVP_PKEY_CTX_free(ctx);
    return ok;
}
