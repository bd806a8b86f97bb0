/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change by a command: signals and notes.
 */
#include "tools/change.h"

#include "tools/command.h"

#include <signal.h>
#include <string.h>

/* What ends a program, and may not end it between two steps of a change. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* They wait until main() lets them come; those that are ignored need not. */
static void hold_signals(void)
{
    struct sigaction action;
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &action) == 0
            && action.sa_handler != SIG_IGN)
            sigaddset(&held, signals[i]);
    sigprocmask(SIG_BLOCK, &held, NULL);
}

/* Fails if one of them waits. */
static int no_signal(struct mesh_context *ctx)
{
    sigset_t waiting;

    sigpending(&waiting);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigismember(&waiting, signals[i]))
            return mesh_raise(ctx, MESH_R_INTERRUPTED, "%s",
                              strsignal(signals[i]));
    return 1;
}

void change_begin(struct mesh_change *change, struct mesh_context *ctx)
{
    mesh_change_begin(change, ctx);
    change->go_on = no_signal;
    hold_signals();
}

int change_end(struct mesh_change *change, int ok)
{
    ok = mesh_change_end(change, ok);
    if (change->undone)
        command_note("all that was done before was undone: new keys deleted, "
                     "files as before");
    return ok;
}
