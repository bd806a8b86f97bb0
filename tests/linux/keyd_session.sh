#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mesh-keyd outlives the session that it was started in, or never had one: it
# does not stand in the way of a program that has a session bus.
. "$(dirname "$0")/keyd_lib.sh"
if [ "${1-}" = inside ]; then # in a session of its own, started below
    printf testpw | gnome-keyring-daemon --unlock --foreground \
        --components=secrets > /dev/null 2>&1 &
    trap 'kill %1' EXIT
    gdbus wait --session --timeout 10 org.freedesktop.secrets
    call generate P-256 > "$2"
    [ "$(call stat "$2")" = held ]
    exit
fi
new_key file EC ec_paramgen_curve:P-256
chmod 600 file.pem
pid() {
    call status | sed -n s/^pid=//p
}
without_bus() {
    (unset DBUS_SESSION_BUS_ADDRESS && "$@")
}
no_keyd() {
    ! pgrep -f "^$MESH_KEYD --socket $XDG_RUNTIME_DIR/"
}

say "first started without a bus, then asked by a program that has one"
without_bus fails_with ", was started without a session bus" \
    call generate P-256
call generate P-256 > one.pub
[ "$(call stat one.pub)" = held ]
say "the other way round, it has one for all"
[ "$(without_bus call stat one.pub)" = held ]
kill "$(pid)"
eventually no_keyd

say "one session after another"
for i in 1 2 3; do
    dbus-run-session --config-file="$here/../session-bus.conf" -- \
        "$here/keyd_session.sh" inside new.$i
done
eventually no_keyd

say "while key files are registered it stays, for they need no session"
(export DBUS_SESSION_BUS_ADDRESS= && call register "$PWD/file.pem") > /dev/null
served_by=$(without_bus pid)
without_bus fails_with "without a session bus" call generate P-256
without_bus signs file
[ "$(without_bus pid)" = "$served_by" ]

say "and says which process is in the way of a program that has one"
fails_with "no Secret Service: mesh-keyd, process $served_by, was started" \
    call generate P-256
say "a bus that comes later in the standard place is found"
path=${DBUS_SESSION_BUS_ADDRESS#unix:path=}
ln -s "${path%%,*}" "$XDG_RUNTIME_DIR/bus"
call generate P-256 > late.pub
[ "$(call stat late.pub)" = held ]
[ "$(pid)" = "$served_by" ]
rm "$XDG_RUNTIME_DIR/bus"

kill "$(pid)"
eventually no_keyd

command -v strace > /dev/null || {
    echo "skipped: a slow end needs strace"
    exit 77
}
say "the session ends: keys are locked while mesh-keyd is ending"
cat > slow-end <<END
#!/bin/sh
exec strace -D -f -qq -o /dev/null -e trace=exit_group \\
    -e inject=exit_group:delay_enter=1000000 "$MESH_KEYD" "\$@"
END
chmod +x slow-end
: > "$use_log"
MESH_KEYD=$PWD/slow-end ASAN_OPTIONS=detect_leaks=0 start_keyd 2> errors
status_is secret-service=1
kill "$keyd"
eventually grep -q "told to end" "$use_log"
kill -KILL "$(service_pid)"
wait "$keyd" || die "mesh-keyd ended with $?"
tail -n 1 "$use_log" | grep -q "keys are forgotten"
[ ! -s errors ] || die "$(cat errors)"
