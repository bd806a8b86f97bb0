/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Letting meshctl ask a portal for a profile that is missing.
 */
#include "platform/refresh.h"

#include "platform/layout_tree.h"
#include "platform/system.h"
#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>

#define PROGRAM   "meshctl.exe"
#define PATH_MOST 32768 /* characters that any path has */

/* What the new process gets of our environment: what Windows itself needs, and
 * what says how to reach a portal. */
static const wchar_t *const passed[] = {
    L"ALL_PROXY",     L"APPDATA",      L"CURL_CA_BUNDLE", L"HTTPS_PROXY",
    L"HTTP_PROXY",    L"LOCALAPPDATA", L"NO_PROXY",       L"PATH",
    L"SSL_CERT_FILE", L"SystemDrive",  L"SystemRoot",     L"TEMP",
    L"TMP",           L"USERDOMAIN",   L"USERNAME",       L"USERPROFILE",
};

/* Whoever acts for somebody else starts no program, which would be its own. */
static int has_foreign_rights(void)
{
    HANDLE token;

    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        return GetLastError() != ERROR_NO_TOKEN;
    CloseHandle(token);
    return 1;
}

/* meshctl beside the module, or the program that we are in; the caller frees.
 * NULL is raised. */
static char *default_program(struct mesh_context *ctx)
{
    wchar_t *path = OPENSSL_malloc(PATH_MOST * sizeof(*path));
    char *module = NULL, *program = NULL;
    HMODULE handle;
    DWORD len = 0;

    if (path != NULL
        && GetModuleHandleExW(
            GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS
                | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
            (const wchar_t *)passed, &handle))
        len = GetModuleFileNameW(handle, path, PATH_MOST);
    if (len > 0 && len < PATH_MOST && (module = mesh_utf8(ctx, path)) != NULL)
        program = mesh_path(ctx, "%.*s" PROGRAM,
                            (int)(strrchr(module, '\\') + 1 - module), module);
    else
        mesh_raise(ctx, MESH_R_INTERNAL, "where this module is");
    OPENSSL_free(module);
    OPENSSL_free(path);
    return program;
}

/* A file that nobody else may write, in a folder of which that is true. */
static int check_program(struct mesh_context *ctx, const char *program)
{
    uint64_t size;
    unsigned char *data;
    size_t len;
    int ok;

    if (!mesh_system_is_absolute(program))
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "meshctl is not started from %.300s: name it by an "
                          "absolute path",
                          program);
    ok = mesh_layout_read_part(ctx, program, 0, 0, &data, &len, &size);
    OPENSSL_free(data);
    return ok;
}

/* The variables that are passed on and set, as CreateProcess wants them; the
 * caller frees. */
static wchar_t *make_environment(void)
{
    const size_t count = sizeof(passed) / sizeof(passed[0]);
    size_t chars = 2;
    wchar_t *block, *end;

    for (size_t i = 0; i < count; i++)
        chars +=
            wcslen(passed[i]) + 1 + GetEnvironmentVariableW(passed[i], NULL, 0);
    if ((block = end = OPENSSL_malloc(chars * sizeof(*block))) == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name = wcslen(passed[i]),
               left = chars - (size_t)(end - block) - 2;
        DWORD len;

        if (left < name + 2)
            break;
        len = GetEnvironmentVariableW(passed[i], end + name + 1,
                                      (DWORD)(left - name - 1));
        /* not set, or changed meanwhile */
        if (len == 0 || len >= left - name - 1)
            continue;
        memcpy(end, passed[i], name * sizeof(*end));
        end[name] = L'=';
        end += name + 1 + len + 1;
    }
    end[0] = end[1] = L'\0';
    return block;
}

/* Starts it without a window, and without any handle of ours. */
static int start(struct mesh_context *ctx, const char *program,
                 const char *line, HANDLE *process)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    wchar_t *wide = mesh_wide(ctx, program), *wide_line = mesh_wide(ctx, line);
    wchar_t *environment = make_environment(), folder[MAX_PATH] = L"";
    char text[MESH_WINDOWS_TEXT_MAX];
    PROCESS_INFORMATION made;
    int ok = 0;

    *process = NULL;
    GetSystemDirectoryW(folder, MAX_PATH);
    if (wide != NULL && wide_line != NULL && environment != NULL) {
        ok = CreateProcessW(wide, wide_line, NULL, NULL, FALSE,
                            CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT,
                            environment, folder, &startup, &made);
        if (ok) {
            *process = made.hProcess;
            CloseHandle(made.hThread);
        } else {
            mesh_raise(ctx, MESH_R_FILE_IO, "%.300s cannot be started: %s",
                       program, mesh_windows_text(GetLastError(), text));
        }
    }
    OPENSSL_free(environment);
    OPENSSL_free(wide_line);
    OPENSSL_free(wide);
    return ok;
}

int mesh_refresh_check(struct mesh_context *ctx, char **program)
{
    *program = ctx->config.meshctl_path != NULL
                   ? mesh_path(ctx, "%s", ctx->config.meshctl_path)
                   : default_program(ctx);
    return *program != NULL && check_program(ctx, *program);
}

int mesh_refresh_missing(struct mesh_context *ctx, const char *udf)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char *program = NULL, *home = NULL, *line = NULL;
    HANDLE process = NULL;
    int ok;

    if (ctx->config.refresh != MESH_REFRESH_ON_MISSING || has_foreign_rights()
        || !mesh_refresh_is_first(udf))
        return 0;
    /* neither has a quotation mark, and the home no backslash at its end */
    ok = mesh_refresh_check(&quiet, &program)
         && (home = mesh_layout_home(&quiet)) != NULL
         && (line = mesh_path(&quiet,
                              "\"%s\" --home \"%s\" refresh "
                              "--timeout " MESH_REFRESH_TIMEOUT " %s",
                              program, home, udf))
                != NULL;
    if (ok) {
        mesh_trace(ctx, "%s refresh %s", program, udf);
        ok = start(&quiet, program, line, &process);
    }
    if (ok
        && WaitForSingleObject(process, MESH_REFRESH_SECONDS * 1000)
               == WAIT_TIMEOUT)
        mesh_trace(ctx, "%s: not ready within %d seconds", program,
                   MESH_REFRESH_SECONDS);
    if (process != NULL)
        CloseHandle(process);
    OPENSSL_free(line);
    OPENSSL_free(home);
    OPENSSL_free(program);
    return ok;
}
