#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The first program to need mesh-keyd is a cron job, which knows neither
# XDG_RUNTIME_DIR nor a bus.  /run/user/UID has both, so the mesh-keyd that it
# starts is good for the whole session.
if [ "${1-}" != mounted ]; then
    if ! unshare --mount true; then
        echo "skipped: no right to make a /run of its own"
        exit 77
    fi
    exec unshare --mount "$0" mounted
fi
. "$(dirname "$0")/keyd_lib.sh"
bus=${DBUS_SESSION_BUS_ADDRESS#unix:path=}
export XDG_RUNTIME_DIR=/run/user/$UID
mount -t tmpfs -o mode=755 none /run
mkdir -p "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
ln -s "${bus%%,*}" "$XDG_RUNTIME_DIR/bus"

cron() {
    env -i HOME="$HOME" MESH_KEYD="$MESH_KEYD" "$MESH_BUILD/tests/keyd_call" \
        "$@"
}
say "the first one, without a session's variables"
cron generate P-256 > cron.pub || die "no key for the cron job"
pid=$(cron status | sed -n 's/^pid=//p')
say "the session: process $pid serves it too"
status_is "pid=$pid" || die "another one serves the session"
[ "$(call stat cron.pub)" = held ] || die "the session has not the key"
say "and with a wrong XDG_RUNTIME_DIR"
kill "$pid"
eventually [ ! -e "$XDG_RUNTIME_DIR/mesh/keyd.sock" ]
(unset DBUS_SESSION_BUS_ADDRESS
    XDG_RUNTIME_DIR=/nowhere call stat cron.pub) > out
[ "$(cat out)" = held ] || die "the folder that is nobody's was passed on"
say "without /run/user/UID nothing is found, and that is said"
kill "$(call status | sed -n 's/^pid=//p')"
mv "$XDG_RUNTIME_DIR" /run/away
fails_with "no Secret Service" cron generate P-256
