/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The provider's section of openssl.cnf.
 */
#ifndef MESH_PROVIDER_CONFIG_H
#define MESH_PROVIDER_CONFIG_H

#include "platform/context.h"

#include <openssl/core_dispatch.h>

/*
 * Takes the settings that openssl.cnf (or -provparam) has for this provider.
 * None at all is fine: a program may load the provider by its name alone.
 * Fails with MESH_R_CONFIGURATION for a value that does not fit.
 */
int mesh_config_read(struct mesh_context *ctx, const OSSL_CORE_HANDLE *core,
                     OSSL_FUNC_core_get_params_fn *get_params);

#endif
