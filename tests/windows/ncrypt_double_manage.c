/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's functions that make, find, describe and remove keys.
 */
#include "ncrypt_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing else has the name, or may have it no more. */
static SECURITY_STATUS claim_name(const struct double_provider *provider,
                                  LPCWSTR name, DWORD flags)
{
    int exists = 0;
    SECURITY_STATUS status = ERROR_SUCCESS;

    if (name != NULL)
        status = double_exists(provider->is_tpm, name, &exists);
    if (status == ERROR_SUCCESS && exists
        && !(flags & NCRYPT_OVERWRITE_KEY_FLAG))
        status = NTE_EXISTS;
    return status;
}

static SECURITY_STATUS create_key(NCRYPT_PROV_HANDLE handle,
                                  NCRYPT_KEY_HANDLE *made, LPCWSTR algorithm,
                                  LPCWSTR name, DWORD flags)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    struct double_key *key;
    SECURITY_STATUS status;

    if (provider == NULL)
        return NTE_INVALID_HANDLE;
    if (made == NULL || algorithm == NULL)
        return NTE_INVALID_PARAMETER;
    if (flags & ~(NCRYPT_SILENT_FLAG | NCRYPT_OVERWRITE_KEY_FLAG))
        return NTE_BAD_FLAGS;
    status = claim_name(provider, name, flags);
    if (status != ERROR_SUCCESS)
        return status;
    key = double_key_new(provider->is_tpm, algorithm);
    if (key == NULL)
        return NTE_NOT_SUPPORTED;
    key->name = name != NULL ? _wcsdup(name) : NULL;
    *made = double_add(&key->object, DOUBLE_KEY);
    return ERROR_SUCCESS;
}

SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE handle,
                                                NCRYPT_KEY_HANDLE *made,
                                                LPCWSTR algorithm, LPCWSTR name,
                                                DWORD legacy, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)legacy;
    return double_logged(
        __func__,
        status ? status : create_key(handle, made, algorithm, name, flags));
}

/* Made now, unless a blob was given as a property. */
static SECURITY_STATUS finalize(NCRYPT_KEY_HANDLE handle)
{
    struct double_key *key = double_find(handle, DOUBLE_KEY);
    char group[8];
    SECURITY_STATUS status;

    if (key == NULL || key->is_final)
        return NTE_INVALID_HANDLE;
    if (!double_has_size(key))
        return NTE_NOT_SUPPORTED;
    snprintf(group, sizeof(group), "P-%lu", key->bits);
    if (key->pkey == NULL && double_is_rsa(key))
        key->pkey =
            EVP_PKEY_Q_keygen(double_libctx(), NULL, "RSA", (size_t)key->bits);
    else if (key->pkey == NULL)
        key->pkey = EVP_PKEY_Q_keygen(double_libctx(), NULL, "EC", group);
    if (key->pkey == NULL)
        return NTE_INTERNAL_ERROR;
    status = double_save(key);
    key->is_final = status == ERROR_SUCCESS;
    return status;
}

SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)flags;
    return double_logged(__func__, status ? status : finalize(handle));
}

static SECURITY_STATUS open_key(NCRYPT_PROV_HANDLE handle,
                                NCRYPT_KEY_HANDLE *opened, LPCWSTR name,
                                DWORD flags)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    struct double_key *key;
    SECURITY_STATUS status;

    if (provider == NULL)
        return NTE_INVALID_HANDLE;
    if (opened == NULL || name == NULL)
        return NTE_INVALID_PARAMETER;
    if (flags & ~(NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG))
        return NTE_BAD_FLAGS;
    if (flags & NCRYPT_MACHINE_KEY_FLAG)
        return NTE_BAD_KEYSET;
    status = double_load(provider->is_tpm, name, &key);
    if (status == ERROR_SUCCESS)
        *opened = double_add(&key->object, DOUBLE_KEY);
    return status;
}

SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE handle,
                                     NCRYPT_KEY_HANDLE *opened, LPCWSTR name,
                                     DWORD legacy, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)legacy;
    return double_logged(
        __func__, status ? status : open_key(handle, opened, name, flags));
}

/* The handle is gone if the key is. */
static SECURITY_STATUS delete_key(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    struct double_key *key = double_find(handle, DOUBLE_KEY);
    SECURITY_STATUS status;

    if (key == NULL)
        return NTE_INVALID_HANDLE;
    status = double_ask(key, flags);
    if (status == ERROR_SUCCESS)
        status = double_delete(key);
    return status == ERROR_SUCCESS ? double_free(handle) : status;
}

SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    return double_logged(__func__, status ? status : delete_key(handle, flags));
}

static SECURITY_STATUS set_number(struct double_key *key, LPCWSTR name,
                                  DWORD value)
{
    DWORD bits = key->bits;

    if (wcscmp(name, NCRYPT_EXPORT_POLICY_PROPERTY) == 0) {
        key->policy = value;
    } else if (wcscmp(name, NCRYPT_KEY_USAGE_PROPERTY) == 0) {
        key->usage = value;
    } else if (wcscmp(name, NCRYPT_LENGTH_PROPERTY) == 0) {
        key->bits = value;
        if (!double_has_size(key) || (!double_is_rsa(key) && value != bits)) {
            key->bits = bits;
            return NTE_NOT_SUPPORTED;
        }
    } else {
        return NTE_NOT_SUPPORTED;
    }
    return ERROR_SUCCESS;
}

static SECURITY_STATUS set_property(NCRYPT_HANDLE handle, LPCWSTR name,
                                    PBYTE value, DWORD len)
{
    struct double_key *key = double_find(handle, DOUBLE_KEY);
    NCRYPT_UI_POLICY ui;
    DWORD number;

    if (key == NULL)
        return double_find(handle, DOUBLE_PROVIDER) ? NTE_NOT_SUPPORTED
                                                    : NTE_INVALID_HANDLE;
    if (name == NULL || value == NULL)
        return NTE_INVALID_PARAMETER;
    /* What is persisted stays as it is. */
    if (key->is_final && (key->name != NULL || len != sizeof(number)))
        return NTE_NOT_SUPPORTED;
    if (wcscmp(name, NCRYPT_UI_POLICY_PROPERTY) == 0) {
        if (len < sizeof(ui))
            return NTE_INVALID_PARAMETER;
        memcpy(&ui, value, sizeof(ui));
        key->ui = ui.dwFlags;
        return ERROR_SUCCESS;
    }
    if (len != sizeof(number))
        return double_read_blob(key, name, value, len);
    memcpy(&number, value, sizeof(number));
    return set_number(key, name, number);
}

SECURITY_STATUS WINAPI NCryptSetProperty(NCRYPT_HANDLE handle, LPCWSTR name,
                                         PBYTE value, DWORD len, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)flags;
    return double_logged(
        __func__, status ? status : set_property(handle, name, value, len));
}

static SECURITY_STATUS give_text(const wchar_t *text, PBYTE out, DWORD size,
                                 DWORD *result)
{
    if (text == NULL)
        return NTE_NOT_FOUND;
    return double_give(text, (DWORD)((wcslen(text) + 1) * sizeof(*text)), out,
                       size, result);
}

static SECURITY_STATUS provider_property(const struct double_provider *provider,
                                         LPCWSTR name, PBYTE out, DWORD size,
                                         DWORD *result)
{
    DWORD type = provider->is_tpm ? NCRYPT_IMPL_HARDWARE_FLAG
                                  : NCRYPT_IMPL_SOFTWARE_FLAG;

    if (wcscmp(name, NCRYPT_IMPL_TYPE_PROPERTY) == 0)
        return double_give(&type, sizeof(type), out, size, result);
    if (wcscmp(name, NCRYPT_NAME_PROPERTY) == 0)
        return give_text(provider->is_tpm ? MS_PLATFORM_KEY_STORAGE_PROVIDER
                                          : MS_KEY_STORAGE_PROVIDER,
                         out, size, result);
    return NTE_NOT_SUPPORTED;
}

static SECURITY_STATUS key_property(const struct double_key *key, LPCWSTR name,
                                    PBYTE out, DWORD size, DWORD *result)
{
    const struct {
        const wchar_t *name;
        const DWORD *value;
    } numbers[] = {
        {NCRYPT_LENGTH_PROPERTY, &key->bits},
        {NCRYPT_EXPORT_POLICY_PROPERTY, &key->policy},
        {NCRYPT_KEY_USAGE_PROPERTY, &key->usage},
    };
    const struct {
        const wchar_t *name, *value;
    } texts[] = {
        {NCRYPT_NAME_PROPERTY, key->name},
        {NCRYPT_UNIQUE_NAME_PROPERTY, key->name},
        {NCRYPT_ALGORITHM_PROPERTY, key->algorithm},
        {NCRYPT_ALGORITHM_GROUP_PROPERTY,
         double_algorithm(key->algorithm)->group},
    };
    NCRYPT_UI_POLICY ui = {.dwVersion = 1, .dwFlags = key->ui};
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (wcscmp(name, numbers[i].name) == 0)
            return double_give(numbers[i].value, sizeof(DWORD), out, size,
                               result);
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (wcscmp(name, texts[i].name) == 0)
            return give_text(texts[i].value, out, size, result);
    if (wcscmp(name, NCRYPT_UI_POLICY_PROPERTY) == 0)
        return key->ui != 0 ? double_give(&ui, sizeof(ui), out, size, result)
                            : NTE_NOT_FOUND;
    return NTE_NOT_SUPPORTED;
}

static SECURITY_STATUS get_property(NCRYPT_HANDLE handle, LPCWSTR name,
                                    PBYTE out, DWORD size, DWORD *result)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    struct double_key *key = double_find(handle, DOUBLE_KEY);

    if (provider == NULL && key == NULL)
        return NTE_INVALID_HANDLE;
    if (name == NULL || result == NULL)
        return NTE_INVALID_PARAMETER;
    return key != NULL ? key_property(key, name, out, size, result)
                       : provider_property(provider, name, out, size, result);
}

SECURITY_STATUS WINAPI NCryptGetProperty(NCRYPT_HANDLE handle, LPCWSTR name,
                                         PBYTE out, DWORD size, DWORD *result,
                                         DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)flags;
    return double_logged(
        __func__,
        status ? status : get_property(handle, name, out, size, result));
}

/* The name that an import's parameters give, or NULL. */
static const wchar_t *name_in(const NCryptBufferDesc *parameters)
{
    ULONG i;

    for (i = 0; parameters != NULL && i < parameters->cBuffers; i++)
        if (parameters->pBuffers[i].BufferType == NCRYPTBUFFER_PKCS_KEY_NAME)
            return parameters->pBuffers[i].pvBuffer;
    return NULL;
}

/* A key that is to get properties yet comes only as PKCS#8. */
static SECURITY_STATUS import_key(NCRYPT_PROV_HANDLE handle, LPCWSTR type,
                                  const NCryptBufferDesc *parameters,
                                  NCRYPT_KEY_HANDLE *made, const BYTE *blob,
                                  DWORD len, DWORD flags)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    const wchar_t *name = name_in(parameters);
    struct double_key *key;
    SECURITY_STATUS status;

    if (provider == NULL)
        return NTE_INVALID_HANDLE;
    if (type == NULL || made == NULL || blob == NULL)
        return NTE_INVALID_PARAMETER;
    if (flags
            & ~(NCRYPT_SILENT_FLAG | NCRYPT_OVERWRITE_KEY_FLAG
                | NCRYPT_DO_NOT_FINALIZE_FLAG)
        || ((flags & NCRYPT_DO_NOT_FINALIZE_FLAG)
            && wcscmp(type, NCRYPT_PKCS8_PRIVATE_KEY_BLOB) != 0))
        return NTE_BAD_FLAGS;
    status = claim_name(provider, name, flags);
    if (status != ERROR_SUCCESS)
        return status;
    key = calloc(1, sizeof(*key));
    if (key == NULL)
        return NTE_NO_MEMORY;
    key->is_tpm = provider->is_tpm;
    status = double_read_blob(key, type, blob, len);
    if (status == ERROR_SUCCESS) {
        key->usage = double_algorithm(key->algorithm)->usage;
        key->name = name != NULL && !key->is_public ? _wcsdup(name) : NULL;
        key->is_final = !(flags & NCRYPT_DO_NOT_FINALIZE_FLAG);
        if (key->is_final)
            status = double_save(key);
    }
    if (status != ERROR_SUCCESS) {
        double_key_free(key);
        return status;
    }
    *made = double_add(&key->object, DOUBLE_KEY);
    return ERROR_SUCCESS;
}

SECURITY_STATUS WINAPI NCryptImportKey(NCRYPT_PROV_HANDLE handle,
                                       NCRYPT_KEY_HANDLE unwrap, LPCWSTR type,
                                       NCryptBufferDesc *parameters,
                                       NCRYPT_KEY_HANDLE *made, PBYTE blob,
                                       DWORD len, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    if (status == ERROR_SUCCESS)
        status = unwrap != 0 ? NTE_NOT_SUPPORTED
                             : import_key(handle, type, parameters, made, blob,
                                          len, flags);
    return double_logged(__func__, status);
}

/* The names are those of the beginning of an enumeration. */
static struct double_buffer *start_list(const struct double_provider *provider,
                                        SECURITY_STATUS *status)
{
    struct double_buffer *list = calloc(1, sizeof(*list));

    *status =
        list != NULL ? double_names(provider->is_tpm, list) : NTE_NO_MEMORY;
    if (*status == ERROR_SUCCESS && list->count == 0)
        *status = NTE_NO_MORE_ITEMS;
    if (*status == ERROR_SUCCESS) {
        double_add(&list->object, DOUBLE_BUFFER);
        return list;
    }
    free(list);
    return NULL;
}

/* A name and an algorithm, in one piece for NCryptFreeBuffer(). */
static NCryptKeyName *found_key(const struct double_key *key)
{
    struct double_buffer *found = calloc(1, sizeof(*found));

    if (found == NULL)
        return NULL;
    found->names = calloc(2, sizeof(*found->names));
    if (found->names == NULL) {
        free(found);
        return NULL;
    }
    found->found.pszName = wcscpy(found->names[0], key->name);
    found->found.pszAlgid = wcscpy(found->names[1], key->algorithm);
    double_add(&found->object, DOUBLE_BUFFER);
    return &found->found;
}

static SECURITY_STATUS enum_keys(NCRYPT_PROV_HANDLE handle,
                                 NCryptKeyName **name, PVOID *state)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    struct double_buffer *list;
    struct double_key *key = NULL;
    SECURITY_STATUS status;

    if (provider == NULL)
        return NTE_INVALID_HANDLE;
    if (name == NULL || state == NULL)
        return NTE_INVALID_PARAMETER;
    list = double_find((ULONG_PTR)*state, DOUBLE_BUFFER);
    if (list == NULL) {
        list = start_list(provider, &status);
        if (list == NULL)
            return status;
        *state = list;
    }
    while (key == NULL && list->next < list->count)
        if (double_load(provider->is_tpm, list->names[list->next++], &key)
            != ERROR_SUCCESS)
            key = NULL; /* somebody else removed it */
    if (key == NULL)
        return NTE_NO_MORE_ITEMS;
    *name = found_key(key);
    double_key_free(key);
    return *name != NULL ? ERROR_SUCCESS : NTE_NO_MEMORY;
}

SECURITY_STATUS WINAPI NCryptEnumKeys(NCRYPT_PROV_HANDLE handle, LPCWSTR scope,
                                      NCryptKeyName **name, PVOID *state,
                                      DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)scope;
    (void)flags;
    return double_logged(__func__,
                         status ? status : enum_keys(handle, name, state));
}

SECURITY_STATUS WINAPI NCryptIsAlgSupported(NCRYPT_PROV_HANDLE handle,
                                            LPCWSTR name, DWORD flags)
{
    struct double_provider *provider = double_find(handle, DOUBLE_PROVIDER);
    const struct double_algorithm *algorithm =
        name != NULL ? double_algorithm(name) : NULL;
    SECURITY_STATUS status = ERROR_SUCCESS;

    (void)flags;
    if (provider == NULL)
        status = NTE_INVALID_HANDLE;
    else if (algorithm == NULL || (provider->is_tpm && !algorithm->is_in_tpm))
        status = NTE_NOT_SUPPORTED;
    return double_logged(__func__, status);
}
