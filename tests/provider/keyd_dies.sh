#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mesh-keyd is killed between two signatures, and in the middle of one: the next
# signature works, none is wrong, none takes longer than the time limit.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
: > loop.out
LD_PRELOAD="${MESH_PRELOAD:-}" \
    "$MESH_BUILD/tests/sign_loop" mesh://device/sign 60 50 > loop.out 2>&1 &
loop=$!
keyd() {
    pgrep -u "$(id -u)" -f -- "mesh-keyd --socket $XDG_RUNTIME_DIR/" | head -n 1
}
# signs_on: waits until a few more signatures are there.
signs_on() {
    before=$(wc -l < loop.out)
    for _ in $(seq 100); do
        [ "$(wc -l < loop.out)" -lt $((before + 3)) ] || return 0
        sleep 0.1
    done
    die "no more signatures: $(tail -n 3 loop.out)"
}
signs_on
for _ in 1 2; do
    say "killed at any time"
    old=$(keyd)
    kill -KILL "$old"
    signs_on
    [ "$(keyd)" != "$old" ] || die "not started again"
done
say "killed in the middle of a signature"
old=$(keyd)
kill -STOP "$old"
sleep 0.5
kill -KILL "$old"
signs_on
wait "$loop" || die "$(cat loop.out)"
! grep FAILED loop.out || exit 1
[ "$(wc -l < loop.out)" = 60 ] || die "not all were made"
longest=$(awk '$3 > max { max = $3 } END { print max }' loop.out)
[ "$longest" -lt 10000 ] || die "one took $longest ms"
say "one that cannot be started says why"
kill -KILL "$(keyd)"
sed -i "s|^keyd-path.*|keyd-path = /nonexistent/mesh-keyd|" openssl.cnf
fails_with "/nonexistent/mesh-keyd" \
    openssl dgst -sha256 -sign mesh://device/sign -out sig openssl.cnf
[ ! -e sig ] || [ ! -s sig ] || die "there is a signature"
