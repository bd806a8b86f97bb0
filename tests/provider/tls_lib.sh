# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that run openssl s_server.
. "$(dirname "$0")/../lib.sh"
server=
# As processes of their own, not functions of the shell: they are ended by pid.
ours="LD_PRELOAD=${MESH_PRELOAD:-} openssl"
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :' EXIT

# serve COMMAND...: starts a server and waits until it accepts; sets $port.
serve() {
    : > server.out
    env "$@" -accept 127.0.0.1:0 -www > server.out 2>&1 &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.out)
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    die "no server: $(cat server.out)"
}
stop() {
    kill "$server"
    wait "$server" 2>/dev/null || :
    server=
}
