/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change (store/change.h) by a command: signals wait, the user is told.
 */
#ifndef MESH_TOOLS_CHANGE_H
#define MESH_TOOLS_CHANGE_H

#include "store/change.h"

/* From here on signals that end programs wait for the end of the process; one
 * that waits lets the change fail at its next step. */
void change_begin(struct mesh_change *change, struct mesh_context *ctx);
/* mesh_change_end(), and a note if something was undone. */
int change_end(struct mesh_change *change, int ok);

/* Whether a signal waits; go_on raises it. */
int change_is_interrupted(void);
int change_go_on(struct mesh_context *ctx);

#endif
