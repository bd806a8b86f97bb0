/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Digests, as libcrypto, CNG and CryptoAPI call them.
 */
#ifndef MESH_PLATFORM_WINDOWS_DIGEST_H
#define MESH_PLATFORM_WINDOWS_DIGEST_H

#include "platform/pkcs1.h"
#include "platform/windows/source.h"

struct mesh_digest {
    const wchar_t *cng; /* NULL: CNG has no name for it */
    ALG_ID legacy;      /* 0: CryptoAPI has no number for it */
    int plain;          /* PKCS#1 puts no DigestInfo round it */
    size_t size;        /* in octets */
    int nid;            /* libcrypto's number; NID_undef if it has none */
};

/* Looks a digest up.  Fails with MESH_R_OPERATION_UNSUPPORTED for a name that
 * libcrypto does not have. */
int mesh_digest_find(struct mesh_context *ctx, const char *name,
                     struct mesh_digest *digest);
/* The one that CryptoAPI signs input of such a length as, without a
 * DigestInfo; legacy is 0 if there is none. */
struct mesh_digest mesh_digest_of_size(size_t size);

/* Reads a DigestInfo with nothing after it: *value is in der.  0, and nothing
 * written: it is none, or of a digest that CryptoAPI does not have. */
int mesh_digest_unwrap(const unsigned char *der, size_t len,
                       struct mesh_digest *digest, const unsigned char **value);

#endif
