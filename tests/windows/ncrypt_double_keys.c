/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keys on disk: a line of attributes and PKCS#8, in a file whose
 * name is the key's in hexadecimal digits.
 */
#include "ncrypt_double.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  16384
#define PATH_SIZE (MAX_PATH * 3)

/* The folder of a provider, made when it is not there; 0 without a place. */
static int folder(int is_tpm, wchar_t *path)
{
    wchar_t base[MAX_PATH];
    DWORD len = GetEnvironmentVariableW(L"NCRYPT_DOUBLE_DIR", base, MAX_PATH);

    if (len == 0 || len >= MAX_PATH) {
        len = GetEnvironmentVariableW(L"APPDATA", base, MAX_PATH - 20);
        if (len == 0 || len >= MAX_PATH - 20)
            return 0;
        wcscat(base, L"\\ncrypt-double");
    }
    CreateDirectoryW(base, NULL);
    _snwprintf(path, PATH_SIZE, L"%ls\\%ls", base,
               is_tpm ? L"tpm" : L"software");
    CreateDirectoryW(path, NULL);
    return 1;
}

static SECURITY_STATUS file_of(int is_tpm, const wchar_t *name, wchar_t *path)
{
    char utf8[DOUBLE_NAME_MAX + 1];
    int i, len = WideCharToMultiByte(CP_UTF8, 0, name, -1, utf8, sizeof(utf8),
                                     NULL, NULL);
    wchar_t *end;

    if (len <= 1)
        return NTE_INVALID_PARAMETER;
    if (!folder(is_tpm, path))
        return NTE_INTERNAL_ERROR;
    end = path + wcslen(path);
    *end++ = L'\\';
    for (i = 0; i < len - 1; i++, end += 2)
        _snwprintf(end, 3, L"%02x", (unsigned char)utf8[i]);
    wcscpy(end, L".key");
    return ERROR_SUCCESS;
}

SECURITY_STATUS double_exists(int is_tpm, const wchar_t *name, int *exists)
{
    wchar_t path[PATH_SIZE];
    SECURITY_STATUS status = file_of(is_tpm, name, path);

    if (status == ERROR_SUCCESS)
        *exists = GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
    return status;
}

/* Another process sees the file as it was, or whole. */
static int write_file(const wchar_t *path, const char *data, size_t len)
{
    wchar_t fresh[PATH_SIZE];
    FILE *file;
    int ok;

    _snwprintf(fresh, PATH_SIZE, L"%ls.%lu", path, GetCurrentThreadId());
    file = _wfopen(fresh, L"wb");
    if (file == NULL)
        return 0;
    ok = fwrite(data, 1, len, file) == len;
    ok = fclose(file) == 0 && ok
         && MoveFileExW(fresh, path, MOVEFILE_REPLACE_EXISTING);
    if (!ok)
        DeleteFileW(fresh);
    return ok;
}

SECURITY_STATUS double_save(const struct double_key *key)
{
    wchar_t path[PATH_SIZE];
    char algorithm[DOUBLE_ALGORITHM_MAX];
    SECURITY_STATUS status;
    BIO *bio;
    char *data;
    long len;

    if (key->name == NULL)
        return ERROR_SUCCESS;
    status = file_of(key->is_tpm, key->name, path);
    if (status != ERROR_SUCCESS)
        return status;
    bio = BIO_new(BIO_s_secmem());
    if (bio == NULL)
        return NTE_NO_MEMORY;
    WideCharToMultiByte(CP_UTF8, 0, key->algorithm, -1, algorithm,
                        sizeof(algorithm), NULL, NULL);
    if (BIO_printf(bio, "%s %lu %lu %lu\n", algorithm, key->policy, key->usage,
                   key->ui)
            <= 0
        || PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL)
               != 1)
        status = NTE_INTERNAL_ERROR;
    len = BIO_get_mem_data(bio, &data);
    if (status == ERROR_SUCCESS && !write_file(path, data, (size_t)len))
        status = NTE_PERM;
    BIO_free(bio);
    return status;
}

/* The key that a file's octets are; NULL if they are none. */
static struct double_key *parse(int is_tpm, char *data, size_t len)
{
    char algorithm[DOUBLE_ALGORITHM_MAX];
    wchar_t wide[DOUBLE_ALGORITHM_MAX];
    unsigned long policy, usage, ui;
    char *end = strchr(data, '\n');
    struct double_key *key;
    BIO *bio;

    if (end == NULL
        || sscanf(data, "%15s %lu %lu %lu", algorithm, &policy, &usage, &ui)
               != 4)
        return NULL;
    MultiByteToWideChar(CP_UTF8, 0, algorithm, -1, wide, DOUBLE_ALGORITHM_MAX);
    key = double_key_new(is_tpm, wide);
    if (key == NULL)
        return NULL;
    key->policy = policy;
    key->usage = usage;
    key->ui = ui;
    key->is_final = 1;
    bio = BIO_new_mem_buf(end + 1, (int)(len - (size_t)(end + 1 - data)));
    key->pkey = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL,
                                           double_libctx(), NULL);
    BIO_free(bio);
    if (key->pkey == NULL) {
        double_key_free(key);
        return NULL;
    }
    key->bits = (DWORD)EVP_PKEY_get_bits(key->pkey);
    return key;
}

SECURITY_STATUS double_load(int is_tpm, const wchar_t *name,
                            struct double_key **key)
{
    wchar_t path[PATH_SIZE];
    char data[FILE_MAX];
    SECURITY_STATUS status = file_of(is_tpm, name, path);
    FILE *file;
    size_t len;

    if (status != ERROR_SUCCESS)
        return status;
    file = _wfopen(path, L"rb");
    if (file == NULL)
        return NTE_BAD_KEYSET;
    len = fread(data, 1, sizeof(data) - 1, file);
    fclose(file);
    data[len] = '\0';
    *key = parse(is_tpm, data, len);
    OPENSSL_cleanse(data, sizeof(data));
    if (*key == NULL)
        return NTE_BAD_KEYSET;
    (*key)->name = _wcsdup(name);
    return ERROR_SUCCESS;
}

SECURITY_STATUS double_delete(const struct double_key *key)
{
    wchar_t path[PATH_SIZE];
    SECURITY_STATUS status;

    if (key->name == NULL || !key->is_final)
        return ERROR_SUCCESS;
    status = file_of(key->is_tpm, key->name, path);
    if (status == ERROR_SUCCESS && !DeleteFileW(path))
        status = NTE_BAD_KEYSET;
    return status;
}

/* A key's name from its file's. */
static int name_of(const wchar_t *file, wchar_t *name)
{
    char utf8[DOUBLE_NAME_MAX + 1];
    size_t len = 0;
    unsigned octet;

    while (len < DOUBLE_NAME_MAX && swscanf(file, L"%2x", &octet) == 1) {
        utf8[len++] = (char)octet;
        file += 2;
    }
    utf8[len] = '\0';
    return len != 0 && wcscmp(file, L".key") == 0
           && MultiByteToWideChar(CP_UTF8, 0, utf8, -1, name,
                                  DOUBLE_NAME_MAX + 1)
                  != 0;
}

SECURITY_STATUS double_names(int is_tpm, struct double_buffer *list)
{
    wchar_t path[PATH_SIZE];
    WIN32_FIND_DATAW entry;
    HANDLE find;
    void *grown;

    if (!folder(is_tpm, path))
        return NTE_INTERNAL_ERROR;
    wcscat(path, L"\\*.key");
    find = FindFirstFileW(path, &entry);
    if (find == INVALID_HANDLE_VALUE)
        return ERROR_SUCCESS;
    do {
        grown = realloc(list->names, (list->count + 1) * sizeof(*list->names));
        if (grown == NULL)
            break;
        list->names = grown;
        if (name_of(entry.cFileName, list->names[list->count]))
            list->count++;
    } while (FindNextFileW(find, &entry));
    FindClose(find);
    return ERROR_SUCCESS;
}
