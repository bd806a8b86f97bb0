/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A test double of ncrypt.dll: the part of CNG that uses persisted keys, for
 * Wine, which has little of it.  Beside the program as ncrypt.dll, with
 * WINEDLLOVERRIDES="ncrypt=n".  A libcrypto of its own does the work, which
 * reads no configuration and knows no provider of ours.
 *
 * What it answers is what cng_conformance.c says of CNG.  The environment:
 *   NCRYPT_DOUBLE_DIR     the keys' folder, else %APPDATA%\ncrypt-double
 *   NCRYPT_DOUBLE_TPM     set: there is a TPM
 *   NCRYPT_DOUBLE_FAIL    "NCryptSignHash=8010006e;NCryptOpenKey@2=80090010":
 *                         calls fail with a status, or the second call only
 *                         (of a process, since the text last changed)
 *   NCRYPT_DOUBLE_PROMPT  "cancel": the user declines if a key asks
 *   NCRYPT_DOUBLE_LOG     a file that gets a line for each call, "PID FUNCTION
 *                         STATUS", each object made, "PID + KIND NUMBER", each
 *                         one freed, "PID - KIND NUMBER", and each attempt to
 *                         have a private half, "PID private-export TYPE"
 */
#include "ncrypt_double.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_MAX 24
#define RSA_BITS      2048

static SRWLOCK lock = SRWLOCK_INIT;
static struct double_object *objects;
static unsigned last_number;

static const char *const kinds[] = {"provider", "key", "secret", "buffer"};

int double_setting(const char *name, char value[DOUBLE_SETTING_MAX])
{
    DWORD len = GetEnvironmentVariableA(name, value, DOUBLE_SETTING_MAX);

    return len != 0 && len < DOUBLE_SETTING_MAX;
}

/* One write for a line: lines of several processes do not mix. */
void double_log(const char *format, ...)
{
    char path[DOUBLE_SETTING_MAX], line[200];
    int len = snprintf(line, 20, "%lu ", GetCurrentProcessId());
    va_list args;
    HANDLE file;
    DWORD written;

    if (!double_setting("NCRYPT_DOUBLE_LOG", path))
        return;
    va_start(args, format);
    len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
    va_end(args);
    file =
        CreateFileA(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return;
    WriteFile(file, line, (DWORD)len, &written, NULL);
    CloseHandle(file);
}

SECURITY_STATUS double_logged(const char *function, SECURITY_STATUS status)
{
    double_log("%s %08lx\n", function, (unsigned long)status);
    return status;
}

/* How often a function was called while the faults were the same. */
static unsigned count_call(const char *function, const char *faults)
{
    static struct {
        const char *function;
        unsigned calls;
    } counts[FUNCTIONS_MAX];
    static char last[DOUBLE_SETTING_MAX];
    unsigned calls = 0;
    size_t i;

    AcquireSRWLockExclusive(&lock);
    if (strcmp(last, faults) != 0) {
        memset(counts, 0, sizeof(counts));
        strcpy(last, faults);
    }
    for (i = 0; i < FUNCTIONS_MAX && calls == 0; i++) {
        if (counts[i].function == NULL)
            counts[i].function = function;
        if (strcmp(counts[i].function, function) == 0)
            calls = ++counts[i].calls;
    }
    ReleaseSRWLockExclusive(&lock);
    return calls;
}

/* The status that a function is to fail with now, or 0. */
SECURITY_STATUS double_fault(const char *function)
{
    char faults[DOUBLE_SETTING_MAX], *entry, *end;
    size_t len = strlen(function);
    unsigned long only;
    unsigned calls;

    if (!double_setting("NCRYPT_DOUBLE_FAIL", faults))
        return ERROR_SUCCESS;
    calls = count_call(function, faults);
    for (entry = strtok(faults, ";"); entry; entry = strtok(NULL, ";")) {
        if (strncmp(entry, function, len) != 0)
            continue;
        end = entry + len;
        only = *end == '@' ? strtoul(end + 1, &end, 10) : calls;
        if (*end == '=' && only == calls)
            return (SECURITY_STATUS)strtoul(end + 1, NULL, 16);
    }
    return ERROR_SUCCESS;
}

static OSSL_LIB_CTX *libctx;

static BOOL CALLBACK make_libctx(PINIT_ONCE once, PVOID arg, PVOID *context)
{
    (void)once;
    (void)arg;
    (void)context;
    /* The program's openssl.cnf would load the module that is tested. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    libctx = OSSL_LIB_CTX_new();
    return libctx != NULL;
}

OSSL_LIB_CTX *double_libctx(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

    InitOnceExecuteOnce(&once, make_libctx, NULL, NULL);
    return libctx;
}

ULONG_PTR double_add(struct double_object *object, enum double_kind kind)
{
    object->kind = kind;
    AcquireSRWLockExclusive(&lock);
    object->number = ++last_number;
    object->next = objects;
    objects = object;
    ReleaseSRWLockExclusive(&lock);
    double_log("+ %s %u\n", kinds[kind], object->number);
    return (ULONG_PTR)object;
}

/* The link to a handle's object; the lock is held.  Points to NULL if there is
 * none such. */
static struct double_object **link_to(ULONG_PTR handle)
{
    struct double_object **link = &objects;

    while (*link != NULL && (ULONG_PTR)*link != handle)
        link = &(*link)->next;
    return link;
}

void *double_find(ULONG_PTR handle, enum double_kind kind)
{
    struct double_object *object;

    AcquireSRWLockShared(&lock);
    object = *link_to(handle);
    ReleaseSRWLockShared(&lock);
    return object != NULL && object->kind == kind ? object : NULL;
}

void *double_take_out(ULONG_PTR handle)
{
    struct double_object **link, *object;

    AcquireSRWLockExclusive(&lock);
    link = link_to(handle);
    object = *link;
    if (object != NULL)
        *link = object->next;
    ReleaseSRWLockExclusive(&lock);
    if (object != NULL)
        double_log("- %s %u\n", kinds[object->kind], object->number);
    return object;
}

/* The algorithms, and what a key of each may do if nobody says otherwise.  One
 * for agreement can sign too. */
static const struct double_algorithm algorithms[] = {
    {BCRYPT_RSA_ALGORITHM, L"RSA", RSA_BITS, NCRYPT_ALLOW_ALL_USAGES, 1},
    {BCRYPT_ECDSA_P256_ALGORITHM, L"ECDSA", 256, NCRYPT_ALLOW_SIGNING_FLAG, 1},
    {BCRYPT_ECDSA_P384_ALGORITHM, L"ECDSA", 384, NCRYPT_ALLOW_SIGNING_FLAG, 1},
    {BCRYPT_ECDSA_P521_ALGORITHM, L"ECDSA", 521, NCRYPT_ALLOW_SIGNING_FLAG, 0},
    {BCRYPT_ECDH_P256_ALGORITHM, L"ECDH", 256, NCRYPT_ALLOW_ALL_USAGES, 1},
    {BCRYPT_ECDH_P384_ALGORITHM, L"ECDH", 384, NCRYPT_ALLOW_ALL_USAGES, 1},
    {BCRYPT_ECDH_P521_ALGORITHM, L"ECDH", 521, NCRYPT_ALLOW_ALL_USAGES, 0},
};

const struct double_algorithm *double_algorithm(const wchar_t *name)
{
    size_t i;

    for (i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
        if (wcscmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

struct double_key *double_key_new(int is_tpm, const wchar_t *name)
{
    const struct double_algorithm *algorithm = double_algorithm(name);
    struct double_key *key = algorithm != NULL ? calloc(1, sizeof(*key)) : NULL;

    if (key == NULL)
        return NULL;
    key->is_tpm = is_tpm;
    key->bits = algorithm->bits;
    key->usage = algorithm->usage;
    wcscpy(key->algorithm, algorithm->name);
    return key;
}

void double_key_free(struct double_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key->name);
    free(key);
}

int double_is_rsa(const struct double_key *key)
{
    return wcscmp(key->algorithm, BCRYPT_RSA_ALGORITHM) == 0;
}

int double_has_size(const struct double_key *key)
{
    if (double_is_rsa(key))
        return key->bits % 64 == 0 && key->bits >= (key->is_tpm ? 1024 : 512)
               && key->bits <= (key->is_tpm ? 2048 : 16384);
    return !key->is_tpm || double_algorithm(key->algorithm)->is_in_tpm;
}

SECURITY_STATUS double_ask(const struct double_key *key, DWORD flags)
{
    char answer[DOUBLE_SETTING_MAX];

    if (!(key->ui & NCRYPT_UI_PROTECT_KEY_FLAG))
        return ERROR_SUCCESS;
    if (flags & NCRYPT_SILENT_FLAG)
        return NTE_SILENT_CONTEXT;
    return double_setting("NCRYPT_DOUBLE_PROMPT", answer)
                   && strcmp(answer, "cancel") == 0
               ? SCARD_W_CANCELLED_BY_USER
               : ERROR_SUCCESS;
}

/* A key that may be used for something; NULL and the status if it may not. */
struct double_key *double_usable(ULONG_PTR handle, DWORD usage, DWORD flags,
                                 SECURITY_STATUS *status)
{
    struct double_key *key = double_find(handle, DOUBLE_KEY);

    if (key == NULL || !key->is_final)
        *status = NTE_INVALID_HANDLE;
    else if (key->is_public)
        *status = NTE_BAD_KEY;
    else if (!(key->usage & usage))
        *status = NTE_NOT_SUPPORTED;
    else
        *status = double_ask(key, flags);
    return *status == ERROR_SUCCESS ? key : NULL;
}

SECURITY_STATUS double_give(const void *value, DWORD len, PBYTE out, DWORD size,
                            DWORD *result)
{
    *result = len;
    if (out == NULL)
        return ERROR_SUCCESS;
    if (size < len)
        return NTE_BUFFER_TOO_SMALL;
    memcpy(out, value, len);
    return ERROR_SUCCESS;
}

static SECURITY_STATUS open_provider(NCRYPT_PROV_HANDLE *handle, LPCWSTR name)
{
    char value[DOUBLE_SETTING_MAX];
    int is_tpm =
        name != NULL && wcscmp(name, MS_PLATFORM_KEY_STORAGE_PROVIDER) == 0;
    struct double_provider *provider;

    if (handle == NULL)
        return NTE_INVALID_PARAMETER;
    if (!is_tpm && name != NULL && wcscmp(name, MS_KEY_STORAGE_PROVIDER) != 0)
        return NTE_PROV_TYPE_NOT_DEF;
    if (is_tpm && !double_setting("NCRYPT_DOUBLE_TPM", value))
        return NTE_DEVICE_NOT_READY;
    provider = calloc(1, sizeof(*provider));
    if (provider == NULL || double_libctx() == NULL) {
        free(provider);
        return NTE_NO_MEMORY;
    }
    provider->is_tpm = is_tpm;
    *handle = double_add(&provider->object, DOUBLE_PROVIDER);
    return ERROR_SUCCESS;
}

SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE *handle,
                                                 LPCWSTR name, DWORD flags)
{
    SECURITY_STATUS status = double_fault(__func__);

    (void)flags;
    return double_logged(__func__,
                         status ? status : open_provider(handle, name));
}

SECURITY_STATUS double_free(NCRYPT_HANDLE handle)
{
    struct double_object *object;

    if (double_find(handle, DOUBLE_BUFFER) != NULL)
        return NTE_INVALID_HANDLE;
    object = double_take_out(handle);
    if (object == NULL)
        return NTE_INVALID_HANDLE;
    if (object->kind == DOUBLE_KEY) {
        double_key_free((struct double_key *)object);
        return ERROR_SUCCESS;
    }
    if (object->kind == DOUBLE_SECRET)
        OPENSSL_cleanse(((struct double_secret *)object)->value,
                        DOUBLE_SECRET_MAX);
    free(object);
    return ERROR_SUCCESS;
}

SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE handle)
{
    return double_logged(__func__, double_free(handle));
}

static struct double_buffer *buffer_at(PVOID address)
{
    struct double_buffer *buffer;

    buffer = double_find((ULONG_PTR)address, DOUBLE_BUFFER);
    if (buffer == NULL && address != NULL)
        buffer = double_find((ULONG_PTR)address
                                 - offsetof(struct double_buffer, found),
                             DOUBLE_BUFFER);
    return buffer;
}

SECURITY_STATUS WINAPI NCryptFreeBuffer(PVOID address)
{
    struct double_buffer *buffer = buffer_at(address);

    if (buffer == NULL)
        return double_logged(__func__, NTE_INVALID_PARAMETER);
    double_take_out((ULONG_PTR)buffer);
    free(buffer->names);
    free(buffer);
    return double_logged(__func__, ERROR_SUCCESS);
}

WINBOOL WINAPI NCryptIsKeyHandle(NCRYPT_KEY_HANDLE handle)
{
    return double_find(handle, DOUBLE_KEY) != NULL;
}
