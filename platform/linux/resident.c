/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The linker has said -z nodelete.
 */
#include "platform/resident.h"

void mesh_resident_begin(void)
{
}
