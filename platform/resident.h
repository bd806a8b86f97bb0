/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The module in a process; linux/resident.c, macos/…, windows/….
 */
#ifndef MESH_PLATFORM_RESIDENT_H
#define MESH_PLATFORM_RESIDENT_H

/* Before anything else is done: the module stays until the process ends; so
 * does, on Windows, the libcrypto that is inside, which reads no configuration.
 */
void mesh_resident_begin(void);

#endif
