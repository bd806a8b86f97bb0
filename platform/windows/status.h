/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the key stores of Windows answer: NTSTATUS, HRESULT and Win32 numbers.
 * 0 is success and everything else is a failure: a TPM's are not negative.
 */
#ifndef MESH_PLATFORM_WINDOWS_STATUS_H
#define MESH_PLATFORM_WINDOWS_STATUS_H

#include "platform/context.h"

#include <windows.h>

/* What a status means for whoever looks for a key or uses it; bits. */
#define MESH_STATUS_NO_KEY      0x1u /* there is no such key */
#define MESH_STATUS_NO_DEVICE   0x2u /* what would hold it is not there */
#define MESH_STATUS_DATA        0x4u /* it is about the data, or may be */
#define MESH_STATUS_UNSUPPORTED 0x8u /* it cannot be done at all */

/* MESH_STATUS_… of a status; MESH_STATUS_DATA of one that is not known. */
unsigned mesh_status_kind(DWORD status);

/* Raises a status that is not 0: what was done, with which key or provider
 * (UTF-8, or "").  Is 0. */
int mesh_status_raise(struct mesh_context *ctx, DWORD status, const char *what,
                      const char *of);

#endif
