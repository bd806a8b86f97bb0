/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The source of keys that the Secret Service of the desktop keeps.
 */
#ifndef MESH_KEYD_SECRET_SERVICE_H
#define MESH_KEYD_SECRET_SERVICE_H

#include "platform/linux/keyd/key_source.h"

/* Makes the source; its thread starts with the first use.  event: a collection
 * was locked or the Secret Service went away; the session bus is not there.
 * *passphrases is filled in and lives as long as the source.  NULL when memory
 * is short. */
struct mesh_key_source *
mesh_secret_service_source_new(struct mesh_context *ctx,
                               mesh_source_event_fn *event, void *arg,
                               struct mesh_passphrase_store *passphrases);

#endif
