/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What keeps private keys out of other hands and out of freed memory.
 */
#ifndef MESH_KEYD_HARDEN_H
#define MESH_KEYD_HARDEN_H

#include <stddef.h>

/*
 * Makes libcrypto wipe whatever it frees.  Before any other call of libcrypto;
 * fails if that came too late.
 */
int mesh_harden_allocator(void);

/* No core dump, no reading by other processes of the user, no new privileges,
 * files for us alone.  *failed names the step that failed. */
int mesh_harden_process(const char **failed);

/* Makes the secure heap, as large as the limit of locked memory allows.
 * Returns its size in octets, 0 if there is none. */
size_t mesh_harden_secure_heap(void);

/* Wipes the stack below the caller, where a function that has returned may
 * have left parts of a key. */
void mesh_wipe_stack(void);

#endif
