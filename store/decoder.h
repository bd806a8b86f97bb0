/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The decoders of key-reference files, as the provider hands them to libcrypto.
 */
#ifndef MESH_STORE_DECODER_H
#define MESH_STORE_DECODER_H

#include <openssl/core.h>

/* The same ones at every call. */
const OSSL_ALGORITHM *mesh_decoder_algorithms(void);

#endif
