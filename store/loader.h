/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The OSSL_STORE loader of mesh: URIs, as the provider hands it to libcrypto.
 */
#ifndef MESH_STORE_LOADER_H
#define MESH_STORE_LOADER_H

#include <openssl/core.h>

extern const OSSL_ALGORITHM mesh_store_algorithms[];

#endif
