/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files of the layout on Windows: reading, replacing, appending.
 */
#include "platform/windows/files.h"

#include "platform/layout_tree.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* Virus scanners open what was just written, and so do other readers. */
#define REPLACE_TRIES       50
#define REPLACE_INTERVAL_MS 20

static DWORD open_any(const wchar_t *path, DWORD access, DWORD disposition,
                      SECURITY_ATTRIBUTES *attributes, HANDLE *file)
{
    /* Identification: what claims to be a file and is another program's pipe
     * may not act as the user. */
    *file = CreateFileW(
        path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        attributes, disposition,
        FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS
            | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
        NULL);
    return *file != INVALID_HANDLE_VALUE ? 0 : GetLastError();
}

static int is_folder(HANDLE file)
{
    BY_HANDLE_FILE_INFORMATION about;

    return GetFileInformationByHandle(file, &about)
           && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* The safe folder that holds path, held so that it stays where it is, or
 * INVALID_HANDLE_VALUE with the error raised. */
static HANDLE hold_folder(struct mesh_context *ctx, const char *path)
{
    wchar_t *wide = mesh_wide_path(ctx, path), *slash;
    HANDLE folder = INVALID_HANDLE_VALUE;
    char *name = NULL, drive;
    DWORD error;

    if (wide == NULL)
        return folder;
    drive = mesh_file_missing_drive(wide);
    if ((slash = wcsrchr(wide, L'\\')) != NULL)
        slash[slash > wide && slash[-1] == L':'] = L'\0'; /* C:\ keeps it */
    /* Not shared for deletion: it stays what it is as long as we hold it. */
    folder = CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                         OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    error = folder == INVALID_HANDLE_VALUE ? GetLastError()
            : is_folder(folder)            ? 0
                                           : ERROR_PATH_NOT_FOUND;
    name = mesh_utf8(ctx, wcsncmp(wide, L"\\\\?\\", 4) == 0 ? wide + 4 : wide);
    if (name == NULL)
        error = ERROR_INVALID_NAME;
    else if (drive != 0)
        mesh_raise(ctx, MESH_R_FILE_MISSING,
                   "%.500s: there is no drive %c:", path, drive);
    else if (mesh_file_is_missing(error))
        mesh_raise(ctx, MESH_R_FILE_MISSING, "%.400s: no folder %.400s", path,
                   name);
    else if (error != 0)
        mesh_file_raise(ctx, name, "open the folder", error);
    else if (!mesh_access_check(ctx, folder, name, 1))
        error = ERROR_ACCESS_DENIED;
    if (error != 0 && folder != INVALID_HANDLE_VALUE) {
        CloseHandle(folder);
        folder = INVALID_HANDLE_VALUE;
    }
    OPENSSL_free(name);
    OPENSSL_free(wide);
    return folder;
}

/* A regular file that nobody else may write. */
static int check_file(struct mesh_context *ctx, HANDLE file, const char *path,
                      uint64_t *size)
{
    BY_HANDLE_FILE_INFORMATION about;

    if (GetFileType(file) != FILE_TYPE_DISK
        || !GetFileInformationByHandle(file, &about))
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.500s is a device or pipe, not a regular file",
                          path);
    if ((about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.500s is a symbolic link or another reparse point, "
                          "which is not followed: put the file itself there",
                          path);
    if ((about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.500s is a folder, not a regular file", path);
    *size = (uint64_t)about.nFileSizeHigh << 32 | about.nFileSizeLow;
    return mesh_access_check(ctx, file, path, 0);
}

int mesh_file_open_safe(struct mesh_context *ctx, const char *path,
                        DWORD access, DWORD disposition, HANDLE *file,
                        uint64_t *size)
{
    SECURITY_ATTRIBUTES own = {.nLength = sizeof(own)};
    wchar_t *wide = mesh_wide_path(ctx, path);
    HANDLE folder = INVALID_HANDLE_VALUE;
    DWORD error;
    int ok = 0;

    *file = INVALID_HANDLE_VALUE;
    if (wide == NULL
        || (folder = hold_folder(ctx, path)) == INVALID_HANDLE_VALUE
        || (disposition != OPEN_EXISTING
            && (own.lpSecurityDescriptor = mesh_access_own(ctx, 0)) == NULL))
        goto end;
    error = open_any(wide, access | READ_CONTROL, disposition, &own, file);
    if (mesh_file_is_missing(error))
        mesh_raise(ctx, MESH_R_FILE_MISSING, "%.500s: no such file", path);
    else if (error != 0)
        mesh_file_raise(ctx, path, "open it", error);
    else
        ok = check_file(ctx, *file, path, size);
    if (!ok && *file != INVALID_HANDLE_VALUE) {
        CloseHandle(*file);
        *file = INVALID_HANDLE_VALUE;
    }
end:
    LocalFree(own.lpSecurityDescriptor);
    if (folder != INVALID_HANDLE_VALUE)
        CloseHandle(folder);
    OPENSSL_free(wide);
    return ok;
}

static int seek(HANDLE file, uint64_t offset)
{
    LARGE_INTEGER to = {.QuadPart = (LONGLONG)offset};

    return SetFilePointerEx(file, to, NULL, FILE_BEGIN);
}

static int shorten(HANDLE file, uint64_t size)
{
    return seek(file, size) && SetEndOfFile(file);
}

/* Reads size octets, or what there is of them. */
static int read_from(struct mesh_context *ctx, HANDLE file, const char *path,
                     size_t size, unsigned char **data, size_t *len)
{
    unsigned char *buffer = OPENSSL_malloc(size + 1);
    DWORD got = 1;

    *len = 0;
    if (buffer == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%.300s", path);
    while (*len < size && got > 0) {
        DWORD part = size - *len < 1u << 30 ? (DWORD)(size - *len) : 1u << 30;

        if (!ReadFile(file, buffer + *len, part, &got, NULL)) {
            mesh_file_raise(ctx, path, "read it", GetLastError());
            OPENSSL_clear_free(buffer, size + 1); /* it may be a private key */
            *len = 0;
            return 0;
        }
        *len += got;
    }
    buffer[*len] = '\0';
    *data = buffer;
    return 1;
}

static int write_all(HANDLE file, const unsigned char *data, size_t len)
{
    while (len > 0) {
        DWORD part = len < 1u << 30 ? (DWORD)len : 1u << 30, done = 0;

        if (!WriteFile(file, data, part, &done, NULL) || done == 0)
            return 0;
        data += done;
        len -= done;
    }
    return 1;
}

int mesh_layout_read_file(struct mesh_context *ctx, const char *path,
                          size_t max, unsigned char **data, size_t *len)
{
    HANDLE file;
    uint64_t size;
    int ok = 0;

    *data = NULL;
    *len = 0;
    if (!mesh_file_open_safe(ctx, path, GENERIC_READ, OPEN_EXISTING, &file,
                             &size))
        return 0;
    if (size > max)
        mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                   "%.500s has %llu octets, at most %zu are read", path,
                   (unsigned long long)size, max);
    else
        ok = read_from(ctx, file, path, (size_t)size, data, len);
    CloseHandle(file);
    return ok;
}

int mesh_layout_read_part(struct mesh_context *ctx, const char *path,
                          uint64_t offset, size_t max, unsigned char **data,
                          size_t *len, uint64_t *size)
{
    HANDLE file;
    int ok;

    *data = NULL;
    *len = 0;
    if (!mesh_file_open_safe(ctx, path, GENERIC_READ, OPEN_EXISTING, &file,
                             size))
        return 0;
    if (offset > *size)
        offset = *size;
    if (*size - offset < max)
        max = (size_t)(*size - offset);
    ok = seek(file, offset)
             ? read_from(ctx, file, path, max, data, len)
             : mesh_file_raise(ctx, path, "read it", GetLastError());
    CloseHandle(file);
    return ok;
}

/* What is there; 0 if it cannot be said. */
static int look(struct mesh_context *ctx, const char *path,
                WIN32_FILE_ATTRIBUTE_DATA *about)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    wchar_t *wide = mesh_wide_path(&quiet, path);
    int ok = wide != NULL
             && GetFileAttributesExW(wide, GetFileExInfoStandard, about);

    OPENSSL_free(wide);
    return ok;
}

/* In units of 100 ns. */
static long long when(const WIN32_FILE_ATTRIBUTE_DATA *about)
{
    return (
        long long)(((unsigned long long)about->ftLastWriteTime.dwHighDateTime
                    << 32)
                   | about->ftLastWriteTime.dwLowDateTime);
}

int mesh_layout_are_apart(struct mesh_context *ctx, const char *first,
                          const char *second)
{
    WIN32_FILE_ATTRIBUTE_DATA one, other;
    long long later;

    if (!look(ctx, first, &one))
        return 0;
    if (!look(ctx, second, &other))
        return 1;
    later = when(&other) - when(&one);
    return later < 0 || later > MESH_LAYOUT_CHANGE_SECONDS * 10000000LL;
}

int mesh_file_make_folders(struct mesh_context *ctx, const char *path,
                           wchar_t **made)
{
    SECURITY_ATTRIBUTES own = {.nLength = sizeof(own)};
    char *ours = mesh_files_folder(ctx), *folder = NULL, *slash;
    size_t len = ours != NULL ? strlen(ours) : 0;
    wchar_t *wide;
    int ok = 0;

    *made = NULL;
    if (len == 0)
        goto end;
    if (OPENSSL_strncasecmp(path, ours, len) != 0 || path[len] != '\\') {
        ok = 1;
        goto end;
    }
    if ((own.lpSecurityDescriptor = mesh_access_own(ctx, 1)) == NULL
        || (folder = mesh_path(ctx, "%s", path)) == NULL)
        goto end;
    for (slash = folder + len; slash != NULL; slash = strchr(slash + 1, '\\')) {
        *slash = '\0';
        OPENSSL_free(*made);
        *made = NULL;
        if ((wide = mesh_wide_path(ctx, folder)) == NULL)
            goto end;
        if (CreateDirectoryW(wide, &own)) {
            *made = wide;
        } else {
            DWORD error = GetLastError();

            OPENSSL_free(wide);
            if (error != ERROR_ALREADY_EXISTS) {
                mesh_file_raise(ctx, folder, "make the folder", error);
                goto end;
            }
        }
        *slash = '\\';
    }
    ok = 1;

end:
    LocalFree(own.lpSecurityDescriptor);
    OPENSSL_free(folder);
    OPENSSL_free(ours);
    return ok;
}

/* Takes back what mesh_file_make_folders() made, if the rest failed. */
static void forget_folders(wchar_t *made, int ok)
{
    if (!ok && made != NULL)
        RemoveDirectoryW(made);
    OPENSSL_free(made);
}

/* A name beside path that nobody has; the caller frees. */
static wchar_t *temporary_path(struct mesh_context *ctx, const char *path)
{
    size_t len = strlen(path);
    unsigned char random[8];
    char hex[17], *name;
    wchar_t *wide;

    if (RAND_bytes_ex(ctx->libctx, random, sizeof(random), 0) <= 0
        || !OPENSSL_buf2hexstr_ex(hex, sizeof(hex), NULL, random,
                                  sizeof(random), '\0')) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
        return NULL;
    }
    while (len > 0 && path[len - 1] != '\\' && path[len - 1] != '/')
        len--;
    name = mesh_path(ctx, "%.*s.tmp-%s", (int)len, path, hex);
    wide = name != NULL ? mesh_wide_path(ctx, name) : NULL;
    OPENSSL_free(name);
    return wide;
}

/* Puts one file in the place of another. */
static DWORD replace(const wchar_t *from, const wchar_t *to)
{
    DWORD error = 0;

    for (int i = 0; i < REPLACE_TRIES; i++) {
        if (MoveFileExW(from, to,
                        MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
            return 0;
        error = GetLastError();
        if (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION)
            break;
        Sleep(REPLACE_INTERVAL_MS);
    }
    return error;
}

/* Writes a new file beside path and puts it there. */
static int write_and_replace(struct mesh_context *ctx, const char *path,
                             const wchar_t *wide, const void *data, size_t len)
{
    SECURITY_ATTRIBUTES own = {.nLength = sizeof(own)};
    wchar_t *temporary = temporary_path(ctx, path);
    HANDLE file = INVALID_HANDLE_VALUE;
    DWORD error;
    int ok = 0;

    if (temporary == NULL
        || (own.lpSecurityDescriptor = mesh_access_own(ctx, 0)) == NULL)
        goto end;
    error = open_any(temporary, GENERIC_WRITE, CREATE_NEW, &own, &file);
    if (error != 0) {
        mesh_file_raise(ctx, path, "make a temporary file beside it", error);
        goto end;
    }
    ok = write_all(file, data, len) && FlushFileBuffers(file);
    error = ok ? 0 : GetLastError();
    CloseHandle(file);
    if (!ok)
        mesh_file_raise(ctx, path, "write it; the old file is as it was",
                        error);
    else if ((error = replace(temporary, wide)) != 0)
        ok = mesh_file_raise(ctx, path, "replace it; the old file is as it was",
                             error);
    if (!ok)
        DeleteFileW(temporary);
end:
    LocalFree(own.lpSecurityDescriptor);
    OPENSSL_free(temporary);
    return ok;
}

int mesh_layout_write_file(struct mesh_context *ctx, const char *path,
                           const void *data, size_t len)
{
    const DWORD special = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE
                          | FILE_ATTRIBUTE_REPARSE_POINT;
    HANDLE folder = INVALID_HANDLE_VALUE;
    wchar_t *wide = mesh_wide_path(ctx, path), *made = NULL;
    DWORD attributes;
    int ok = 0;

    if (wide == NULL || !mesh_file_make_folders(ctx, path, &made)
        || (folder = hold_folder(ctx, path)) == INVALID_HANDLE_VALUE)
        goto end;
    attributes = GetFileAttributesW(wide);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & special) != 0)
        mesh_raise(ctx, MESH_R_FILE_IO,
                   "%.500s is not a regular file and stays as it is", path);
    else
        ok = write_and_replace(ctx, path, wide, data, len);
end:
    if (folder != INVALID_HANDLE_VALUE)
        CloseHandle(folder);
    forget_folders(made, ok);
    OPENSSL_free(wide);
    return ok;
}

/* Whether the file, which is not empty, ends within a line. */
static int is_torn(HANDLE file, uint64_t size)
{
    DWORD got = 0;
    char last;

    return seek(file, size - 1) && ReadFile(file, &last, 1, &got, NULL)
           && got == 1 && last != '\n';
}

int mesh_layout_append_file(struct mesh_context *ctx, const char *path,
                            const void *data, size_t len, uint64_t *before)
{
    int is_new = !mesh_file_exists(ctx, path), ok = 0;
    HANDLE file = INVALID_HANDLE_VALUE;
    wchar_t *made = NULL;
    uint64_t size = 0;
    DWORD error;

    *before = MESH_LAYOUT_NO_FILE;
    if (!mesh_file_make_folders(ctx, path, &made)
        || !mesh_file_open_safe(ctx, path, GENERIC_READ | GENERIC_WRITE,
                                is_new ? CREATE_NEW : OPEN_EXISTING, &file,
                                &size))
        goto end;
    if (!is_new)
        *before = size;
    ok = (size == 0 || !is_torn(file, size)
          || write_all(file, (const unsigned char *)"\n", 1))
         && SetFilePointerEx(file, (LARGE_INTEGER){.QuadPart = 0}, NULL,
                             FILE_END)
         && write_all(file, data, len) && FlushFileBuffers(file);
    if (!ok) {
        error = GetLastError();
        mesh_file_raise(ctx, path, "append to it; it is as it was", error);
        if (!shorten(file, size))
            mesh_file_raise(ctx, path, "shorten it again", GetLastError());
    }
    CloseHandle(file);
    if (!ok && is_new)
        mesh_file_remove(ctx, path);
end:
    forget_folders(made, ok);
    return ok;
}

int mesh_layout_cut_file(struct mesh_context *ctx, const char *path,
                         uint64_t before)
{
    uint64_t size;
    HANDLE file;
    int ok;

    if (before == MESH_LAYOUT_NO_FILE)
        return mesh_file_remove(ctx, path);
    if (!mesh_file_open_safe(ctx, path, GENERIC_WRITE, OPEN_EXISTING, &file,
                             &size))
        return 0;
    ok = size <= before || shorten(file, before)
         || mesh_file_raise(ctx, path, "shorten it again", GetLastError());
    CloseHandle(file);
    return ok;
}
