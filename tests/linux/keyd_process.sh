#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mesh-keyd as a process: options, one instance alone, stale sockets, its ends,
# and how it is protected.
. "$(dirname "$0")/keyd_lib.sh"
socket=$XDG_RUNTIME_DIR/mesh/keyd.sock
ended() {
    ! kill -0 "$keyd"
}

say "options"
"$MESH_KEYD" --help | grep -q -- "--idle-timeout SECONDS"
[ "$("$MESH_KEYD" --version)" = "mesh-keyd 0.1.0" ]
fails_with "no such option" "$MESH_KEYD" --frobnicate
fails_with "needs an argument" "$MESH_KEYD" --log
fails_with "number from 1 to" "$MESH_KEYD" --idle-timeout 5x
fails_with "number from 1 to" "$MESH_KEYD" --max-connections 0
fails_with "no group \"nonesuch\"" "$MESH_KEYD" --group nonesuch
fails_with "absolute path" "$MESH_KEYD" --socket keyd.sock
fails_with "options alone" "$MESH_KEYD" start

say "the configuration file: the same names; the command line goes first"
mkdir -p .config/mesh
conf=.config/mesh/keyd.conf
printf 'socket = %s/own/keyd.sock\nidle-timeout = 3 # s\n' "$HOME" > $conf
chmod 600 $conf
start_keyd
MESH_KEYD_SOCKET=$HOME/own/keyd.sock call status > /dev/null
stop_keyd
start_keyd --socket "$socket"
[ -S "$socket" ]
stop_keyd
echo "idle-timout = 3" > $conf
fails_with "no setting \"idle-timout\"" "$MESH_KEYD" --foreground
printf 'log = /dev/null\n[own]\nidle-timeout = 3\n' > $conf
fails_with "no sections, but one is [own]" "$MESH_KEYD" --foreground
echo "[idle" > $conf
fails_with "line 1" "$MESH_KEYD" --foreground
chmod 622 $conf
fails_with "$conf" "$MESH_KEYD" --foreground
rm $conf
fails_with "missing.conf" \
    "$MESH_KEYD" --foreground --config "$HOME/missing.conf"

say "of twenty one serves, and all say ready"
for i in $(seq 20); do
    "$MESH_KEYD" --log "$use_log" --ready-fd 9 9> ready.$i &
done
eventually test -S "$socket"
status_is "program=mesh-keyd 0.1.0"
for i in $(seq 20); do
    eventually grep -q R ready.$i
done
one() {
    [ "$(jobs -r | wc -l)" = 1 ]
}
eventually one
keyd=$(call status | sed -n s/^pid=//p)

say "a further one says who serves, unless the module started it"
fails_with "process $keyd serves $socket already" "$MESH_KEYD" --foreground
"$MESH_KEYD" --ready-fd 9 9> ready.0
grep -q R ready.0

say "protected: not dumpable, no core, no new privileges"
grep -q "^NoNewPrivs:.*1" "/proc/$keyd/status"
grep -q "^Max core file size *0 *0" "/proc/$keyd/limits"
if [ "$(id -u)" != 0 ]; then # else keyd_users.sh looks
    fails_with "ermission denied" cat "/proc/$keyd/maps"
fi
for path in "$socket" "$XDG_RUNTIME_DIR/mesh" "$use_log"; do
    case $(stat -c %a "$path") in
    ?00) ;;
    *) die "$path is open to others" ;;
    esac
done

say "killed: the stale socket is replaced"
disown -a
kill -KILL "$keyd"
eventually ended
[ -S "$socket" ]
start_keyd
call status > /dev/null

say "told to end: in order, the socket is gone"
stop_keyd
[ ! -e "$socket" ]
tail -n 1 "$use_log" | grep -q "told to end"

say "unused: ends by itself"
start_keyd --idle-timeout 1
wait "$keyd"
[ ! -e "$socket" ]

say "not what is in its way: a file, a folder that is open to others"
echo data > "$socket"
fails_with "is no socket" "$MESH_KEYD" --foreground
[ "$(cat "$socket")" = data ]
rm "$socket"
chmod 755 "$XDG_RUNTIME_DIR/mesh"
fails_with "open to others" "$MESH_KEYD" --foreground
if "$MESH_KEYD" --ready-fd 9 9> ready.0 2> /dev/null; then
    die "it serves in a folder that is open to others"
fi
grep -q "^E.*open to others" ready.0
chmod 700 "$XDG_RUNTIME_DIR/mesh"
