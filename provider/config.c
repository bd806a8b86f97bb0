/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The provider's section of openssl.cnf.  libcrypto answers for names that are
 * asked for, and cannot list others: `meshctl doctor` reports unknown ones.
 */
#include "provider/config.h"

#include <openssl/params.h>

int mesh_config_read(struct mesh_context *ctx, const OSSL_CORE_HANDLE *core,
                     OSSL_FUNC_core_get_params_fn *get_params)
{
    const char *name;
    size_t i;

    for (i = 0; (name = mesh_context_setting(i)) != NULL; i++) {
        char *value = NULL;
        OSSL_PARAM params[] = {
            OSSL_PARAM_utf8_ptr(name, &value, 0),
            OSSL_PARAM_END,
        };

        if (!get_params(core, params))
            return mesh_raise(ctx, MESH_R_INTERNAL,
                              "cannot read %s from the configuration", name);
        if (value != NULL && !mesh_context_configure(ctx, name, value))
            return 0;
    }
    return 1;
}
