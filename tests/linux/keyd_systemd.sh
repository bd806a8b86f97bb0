#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mesh-keyd on a socket that systemd made and passed.
. "$(dirname "$0")/keyd_lib.sh"
command -v python3 > /dev/null || { echo "needs python3"; exit 77; }
socket=$XDG_RUNTIME_DIR/mesh/keyd.sock
mkdir -m 700 "$XDG_RUNTIME_DIR/mesh"
# activated SOCKET COMMAND...: as systemd starts it.
activated() {
    python3 /dev/fd/8 "$@" 8<<'PYTHON' &
import os, socket, sys
if os.path.exists(sys.argv[1]): # as systemd does
    os.unlink(sys.argv[1])
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
PYTHON
    keyd=$!
    eventually test -S "$1"
}
say "systemd's socket: taken over, and left where it is"
activated "$socket" "$MESH_KEYD" --idle-timeout 1 --log "$use_log"
eventually status_is pid=$keyd
wait "$keyd"
[ -S "$socket" ]
rm "$socket"

say "also in the place of one that serves already, which leaves it there, too"
start_keyd
first=$keyd
activated "$socket" "$MESH_KEYD" --idle-timeout 60 --log "$use_log"
eventually status_is pid=$keyd
kill "$first"
wait "$first"
status_is pid=$keyd
fails_with "process $keyd serves" "$MESH_KEYD" --foreground
stop_keyd

say "elsewhere: the log says where"
mkdir -m 700 elsewhere
activated "$HOME/elsewhere/s" "$MESH_KEYD" --log "$use_log" --group "$(id -gn)"
MESH_KEYD_SOCKET=$HOME/elsewhere/s eventually status_is pid=$keyd
tail -n 2 "$use_log" | grep -q "serves on $HOME/elsewhere/s"
tail -n 1 "$use_log" | grep -q "SocketGroup="
stop_keyd
