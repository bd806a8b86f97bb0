/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Folders of a test, their entries and who may write them.
 */
#ifndef MESH_TESTS_WINDOWS_TREE_H
#define MESH_TESTS_WINDOWS_TREE_H

#include "platform/windows/files.h"
#include "platform/windows/wide.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

static inline void to_wide(const char *text, wchar_t wide[MAX_PATH * 2])
{
    wchar_t *copy = mesh_wide(NULL, text);

    assert_non_null(copy);
    wcscpy(wide, copy);
    OPENSSL_free(copy);
}

/* Removes a folder with all that is in it. */
static inline void remove_tree(const char *path)
{
    char below[1024];
    wchar_t *wide;
    WIN32_FIND_DATAW found;
    HANDLE search;

    snprintf(below, sizeof(below), "%s\\*", path);
    wide = mesh_wide_path(NULL, below);
    search = FindFirstFileW(wide, &found);
    OPENSSL_free(wide);
    if (search != INVALID_HANDLE_VALUE) {
        do {
            char *name = mesh_utf8(NULL, found.cFileName);

            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
                snprintf(below, sizeof(below), "%s\\%s", path, name);
                remove_tree(below);
            }
            OPENSSL_free(name);
        } while (FindNextFileW(search, &found));
        FindClose(search);
    }
    wide = mesh_wide_path(NULL, path);
    if (!RemoveDirectoryW(wide))
        DeleteFileW(wide);
    OPENSSL_free(wide);
}

/* Entries of a folder, without "." and "..". */
static inline int entries(const char *path)
{
    char below[1024];
    wchar_t *wide;
    WIN32_FIND_DATAW found;
    HANDLE search;
    int count = 0;

    snprintf(below, sizeof(below), "%s\\*", path);
    wide = mesh_wide_path(NULL, below);
    search = FindFirstFileW(wide, &found);
    OPENSSL_free(wide);
    assert_true(search != INVALID_HANDLE_VALUE);
    do
        count += wcscmp(found.cFileName, L".") != 0
                 && wcscmp(found.cFileName, L"..") != 0;
    while (FindNextFileW(search, &found));
    FindClose(search);
    return count;
}

/* Gives a file or folder the access rights that a text of SDDL says. */
static inline void set_rights(const char *path, const char *sddl)
{
    wchar_t text[MAX_PATH * 2], *wide = mesh_wide_path(NULL, path);
    PSECURITY_DESCRIPTOR descriptor;
    BOOL present, defaulted;
    PACL list;

    to_wide(sddl, text);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        text, SDDL_REVISION_1, &descriptor, NULL));
    assert_true(
        GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted));
    assert_int_equal(
        SetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                              DACL_SECURITY_INFORMATION
                                  | PROTECTED_DACL_SECURITY_INFORMATION,
                              NULL, NULL, list, NULL),
        0);
    LocalFree(descriptor);
    OPENSSL_free(wide);
}

#endif
