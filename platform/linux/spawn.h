/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting mesh-keyd on demand, without a trace in the application.
 */
#ifndef MESH_PLATFORM_LINUX_SPAWN_H
#define MESH_PLATFORM_LINUX_SPAWN_H

#include "platform/context.h"

/*
 * Starts mesh-keyd (keyd-path of the configuration, else the built-in libexec
 * path) as a grandchild that is nobody's child, with signals reset, no
 * descriptor of ours and an environment of HOME, XDG_RUNTIME_DIR and
 * DBUS_SESSION_BUS_ADDRESS alone; waits until it says that it is ready, or that
 * another one was quicker (both are success), at most ten seconds.  Fails with
 * MESH_R_KEYD_START.  Not for set-uid programs.
 */
int mesh_keyd_spawn(struct mesh_context *ctx);

#endif
