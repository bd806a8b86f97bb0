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

/* What a key is made of. */
struct making {
    const wchar_t *algorithm;
    DWORD bits;               /* 0: the algorithm or the blob says it */
    const wchar_t *blob_type; /* of a key that there is already, or NULL */
    unsigned char *blob;
    size_t blob_len;
};

/* Gives an unfinished key what it is to be for ever.  Nothing of it can be
 * exported but the public half. */
static DWORD set_properties(NCRYPT_KEY_HANDLE key, const struct making *making)
{
    DWORD bits = making->bits, policy = 0, usage = NCRYPT_ALLOW_ALL_USAGES;
    const struct {
        const wchar_t *name;
        void *value;
        size_t len;
    } properties[] = {
        {making->blob_type, making->blob, making->blob_len},
        {bits != 0 ? NCRYPT_LENGTH_PROPERTY : NULL, &bits, sizeof(bits)},
        {NCRYPT_EXPORT_POLICY_PROPERTY, &policy, sizeof(policy)},
        {NCRYPT_KEY_USAGE_PROPERTY, &usage, sizeof(usage)},
    };
    DWORD status = 0;

    for (size_t i = 0; status == 0 && i < 4; i++)
        if (properties[i].name != NULL)
            status = (DWORD)NCryptSetProperty(
                key, properties[i].name, properties[i].value,
                (DWORD)properties[i].len, NCRYPT_SILENT_FLAG);
    return status;
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

/* Nothing of it stays if it fails. */
static DWORD make_key(struct mesh_context *ctx, NCRYPT_PROV_HANDLE provider,
                      const wchar_t *name, const struct making *making,
                      int is_silent, EVP_PKEY **public)
{
    NCRYPT_KEY_HANDLE key = 0;
    DWORD status = (DWORD)NCryptCreatePersistedKey(
        provider, &key, making->algorithm, name, 0, 0);

    if (status != 0)
        return status;
    status = set_properties(key, making);
    if (status == 0)
        status =
            (DWORD)NCryptFinalizeKey(key, is_silent ? NCRYPT_SILENT_FLAG : 0);
    if (status == 0 && (status = mesh_cng_public(ctx, key, public)) != 0
        && NCryptDeleteKey(key, 0) == 0)
        return status; /* with its handle */
    NCryptFreeObject(key);
    return status;
}

static int make(struct mesh_context *ctx, const struct mesh_source *source,
                const wchar_t *name, const struct making *making, int is_silent,
                EVP_PKEY **public)
{
    NCRYPT_PROV_HANDLE provider;
    DWORD status = mesh_cng_provider(source, &provider);

    if (status == 0) {
        status = make_key(ctx, provider, name, making, is_silent, public);
        NCryptFreeObject(provider);
    }
    return status == 0
           || mesh_status_raise(ctx, status, "make a key", source->label);
}

int mesh_cng_generate(struct mesh_context *ctx,
                      const struct mesh_source *source,
                      const struct mesh_algorithm *algorithm, int is_silent,
                      EVP_PKEY **public)
{
    struct making making = {algorithm_name(algorithm), algorithm->bits, NULL,
                            NULL, 0};
    wchar_t name[MESH_KEY_NAME_MAX];

    if (making.algorithm == NULL)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "%s is not available in the Windows key store",
                          algorithm->name);
    return random_name(ctx, name)
           && make(ctx, source, name, &making, is_silent, public);
}

int mesh_cng_import(struct mesh_context *ctx, const struct mesh_source *source,
                    EVP_PKEY *private, const char *udf, int is_silent,
                    EVP_PKEY **public)
{
    const struct mesh_curve *curve = mesh_curve_of(private);
    struct making making = {curve != NULL ? curve->algorithm
                                          : BCRYPT_RSA_ALGORITHM,
                            0, NULL, NULL, 0};
    wchar_t name[MESH_KEY_NAME_MAX];
    int ok;

    making.blob_type =
        mesh_blob_write_private(private, &making.blob, &making.blob_len);
    if (making.blob_type == NULL)
        return mesh_raise(ctx, MESH_R_ALGORITHM,
                          "a key of type %.32s is not available in the Windows "
                          "key store",
                          mesh_algorithm_of(private));
    mesh_source_name(udf, name);
    ok = make(ctx, source, name, &making, is_silent, public);
    OPENSSL_clear_free(making.blob, making.blob_len);
    return ok;
}
