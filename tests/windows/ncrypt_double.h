/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Inside the test double of ncrypt.dll: its objects, and what its files give
 * each other.  ncrypt_double.c says what it is.
 */
#ifndef MESH_TESTS_NCRYPT_DOUBLE_H
#define MESH_TESTS_NCRYPT_DOUBLE_H

#define WINVER       0x0A00
#define _WIN32_WINNT 0x0A00
#include <windows.h>

#include <bcrypt.h>
#include <ncrypt.h>
#include <openssl/evp.h>

/* Windows' own header has no names for what only a TPM answers. */
#define DOUBLE_TPM_BAD_SALT ((SECURITY_STATUS)0x40290423)

#define DOUBLE_NAME_MAX      100 /* octets of a key's name in UTF-8 */
#define DOUBLE_ALGORITHM_MAX 16
#define DOUBLE_SECRET_MAX    66
#define DOUBLE_SETTING_MAX   512

enum double_kind { DOUBLE_PROVIDER, DOUBLE_KEY, DOUBLE_SECRET, DOUBLE_BUFFER };

/* First in each object: a handle is the address of one that is in the list. */
struct double_object {
    struct double_object *next;
    enum double_kind kind;
    unsigned number; /* in the log */
};

struct double_provider {
    struct double_object object;
    int is_tpm;
};

struct double_key {
    struct double_object object;
    int is_tpm;
    int is_final;
    int is_public; /* imported without a private half */
    wchar_t *name; /* NULL: ephemeral */
    wchar_t algorithm[DOUBLE_ALGORITHM_MAX];
    DWORD bits;
    DWORD policy;
    DWORD usage;
    DWORD ui; /* NCRYPT_UI_PROTECT_KEY_FLAG: it asks */
    EVP_PKEY *pkey;
};

struct double_secret {
    struct double_object object;
    unsigned char value[DOUBLE_SECRET_MAX];
    size_t len;
};

/* An enumeration that goes on, or what the caller gets of it. */
struct double_buffer {
    struct double_object object;
    wchar_t (*names)[DOUBLE_NAME_MAX + 1];
    size_t count, next;
    NCryptKeyName found; /* its address is the caller's */
};

/* What CNG has keys for. */
struct double_algorithm {
    const wchar_t *name, *group;
    DWORD bits, usage; /* of a key of which nobody says otherwise */
    int is_in_tpm;
};

/* The algorithm of a name, NULL if there is none such. */
const struct double_algorithm *double_algorithm(const wchar_t *name);

/* A variable of the environment; 0 if it is not there, or empty or too long. */
int double_setting(const char *name, char value[DOUBLE_SETTING_MAX]);

/* Writes a line, with its end, to the log if there is one. */
void double_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a call and its status to the log; the status again. */
SECURITY_STATUS double_logged(const char *function, SECURITY_STATUS status);

/* The status that this call of a function is to fail with, or 0. */
SECURITY_STATUS double_fault(const char *function);

/* Puts an object into the list; its handle. */
ULONG_PTR double_add(struct double_object *object, enum double_kind kind);

/* The object of a handle if it is of this kind, else NULL. */
void *double_find(ULONG_PTR handle, enum double_kind kind);

/* The object of a handle, in the list no more, the caller's to free; or NULL.
 */
void *double_take_out(ULONG_PTR handle);

/* What NCryptFreeObject() does. */
SECURITY_STATUS double_free(NCRYPT_HANDLE handle);

/*
 * The key of a handle, if its private half may be used for something now: it is
 * asked for with these flags of the call.  NULL and a status if not.
 */
struct double_key *double_usable(ULONG_PTR handle, DWORD usage, DWORD flags,
                                 SECURITY_STATUS *status);

/* Copies a value, or says its size: NTE_BUFFER_TOO_SMALL with the size too. */
SECURITY_STATUS double_give(const void *value, DWORD len, PBYTE out, DWORD size,
                            DWORD *result);

/* The library context of the double; NULL after an error. */
OSSL_LIB_CTX *double_libctx(void);

/* A zeroed key of an algorithm, not in the list; NULL if CNG has none such. */
struct double_key *double_key_new(int is_tpm, const wchar_t *algorithm);
void double_key_free(struct double_key *key);
int double_is_rsa(const struct double_key *key);

/* A key that asks its user, asks. */
SECURITY_STATUS double_ask(const struct double_key *key, DWORD flags);

/* Whether the device has keys of this algorithm and size. */
int double_has_size(const struct double_key *key);

/*
 * Keys are files in %NCRYPT_DOUBLE_DIR%, or %APPDATA%\ncrypt-double.  Names
 * that are too long or empty are NTE_INVALID_PARAMETER.
 */
SECURITY_STATUS double_exists(int is_tpm, const wchar_t *name, int *exists);
SECURITY_STATUS double_save(const struct double_key *key);
SECURITY_STATUS double_load(int is_tpm, const wchar_t *name,
                            struct double_key **key);
SECURITY_STATUS double_delete(const struct double_key *key);
SECURITY_STATUS double_names(int is_tpm, struct double_buffer *list);

/* The public half as CNG has it; what is private is refused. */
SECURITY_STATUS double_public_blob(const struct double_key *key,
                                   const wchar_t *type, unsigned char *blob,
                                   DWORD size, DWORD *len);

/* Whether blobs of this type have a private half. */
int double_is_private_type(const wchar_t *type);

/*
 * Reads a blob into a key.  A key that has an algorithm keeps it: a blob of
 * another is refused.  Without one it gets the blob's.
 */
SECURITY_STATUS double_read_blob(struct double_key *key, const wchar_t *type,
                                 const unsigned char *blob, DWORD len);

#endif
