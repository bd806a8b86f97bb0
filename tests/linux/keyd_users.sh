#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Other users: members of --group use keys and do nothing else, others do not
# come near; and the user himself cannot read mesh-keyd's memory.
. "$(dirname "$0")/keyd_lib.sh"
[ "$(id -u)" = 0 ] || { echo "needs root to become other users"; exit 77; }
group=$(getent group users | cut -d: -f3)
place=$(mktemp -d /tmp/mesh-users-XXXXXX)
socket=$place/run/keyd.sock
trap 'kill $keyd 2> /dev/null || true; rm -rf "$place"' EXIT
chmod 711 "$place"
mkdir -m 700 "$place/run" "$place/home"
new_key key EC ec_paramgen_curve:P-256
cp key.pem "$place/home"
cp key.pub "$place"
chmod 600 "$place/home/key.pem"
chmod 644 "$place/key.pub"
cp "$MESH_BUILD/mesh-keyd" "$MESH_BUILD/tests/keyd_call" "$place"
chown -R 12345:12345 "$place/run" "$place/home"
cd "$place"
# as UID GROUPS COMMAND...
as() {
    setpriv --reuid "$1" --regid "$1" --groups "$2" --no-new-privs \
        env HOME="$place/home" MESH_KEYD_SOCKET="$socket" MESH_KEYD=/none \
        "${@:3}"
}
owner() { as 12345 "12345,$group" "$@"; }
member() { as 12346 "12346,$group" "$@"; }
stranger() { as 12347 12347 "$@"; }
start() {
    owner ./mesh-keyd --foreground --socket "$socket" --group users \
        --idle-timeout 60 2> log &
    job=$! keyd=
    eventually owner ./keyd_call status > status
    keyd=$(sed -n s/^pid=//p status)
}
stop() {
    kill "$keyd"
    wait "$job" || die "mesh-keyd ended with $?"
}
sign() {
    digest | "$1" ./keyd_call sign key.pub > sig
    openssl dgst -sha256 -verify key.pub -signature sig <(printf %s text) \
        > /dev/null
}
start
owner ./keyd_call register "$place/home/key.pem" > /dev/null

say "the socket is open to the group"
[ "$(stat -c "%a %g" run run/keyd.sock)" = "710 $group
660 $group" ]
say "a member signs, and neither deletes nor locks"
sign member
fails_with "own user may do that" member ./keyd_call delete key.pub
fails_with "own user may do that" member ./keyd_call lock
fails_with "own user may do that" member ./keyd_call generate P-256
sign owner
say "another user does not come near"
fails_with "ermission denied" stranger ./keyd_call sign key.pub < /dev/null
say "nobody but root reads its memory"
fails_with "ermission denied" owner cat "/proc/$keyd/maps"
cat "/proc/$keyd/maps" > /dev/null
say "it serves again in the folder that it opened"
stop
start
sign member
stop
keyd=
