/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The operating system's part of the context.
 */
#include "platform/system.h"
#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>
#include <windows.h>

int mesh_system_environment(const char *name, char **value)
{
    wchar_t *wide_name = mesh_wide(NULL, name), *text = NULL;
    DWORD size, len = 0;
    int ok = wide_name != NULL;

    *value = NULL;
    size = ok ? GetEnvironmentVariableW(wide_name, NULL, 0) : 0;
    if (size > 1) {
        text = OPENSSL_malloc(size * sizeof(*text));
        ok = text != NULL;
        if (ok)
            len = GetEnvironmentVariableW(wide_name, text, size);
        /* another thread may have changed it meanwhile */
        if (len > 0 && len < size)
            ok = (*value = mesh_utf8(NULL, text)) != NULL;
    }
    OPENSSL_free(text);
    OPENSSL_free(wide_name);
    return ok;
}

long mesh_system_process(void)
{
    return (long)GetCurrentProcessId();
}

void mesh_system_now(struct tm *now, unsigned *milliseconds)
{
    SYSTEMTIME time;

    GetSystemTime(&time);
    memset(now, 0, sizeof(*now));
    now->tm_year = time.wYear - 1900;
    now->tm_mon = time.wMonth - 1;
    now->tm_mday = time.wDay;
    now->tm_hour = time.wHour;
    now->tm_min = time.wMinute;
    now->tm_sec = time.wSecond;
    *milliseconds = time.wMilliseconds;
}

static int is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* C:\…, or \\server\share\… */
int mesh_system_is_absolute(const char *path)
{
    int is_letter = (path[0] >= 'A' && path[0] <= 'Z')
                    || (path[0] >= 'a' && path[0] <= 'z');

    return (is_letter && path[1] == ':' && is_separator(path[2]))
           || (is_separator(path[0]) && is_separator(path[1]));
}

/* A key below HKEY_CURRENT_USER, by which its own layout is told apart. */
int mesh_system_is_home(const char *value)
{
    return value[0] != '\0' && !is_separator(value[0])
           && !mesh_system_is_absolute(value);
}

void mesh_system_append(const char *path, const char *text, size_t len)
{
    wchar_t *wide = mesh_wide_path(NULL, path);
    HANDLE file = INVALID_HANDLE_VALUE;
    DWORD written;

    if (wide != NULL)
        file =
            CreateFileW(wide, FILE_APPEND_DATA,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        NULL, OPEN_ALWAYS,
                        FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT
                            | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                        NULL);
    if (file != INVALID_HANDLE_VALUE) {
        WriteFile(file, text, (DWORD)len, &written, NULL);
        CloseHandle(file);
    }
    OPENSSL_free(wide);
}
