/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change by a command: signals and notes.
 */
#include "tools/change.h"

#include "tools/command.h"
#include "tools/host.h"

int change_is_interrupted(void)
{
    return host_waiting_signal() != NULL;
}

int change_go_on(struct mesh_context *ctx)
{
    const char *signal = host_waiting_signal();

    return signal == NULL || mesh_raise(ctx, MESH_R_INTERRUPTED, "%s", signal);
}

void change_begin(struct mesh_change *change, struct mesh_context *ctx)
{
    mesh_change_begin(change, ctx);
    change->go_on = change_go_on;
    host_hold_signals();
}

int change_end(struct mesh_change *change, int ok)
{
    ok = mesh_change_end(change, ok);
    if (change->undone)
        command_note("all that was done before was undone: new keys deleted, "
                     "files as before");
    return ok;
}
