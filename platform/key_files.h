/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key files: private keys that stay where a Linux application expects them
 * (draft-hallambaker-mesh-platform, section 5.1), registered under their
 * fingerprint in the member "KeyFiles" of profiles.json:
 *
 *   "KeyFiles": { "<UDF>": { "File": "/etc/ssl/private/www.pem",
 *                            "SPKI-SHA256": "<64 hex digits>",
 *                            "Passphrase": "secret-service" } }
 *
 * Only mesh-keyd opens the files.
 */
#ifndef MESH_PLATFORM_KEY_FILES_H
#define MESH_PLATFORM_KEY_FILES_H

#include "platform/layout.h"

struct mesh_key_file {
    const char *udf;
    unsigned char spki_sha256[32];
    const char *path; /* absolute */
    const char
        *passphrase; /* NULL: none; "secret-service"; "credential:NAME" */
};

/* The i-th registered key file of a layout, NULL past the end; owned by it. */
const struct mesh_key_file *
mesh_key_file_entry(const struct mesh_layout *layout, size_t i);
/* Whether a registration may say this: an absolute path without "..", and where
 * the passphrase is; MESH_R_LAYOUT_MALFORMED, MESH_R_UNSAFE_PATH. */
int mesh_key_file_check(struct mesh_context *ctx, const char *path,
                        const char *passphrase);
/* Registers, or replaces the registration of that fingerprint. */
int mesh_key_file_add(struct mesh_context *ctx,
                      const struct mesh_key_file *file);
/* Removes a registration; the file itself is not touched. */
int mesh_key_file_remove(struct mesh_context *ctx, const char *udf);

#endif
