/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the linker does on Linux.
 */
#include "platform/resident.h"

#include <dlfcn.h>
#include <stddef.h>

void mesh_resident_begin(void)
{
    static const char here[] = "";
    Dl_info module;

    /* The handle is never given back. */
    if (dladdr(here, &module) != 0)
        (void)dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
