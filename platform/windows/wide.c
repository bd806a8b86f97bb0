/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 and UTF-16.
 */
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <windows.h>

static void *allocate(struct mesh_context *ctx, int count, size_t size)
{
    void *copy = OPENSSL_malloc((size_t)count * size);

    if (copy == NULL && ctx != NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "text");
    return copy;
}

char *mesh_utf8(struct mesh_context *ctx, const wchar_t *text)
{
    int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1,
                                   NULL, 0, NULL, NULL);
    char *copy = NULL;

    if (size > 0)
        copy = allocate(ctx, size, sizeof(*copy));
    else if (ctx != NULL)
        mesh_raise(ctx, MESH_R_USAGE, "a text of Windows is no UTF-16");
    if (copy != NULL)
        WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, copy, size,
                            NULL, NULL);
    return copy;
}

wchar_t *mesh_wide(struct mesh_context *ctx, const char *text)
{
    int size =
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *copy = NULL;

    if (size > 0)
        copy = allocate(ctx, size, sizeof(*copy));
    else if (ctx != NULL)
        mesh_raise(ctx, MESH_R_USAGE, "\"%.100s\" is no UTF-8", text);
    if (copy != NULL)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, copy,
                            size);
    return copy;
}
