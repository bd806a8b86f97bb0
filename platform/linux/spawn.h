/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting mesh-keyd on demand, without a trace in the application.
 */
#ifndef MESH_PLATFORM_LINUX_SPAWN_H
#define MESH_PLATFORM_LINUX_SPAWN_H

#include "platform/context.h"

/*
 * What comes over the pipe that mesh-keyd gets as --ready-fd, as its first
 * octet: it serves, or another one was quicker and does (nothing follows); it
 * cannot (a text for people follows, to the end).  EOF alone: it ended.
 */
#define MESH_READY_SERVING 'R'
#define MESH_READY_FAILED  'E'

/*
 * Starts mesh-keyd (keyd-path of the configuration, else the built-in libexec
 * path) as a grandchild that is nobody's child, with signals reset, no
 * descriptor of ours and an environment of HOME, XDG_RUNTIME_DIR (the folder
 * where its socket would be by default, set here or not: a cron job's mesh-keyd
 * is the session's too), DBUS_SESSION_BUS_ADDRESS and a fixed PATH alone, with
 * the arguments --socket PATH --home LAYOUT --ready-fd 3; waits until it says
 * that it is ready, or that another one was quicker (both are success), at most
 * ten seconds.  Fails with MESH_R_KEYD_START.  Not for programs of two
 * identities (set-uid and the like).
 */
int mesh_keyd_spawn(struct mesh_context *ctx);

#endif
