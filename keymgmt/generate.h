/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key generation in software, for keymgmt.c: the functions of
 * provider-keymgmt(7) with the type where they need it.
 */
#ifndef MESH_KEYMGMT_GENERATE_H
#define MESH_KEYMGMT_GENERATE_H

#include <openssl/core_dispatch.h>

void *mesh_generate_init(void *provctx, const char *type, int selection,
                         const OSSL_PARAM params[]);
OSSL_FUNC_keymgmt_gen_set_template_fn mesh_generate_set_template;
OSSL_FUNC_keymgmt_gen_set_params_fn mesh_generate_set_params;
OSSL_FUNC_keymgmt_gen_settable_params_fn mesh_generate_settable_params;
OSSL_FUNC_keymgmt_gen_fn mesh_generate;
OSSL_FUNC_keymgmt_gen_cleanup_fn mesh_generate_free;

#endif
