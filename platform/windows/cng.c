/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The keys of CNG's providers: open, list, delete.
 */
#include "platform/windows/cng.h"

#include "platform/windows/blob.h"
#include "platform/windows/status.h"

#include <openssl/crypto.h>
#include <string.h>

DWORD mesh_cng_provider(const struct mesh_source *source,
                        NCRYPT_PROV_HANDLE *provider)
{
    *provider = 0;
    return (DWORD)NCryptOpenStorageProvider(provider, source->provider, 0);
}

static DWORD read_public(struct mesh_context *ctx, NCRYPT_KEY_HANDLE key,
                         const wchar_t *type,
                         EVP_PKEY *(*read)(struct mesh_context *ctx,
                                           const unsigned char *blob,
                                           size_t len),
                         EVP_PKEY **public)
{
    unsigned char blob[MESH_BLOB_MAX];
    DWORD len = 0, status;

    status = (DWORD)NCryptExportKey(key, 0, type, NULL, blob, sizeof(blob),
                                    &len, NCRYPT_SILENT_FLAG);
    if (status == 0 && (*public = read(ctx, blob, len)) == NULL)
        status = (DWORD)NTE_BAD_KEY;
    return status;
}

DWORD mesh_cng_public(struct mesh_context *ctx, NCRYPT_KEY_HANDLE key,
                      EVP_PKEY **public)
{
    wchar_t group[32] = L"";
    DWORD len = 0, status;

    *public = NULL;
    status = (DWORD)NCryptGetProperty(key, NCRYPT_ALGORITHM_GROUP_PROPERTY,
                                      (PBYTE)group, sizeof(group) - 2, &len,
                                      NCRYPT_SILENT_FLAG);
    if (status != 0)
        return status;
    return wcscmp(group, NCRYPT_RSA_ALGORITHM_GROUP) == 0
               ? read_public(ctx, key, BCRYPT_RSAPUBLIC_BLOB,
                             mesh_blob_read_rsa, public)
               : read_public(ctx, key, BCRYPT_ECCPUBLIC_BLOB, mesh_blob_read_ec,
                             public);
}

static void close_key(struct mesh_source_key *key)
{
    if (key->handle != 0)
        NCryptFreeObject(key->handle);
    EVP_PKEY_free(key->public);
    key->handle = 0;
    key->public = NULL;
}

/* Opens the key with key->name. */
static DWORD open_name(struct mesh_context *ctx,
                       const struct mesh_source *source,
                       NCRYPT_PROV_HANDLE provider, int is_silent,
                       struct mesh_source_key *key)
{
    DWORD status;

    key->source = source;
    key->handle = 0;
    key->public = NULL;
    status = (DWORD)NCryptOpenKey(provider, &key->handle, key->name, 0,
                                  is_silent ? NCRYPT_SILENT_FLAG : 0);
    if (status == 0
        && (status = mesh_cng_public(ctx, key->handle, &key->public)) != 0)
        close_key(key);
    return status;
}

/* A walk through the names of our keys.  Legacy containers are in it too: they
 * are another source's. */
struct walk {
    NCRYPT_PROV_HANDLE provider;
    void *state;
};

static DWORD next_name(struct walk *walk, wchar_t name[MESH_KEY_NAME_MAX])
{
    for (;;) {
        NCryptKeyName *item = NULL;
        DWORD status = (DWORD)NCryptEnumKeys(walk->provider, NULL, &item,
                                             &walk->state, NCRYPT_SILENT_FLAG);
        int ours;

        if (status != 0)
            return status;
        ours = item->dwLegacyKeySpec == 0
               && mesh_source_take_name(item->pszName, name);
        NCryptFreeBuffer(item);
        if (ours)
            return 0;
    }
}

static void end_walk(struct walk *walk)
{
    if (walk->state != NULL)
        NCryptFreeBuffer(walk->state);
    NCryptFreeObject(walk->provider);
}

static int is_named(struct mesh_context *ctx, EVP_PKEY *public,
                    const struct mesh_key_name *name)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_key_name own;

    return mesh_key_name_of(&quiet, public, &own)
           && memcmp(own.spki_sha256, name->spki_sha256,
                     sizeof(own.spki_sha256))
                  == 0;
}

/* Looks through the keys that were made here.  Of one that cannot be read
 * nobody knows whether it is the one. */
static DWORD open_made(struct mesh_context *ctx,
                       const struct mesh_source *source, struct walk *walk,
                       const struct mesh_key_name *name, int is_silent,
                       struct mesh_source_key *key)
{
    DWORD status, failure = (DWORD)NTE_BAD_KEYSET;

    while ((status = next_name(walk, key->name)) == 0) {
        if (wcsncmp(key->name, MESH_MADE_PREFIX, wcslen(MESH_MADE_PREFIX)) != 0)
            continue;
        status = open_name(ctx, source, walk->provider, is_silent, key);
        if (status != 0) {
            failure = status;
            continue;
        }
        if (is_named(ctx, key->public, name))
            return 0;
        close_key(key);
    }
    return status == (DWORD)NTE_NO_MORE_ITEMS ? failure : status;
}

static DWORD open_key(struct mesh_context *ctx,
                      const struct mesh_source *source,
                      const struct mesh_key_name *name, int is_silent,
                      struct mesh_source_key *key)
{
    struct walk walk = {0, NULL};
    DWORD status = mesh_cng_provider(source, &walk.provider);

    if (status != 0)
        return status;
    mesh_source_name(name->udf, key->name);
    status = open_name(ctx, source, walk.provider, is_silent, key);
    if ((mesh_status_kind(status) & MESH_STATUS_NO_KEY) != 0)
        status = open_made(ctx, source, &walk, name, is_silent, key);
    end_walk(&walk);
    return status;
}

/* NCryptDeleteKey frees the handle when it succeeds, and only then. */
static DWORD destroy_key(struct mesh_source_key *key, int is_silent)
{
    DWORD status =
        (DWORD)NCryptDeleteKey(key->handle, is_silent ? NCRYPT_SILENT_FLAG : 0);

    if (status == 0)
        key->handle = 0;
    close_key(key);
    return status;
}

static int list_keys(struct mesh_context *ctx, const struct mesh_source *source,
                     mesh_source_visit_fn *visit, void *arg)
{
    struct walk walk = {0, NULL};
    struct mesh_source_key key;
    DWORD status = mesh_cng_provider(source, &walk.provider);
    int ok = 1;

    if (status != 0)
        return mesh_status_raise(ctx, status, "list keys", source->label);
    while (ok && (status = next_name(&walk, key.name)) == 0) {
        status = open_name(ctx, source, walk.provider, 1, &key);
        if (status != 0) {
            mesh_trace(ctx, "%s: key \"%ls\" left out, status 0x%08lx",
                       source->label, key.name, (unsigned long)status);
            continue;
        }
        ok = visit(ctx, &key, arg);
        close_key(&key);
    }
    end_walk(&walk);
    return ok
           && (status == (DWORD)NTE_NO_MORE_ITEMS
               || mesh_status_raise(ctx, status, "list keys", source->label));
}

const struct mesh_source mesh_source_software = {
    "cng",
    "Windows software key store",
    MS_KEY_STORAGE_PROVIDER,
    open_key,
    close_key,
    mesh_cng_operate,
    destroy_key,
    list_keys,
    mesh_cng_generate,
    mesh_cng_import,
};

const struct mesh_source mesh_source_tpm = {
    "tpm",           "TPM",     MS_PLATFORM_KEY_STORAGE_PROVIDER,
    open_key,        close_key, mesh_cng_operate,
    destroy_key,     list_keys, mesh_cng_generate,
    mesh_cng_import,
};
