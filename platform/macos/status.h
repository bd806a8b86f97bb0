/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the Keychain answers.
 */
#ifndef MESH_PLATFORM_MACOS_STATUS_H
#define MESH_PLATFORM_MACOS_STATUS_H

#include "platform/context.h"

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

/* Raises a status that is not errSecSuccess: what was done, with which key (or
 * "").  Is 0. */
int mesh_status_raise(struct mesh_context *ctx, OSStatus status,
                      const char *what, const char *of);

/* The status in an error, which is released; *error may be NULL, as after
 * memory was short. */
OSStatus mesh_status_of(CFErrorRef *error);

/* Whether it is about the data, or may be: not about who may use the key. */
int mesh_status_is_of_data(OSStatus status);

#endif
