/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The stack that others leave behind; apart from the rest of harden.h, which
 * Linux alone has.
 */
#include "platform/linux/keyd/harden.h"

#include <openssl/crypto.h>

/* Deeper than what libcrypto's decoders and key generation were seen to use. */
#define STACK_WIPED ((size_t)64 << 10)

#ifdef __GNUC__
__attribute__((noinline))
#endif
void mesh_wipe_stack(void)
{
    unsigned char area[STACK_WIPED];

    OPENSSL_cleanse(area, sizeof(area));
}
