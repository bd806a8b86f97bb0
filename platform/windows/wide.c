/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 and UTF-16.
 */
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <windows.h>

char *mesh_utf8(struct mesh_context *ctx, const wchar_t *text)
{
    int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1,
                                   NULL, 0, NULL, NULL);
    char *copy;

    if (size <= 0) {
        mesh_raise(ctx, MESH_R_USAGE, "a text of Windows is no UTF-16");
        return NULL;
    }
    copy = OPENSSL_malloc((size_t)size);
    if (copy == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        return NULL;
    }
    WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, copy, size,
                        NULL, NULL);
    return copy;
}

wchar_t *mesh_wide(struct mesh_context *ctx, const char *text)
{
    int size =
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *copy;

    if (size <= 0) {
        mesh_raise(ctx, MESH_R_USAGE, "\"%.100s\" is no UTF-8", text);
        return NULL;
    }
    copy = OPENSSL_malloc((size_t)size * sizeof(*copy));
    if (copy == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        return NULL;
    }
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, copy, size);
    return copy;
}
