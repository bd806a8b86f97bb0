/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of store/make_key.h: what was asked for, and how often.
 */
#ifndef MESH_TESTS_MAKE_KEY_DOUBLE_H
#define MESH_TESTS_MAKE_KEY_DOUBLE_H

#include "platform/context.h"

struct double_made {
    unsigned made, unmade;
    char algorithm[32], profile[64], role[64]; /* "-": none was said */
};
extern struct double_made double_made;
/* What making a key fails with; MESH_R_NONE: it succeeds. */
extern enum mesh_reason double_make_failure;

#endif
