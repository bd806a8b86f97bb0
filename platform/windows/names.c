/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files by their names: long paths, what is there, what went wrong.
 */
#include "platform/layout_tree.h"
#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <string.h>

const char *mesh_windows_text(DWORD error, char text[MESH_WINDOWS_TEXT_MAX])
{
    wchar_t wide[MESH_WINDOWS_TEXT_MAX];
    DWORD len = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS
            | FORMAT_MESSAGE_MAX_WIDTH_MASK,
        NULL, error, 0, wide, MESH_WINDOWS_TEXT_MAX, NULL);
    char *words;

    while (len > 0 && (wide[len - 1] == L' ' || wide[len - 1] == L'.'))
        len--;
    wide[len < MESH_WINDOWS_TEXT_MAX ? len : 0] = L'\0';
    words = mesh_utf8(NULL, wide);
    BIO_snprintf(text, MESH_WINDOWS_TEXT_MAX, "%.200s (error %lu)",
                 words != NULL ? words : "", error);
    OPENSSL_free(words);
    return text;
}

int mesh_file_raise(struct mesh_context *ctx, const char *path,
                    const char *what, DWORD error)
{
    char text[MESH_WINDOWS_TEXT_MAX];

    return mesh_raise(ctx, MESH_R_FILE_IO, "%.500s: cannot %s: %s", path, what,
                      mesh_windows_text(error, text));
}

wchar_t *mesh_wide_path(struct mesh_context *ctx, const char *path)
{
    wchar_t *wide = mesh_wide(ctx, path), *full = NULL, *given;
    DWORD size = wide != NULL ? GetFullPathNameW(wide, 0, NULL, NULL) : 0, len;

    if (size > 0)
        full = OPENSSL_malloc((size + 8) * sizeof(*full));
    if (full != NULL) {
        given = full + 8;
        len = GetFullPathNameW(wide, size, given, NULL);
        if (len == 0 || len >= size) /* the current folder changed meanwhile */
            len = 0, given[0] = L'\0';
        if (wcsncmp(given, L"\\\\?\\", 4) == 0
            || wcsncmp(given, L"\\\\.\\", 4) == 0) {
            memmove(full, given, (len + 1) * sizeof(*full));
        } else if (wcsncmp(given, L"\\\\", 2) == 0) {
            memcpy(full, L"\\\\?\\UNC\\", 8 * sizeof(*full));
            memmove(full + 8, given + 2, (len - 1) * sizeof(*full));
        } else {
            memcpy(full, L"\\\\?\\", 4 * sizeof(*full));
            memmove(full + 4, given, (len + 1) * sizeof(*full));
        }
    } else if (wide != NULL && ctx != NULL) {
        mesh_raise(ctx, size == 0 ? MESH_R_FILE_IO : MESH_R_MEMORY,
                   "%.300s: no path", path);
    }
    OPENSSL_free(wide);
    return full;
}

int mesh_file_is_missing(DWORD error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND
           || error == ERROR_INVALID_DRIVE;
}

char mesh_file_missing_drive(const wchar_t *path)
{
    wchar_t root[] = L"?:\\";

    if (wcsncmp(path, L"\\\\?\\", 4) != 0 || path[5] != L':')
        return 0;
    root[0] = path[4];
    return GetDriveTypeW(root) == DRIVE_NO_ROOT_DIR ? (char)path[4] : 0;
}

int mesh_file_exists(struct mesh_context *ctx, const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    wchar_t *wide = mesh_wide_path(&quiet, path);
    int exists = wide == NULL
                 || GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES
                 || !mesh_file_is_missing(GetLastError())
                 || mesh_file_missing_drive(wide) != 0;

    OPENSSL_free(wide);
    return exists;
}

/* Opens a file where the links to it lead; INVALID_HANDLE_VALUE: it cannot be
 * opened, GetLastError() says why. */
static HANDLE open_target(struct mesh_context *ctx, const char *path)
{
    wchar_t *wide = mesh_wide_path(ctx, path);
    HANDLE file = INVALID_HANDLE_VALUE;

    if (wide != NULL)
        file =
            CreateFileW(wide, FILE_READ_ATTRIBUTES,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        NULL, OPEN_EXISTING,
                        FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT
                            | SECURITY_IDENTIFICATION,
                        NULL);
    OPENSSL_free(wide);
    return file;
}

int mesh_file_is_regular(struct mesh_context *ctx, const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    HANDLE file = open_target(&quiet, path);
    BY_HANDLE_FILE_INFORMATION about;
    int is;

    if (file == INVALID_HANDLE_VALUE)
        return 0;
    is = GetFileType(file) == FILE_TYPE_DISK
         && GetFileInformationByHandle(file, &about)
         && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
    CloseHandle(file);
    return is;
}

int mesh_file_remove(struct mesh_context *ctx, const char *path)
{
    wchar_t *wide = mesh_wide_path(ctx, path);
    DWORD error = 0;
    int ok;

    if (wide == NULL)
        return 0;
    if (!DeleteFileW(wide))
        error = GetLastError();
    ok = error == 0 || mesh_file_is_missing(error)
         || mesh_file_raise(ctx, path, "remove it", error);
    OPENSSL_free(wide);
    return ok;
}

void mesh_file_remove_folder(struct mesh_context *ctx, const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    wchar_t *wide = mesh_wide_path(&quiet, path), *slash;

    if (wide != NULL && (slash = wcsrchr(wide, L'\\')) != NULL) {
        *slash = L'\0';
        RemoveDirectoryW(wide); /* an empty one */
    }
    OPENSSL_free(wide);
}

char *mesh_file_real_path(struct mesh_context *ctx, const char *path)
{
    HANDLE file = open_target(ctx, path);
    wchar_t *wide = NULL;
    DWORD size = 0, len;
    char *real = NULL;

    if (file != INVALID_HANDLE_VALUE)
        size = GetFinalPathNameByHandleW(file, NULL, 0, VOLUME_NAME_DOS);
    if (size > 0)
        wide = OPENSSL_malloc((size + 1) * sizeof(*wide));
    len = wide != NULL
              ? GetFinalPathNameByHandleW(file, wide, size + 1, VOLUME_NAME_DOS)
              : 0;
    if (len == 0 || len > size)
        mesh_file_raise(ctx, path, "find it", GetLastError());
    else if (wcsncmp(wide, L"\\\\?\\", 4) == 0
             && wcsncmp(wide + 4, L"UNC\\", 4) != 0)
        real = mesh_utf8(ctx, wide + 4);
    else
        real = mesh_utf8(ctx, wide);
    OPENSSL_free(wide);
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return real;
}
