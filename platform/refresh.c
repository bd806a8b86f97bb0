/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which profiles this process has asked for.
 */
#include "platform/refresh.h"

#include <stdatomic.h>
#include <stdint.h>

#define REFRESHES_MAX 64 /* profiles in the life of a process */

/* No lock, which a fork could leave taken. */
int mesh_refresh_is_first(const char *udf)
{
    static _Atomic uint64_t asked[REFRESHES_MAX];
    uint64_t name = 14695981039346656037u; /* FNV-1a */

    for (; *udf != '\0'; udf++)
        name = (name ^ (unsigned char)*udf) * 1099511628211u;
    for (size_t i = 0; i < REFRESHES_MAX; i++) {
        uint64_t expected = 0;

        if (atomic_compare_exchange_strong(&asked[i], &expected, name))
            return 1;
        if (expected == name)
            return 0;
    }
    return 0;
}
