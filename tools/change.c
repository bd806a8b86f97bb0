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

/* The one that waits; 0: none does. */
static int waiting_signal(void)
{
    sigset_t waiting;

    sigpending(&waiting);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigismember(&waiting, signals[i]))
            return signals[i];
    return 0;
}

int change_is_interrupted(void)
{
    return waiting_signal() != 0;
}

int change_go_on(struct mesh_context *ctx)
{
    int number = waiting_signal();

    return number == 0
           || mesh_raise(ctx, MESH_R_INTERRUPTED, "%s", strsignal(number));
}

void change_begin(struct mesh_change *change, struct mesh_context *ctx)
{
    mesh_change_begin(change, ctx);
    change->go_on = change_go_on;
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
