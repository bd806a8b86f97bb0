/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * New keys in CNG, which never leave it again.
 */
#include "platform/windows/blob.h"
#include "platform/windows/cng.h"
#include "platform/windows/status.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* Gives an unfinished key what it is to be for ever; bits 0: the algorithm says
 * it.  Nothing of it can be exported but the public half. */
static DWORD set_properties(NCRYPT_KEY_HANDLE key, DWORD bits)
{
    struct {
        const wchar_t *name;
        DWORD value;
    } properties[] = {
        {NCRYPT_LENGTH_PROPERTY, bits},
        {NCRYPT_EXPORT_POLICY_PROPERTY, 0},
        {NCRYPT_KEY_USAGE_PROPERTY, NCRYPT_ALLOW_ALL_USAGES},
    };
    DWORD status = 0;

    for (size_t i = bits != 0 ? 0 : 1; status == 0 && i < 3; i++)
        status = (DWORD)NCryptSetProperty(
            key, properties[i].name, (PBYTE)&properties[i].value,
            sizeof(properties[i].value), NCRYPT_SILENT_FLAG);
    return status;
}

static DWORD finish(NCRYPT_KEY_HANDLE key, DWORD bits, int is_silent)
{
    DWORD status = set_properties(key, bits);

    return status != 0 ? status
                       : (DWORD)NCryptFinalizeKey(
                           key, is_silent ? NCRYPT_SILENT_FLAG : 0);
}

static int random_name(struct mesh_context *ctx,
                       wchar_t name[MESH_KEY_NAME_MAX])
{
    static const wchar_t digits[] = L"0123456789abcdef";
    unsigned char octets[16];
    wchar_t *to = name + wcslen(MESH_MADE_PREFIX);

    if (RAND_bytes_ex(ctx->libctx, octets, sizeof(octets), 0) != 1)
        return mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
    memcpy(name, MESH_MADE_PREFIX, sizeof(MESH_MADE_PREFIX));
    for (size_t i = 0; i < sizeof(octets); i++) {
        *to++ = digits[octets[i] >> 4];
        *to++ = digits[octets[i] & 15];
    }
    *to = L'\0';
    return 1;
}

/* Windows's name of an algorithm, or NULL.  Of its EC keys those for agreement
 * sign as well; those for signing cannot agree. */
static const wchar_t *algorithm_name(const struct mesh_algorithm *algorithm)
{
    const struct mesh_curve *curve =
        algorithm->group != NULL ? mesh_curve_find(algorithm->group) : NULL;

    if (algorithm->family == MESH_FAMILY_RSA)
        return BCRYPT_RSA_ALGORITHM;
    return curve != NULL ? curve->algorithm : NULL;
}

static DWORD make(struct mesh_context *ctx, NCRYPT_PROV_HANDLE provider,
                  const wchar_t *name, const wchar_t *algorithm, DWORD bits,
                  int is_silent, EVP_PKEY **public)
{
    NCRYPT_KEY_HANDLE key = 0;
    DWORD status =
        (DWORD)NCryptCreatePersistedKey(provider, &key, algorithm, name, 0, 0);

    if (status != 0)
        return status;
    status = finish(key, bits, is_silent);
    if (status == 0 && (status = mesh_cng_public(ctx, key, public)) != 0
        && NCryptDeleteKey(key, 0) == 0)
        return status; /* with its handle */
    NCryptFreeObject(key);
    return status;
}

int mesh_cng_generate(struct mesh_context *ctx,
                      const struct mesh_source *source,
                      const struct mesh_algorithm *algorithm, int is_silent,
                      EVP_PKEY **public)
{
    const wchar_t *wanted = algorithm_name(algorithm);
    wchar_t name[MESH_KEY_NAME_MAX];
    NCRYPT_PROV_HANDLE provider;
    DWORD status;

    if (wanted == NULL)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "%s is not available in the Windows key store",
                          algorithm->name);
    if (!random_name(ctx, name))
        return 0;
    status = mesh_cng_provider(source, &provider);
    if (status == 0) {
        status = make(ctx, provider, name, wanted, algorithm->bits, is_silent,
                      public);
        NCryptFreeObject(provider);
    }
    return status == 0
           || mesh_status_raise(ctx, status, "make a key", source->label);
}

/* The blob is cleansed by the caller. */
static DWORD put(NCRYPT_PROV_HANDLE provider, wchar_t *name,
                 const wchar_t *type, unsigned char *blob, size_t len,
                 int is_silent)
{
    NCryptBuffer buffer = {(ULONG)((wcslen(name) + 1) * sizeof(*name)),
                           NCRYPTBUFFER_PKCS_KEY_NAME, name};
    NCryptBufferDesc parameters = {NCRYPTBUFFER_VERSION, 1, &buffer};
    NCRYPT_KEY_HANDLE key = 0;
    DWORD status = (DWORD)NCryptImportKey(
        provider, 0, type, &parameters, &key, blob, (DWORD)len,
        NCRYPT_DO_NOT_FINALIZE_FLAG | (is_silent ? NCRYPT_SILENT_FLAG : 0));

    if (status == 0) {
        status = finish(key, 0, is_silent);
        NCryptFreeObject(key);
    }
    return status;
}

int mesh_cng_import(struct mesh_context *ctx, const struct mesh_source *source,
                    EVP_PKEY *private, const char *udf, int is_silent)
{
    wchar_t name[MESH_KEY_NAME_MAX];
    NCRYPT_PROV_HANDLE provider;
    unsigned char *blob;
    size_t len;
    const wchar_t *type = mesh_blob_write_private(private, &blob, &len);
    DWORD status;

    if (type == NULL)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "a key of type %.32s is not available in the Windows "
                          "key store",
                          mesh_algorithm_of(private));
    mesh_source_name(udf, name);
    status = mesh_cng_provider(source, &provider);
    if (status == 0) {
        status = put(provider, name, type, blob, len, is_silent);
        NCryptFreeObject(provider);
    }
    OPENSSL_clear_free(blob, len);
    return status == 0
           || mesh_status_raise(ctx, status, "import a key", source->label);
}
