/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The source of keys that lie in files, where applications expect them.
 */
#ifndef MESH_KEYD_KEY_FILE_H
#define MESH_KEYD_KEY_FILE_H

#include "platform/linux/keyd/key_source.h"

/* Makes the source.  passphrases: where "secret-service" ones are, NULL for
 * nowhere; it must outlive the source.  NULL when memory is short. */
struct mesh_key_source *
mesh_key_file_source_new(const struct mesh_passphrase_store *passphrases);

/*
 * Registers a key file: checks that it can be read and is nobody else's, keeps
 * the passphrase (NULL: none given) where passphrase_source says, writes the
 * registration.  *key is the caller's.
 */
int mesh_key_file_register(struct mesh_key_source *source,
                           struct mesh_context *ctx, const char *path,
                           const char *passphrase_source,
                           const char *passphrase, size_t passphrase_len,
                           const struct mesh_patience *patience,
                           EVP_PKEY **key);

#endif
