/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change by a command: signals and notes.
 */
#include "tools/change.h"

#include "tools/command.h"
#include "tools/host.h"

#include <openssl/crypto.h>
#include <string.h>

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

/* Once for each profile, however many changes it has a part in. */
static void note_ahead(const struct mesh_change *change)
{
    static char said[MESH_UDF_TEXT_MAX];

    if (change->ahead[0] == '\0' || strcmp(said, change->ahead) == 0)
        return;
    OPENSSL_strlcpy(said, change->ahead, sizeof(said));
    command_note("profile %s was updated %s, but the clock of this computer "
                 "shows %s: set it if it is wrong; until then each version is "
                 "dated a second after the one before",
                 change->ahead, change->ahead_updated, change->now);
}

int change_end(struct mesh_change *change, int ok)
{
    ok = mesh_change_end(change, ok);
    note_ahead(change);
    if (change->undone)
        command_note("all that was done before was undone: new keys deleted, "
                     "files as before");
    return ok;
}
