/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A context with a key of the registry of its own, and the folder that belongs
 * to it; both are gone afterwards.
 */
#ifndef MESH_TESTS_WINDOWS_REGISTRY_HOME_H
#define MESH_TESTS_WINDOWS_REGISTRY_HOME_H

#include "platform/layout.h"
#include "platform/layout_tree.h"
#include "tests/windows/tree.h"

#include <stdlib.h>

#define ALICE  "MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH"
#define DEVICE "MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPI"
#define WEB    "RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ"

static struct mesh_context *ctx;
static struct capture capture;
static char root[64];    /* below HKEY_CURRENT_USER */
static char folder[300]; /* of the files, in %APPDATA% */

/* The key below root, "" for root itself, made if it is missing. */
static inline HKEY key_of(const char *below)
{
    char path[512];
    wchar_t wide[MAX_PATH * 2];
    HKEY key = NULL;

    snprintf(path, sizeof(path), "%s%s%s", root, *below != '\0' ? "\\" : "",
             below);
    to_wide(path, wide);
    assert_int_equal(RegCreateKeyExW(HKEY_CURRENT_USER, wide, 0, NULL, 0,
                                     KEY_ALL_ACCESS, NULL, &key, NULL),
                     0);
    return key;
}

static inline int has_key(const char *below)
{
    char path[512];
    wchar_t wide[MAX_PATH * 2];
    HKEY key = NULL;

    snprintf(path, sizeof(path), "%s\\%s", root, below);
    to_wide(path, wide);
    if (RegOpenKeyExW(HKEY_CURRENT_USER, wide, 0, KEY_READ, &key) != 0)
        return 0;
    RegCloseKey(key);
    return 1;
}

static inline void put_value(const char *below, const wchar_t *name, DWORD type,
                             const void *data, size_t size)
{
    HKEY key = key_of(below);

    assert_int_equal(RegSetValueExW(key, name, 0, type, data, (DWORD)size), 0);
    RegCloseKey(key);
}

static inline void put_text(const char *below, const wchar_t *name,
                            const wchar_t *text)
{
    put_value(below, name, REG_SZ, text, (wcslen(text) + 1) * sizeof(*text));
}

static inline void put_name(const char *below, const char *name,
                            const wchar_t *text)
{
    wchar_t wide[MAX_PATH * 2];

    to_wide(name, wide);
    put_text(below, wide, text);
}

/* A value's type and data; 0 octets if it is not there. */
static inline DWORD get_value(const char *below, const char *name, DWORD *type,
                              wchar_t data[1024])
{
    DWORD size = 1024 * sizeof(wchar_t);
    wchar_t wide[MAX_PATH * 2];
    HKEY key = key_of(below);

    to_wide(name, wide);
    memset(data, 0, 1024 * sizeof(wchar_t));
    if (RegQueryValueExW(key, wide, NULL, type, (BYTE *)data, &size) != 0)
        size = 0;
    RegCloseKey(key);
    return size;
}

/* The value is a string, this one; NULL: it is not there. */
static inline void expect_text(const char *below, const char *name,
                               const char *text)
{
    wchar_t data[1024], wide[MAX_PATH * 2];
    DWORD type = REG_NONE, size = get_value(below, name, &type, data);

    if (text == NULL) {
        assert_int_equal(size, 0);
        return;
    }
    to_wide(text, wide);
    assert_int_equal(type, REG_SZ);
    assert_int_equal(size, (wcslen(wide) + 1) * sizeof(*wide));
    assert_memory_equal(data, wide, size);
}

static inline int open_home(const char *name)
{
    char *files;

    memset(&capture, 0, sizeof(capture));
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    snprintf(root, sizeof(root), "%s", name);
    if (ctx == NULL || !mesh_context_configure(ctx, "home", root))
        return 1;
    files = mesh_files_folder(ctx);
    if (files == NULL)
        return 1;
    snprintf(folder, sizeof(folder), "%s", files);
    OPENSSL_free(files);
    return 0;
}

static inline int make_home(void **state)
{
    char name[64];

    (void)state;
    snprintf(name, sizeof(name), "SOFTWARE\\CryptoMeshTest-%lu",
             GetCurrentProcessId());
    return open_home(name);
}

static inline int remove_home(void **state)
{
    wchar_t wide[MAX_PATH * 2];

    (void)state;
    to_wide(root, wide);
    RegDeleteTreeW(HKEY_CURRENT_USER, wide);
    remove_tree(folder);
    mesh_context_free(ctx);
    return 0;
}

static inline struct mesh_layout *opened(void)
{
    struct mesh_layout *layout = NULL;

    expect_ok(ctx, mesh_layout_open(ctx, &layout));
    return layout;
}

/* A path below the folder; four of them live at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s\\%s", folder, name);
    return path;
}

/* Runs this program again with arguments; the caller closes. */
static inline HANDLE run_again(const char *arguments)
{
    wchar_t program[MAX_PATH], line[MAX_PATH * 2], wide[MAX_PATH * 2];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;

    assert_true(GetModuleFileNameW(NULL, program, MAX_PATH) > 0);
    to_wide(arguments, wide);
    swprintf(line, MAX_PATH * 2, L"test %ls", wide);
    assert_true(CreateProcessW(program, line, NULL, NULL, FALSE, 0, NULL, NULL,
                               &startup, &made));
    CloseHandle(made.hThread);
    return made.hProcess;
}

static inline DWORD wait_for(HANDLE process)
{
    DWORD status = 1;

    assert_int_equal(WaitForSingleObject(process, 60000), WAIT_OBJECT_0);
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return status;
}

#endif
