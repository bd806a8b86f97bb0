#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The disk is full: nothing is half made.  Needs root, to mount a tiny disk.
if [ "${1-}" != mounted ]; then
    [ "$(id -u)" = 0 ] && unshare --mount true 2> /dev/null || {
        echo "skipped: only root can mount a full disk"
        exit 77
    }
    exec unshare --mount "$0" mounted
fi
. "$(dirname "$0")/lib.sh"
small() {
    meshctl --home "$HOME/small" "$@"
}
fill() {
    dd if=/dev/zero of=small/fill bs=1024 2> /dev/null || true
}
mkdir -m 700 small
mount -t tmpfs -o size=64k,mode=700 none small

say "no room for the first profile"
fill
fails_with "No space left on device" small create device --algorithm P-256
has "" small list
same "$(keys)" 0
same "$(find small -name '*.mmm*' -o -name 'M*')" ""
fails_with "new keys deleted" small create device --algorithm P-256

say "with room it works"
rm small/fill
small create device --algorithm P-256
small create personal --algorithm P-256
same "$(keys)" 6

CRYPTOMESH_HOME=$HOME/small openssl req -x509 -key mesh://device/auth \
    -subj /CN=test -out auth.crt

# Leaves N KiB: each step of a change meets the full disk once.
leave() {
    rm -f small/fill
    fill
    truncate -s "-$1K" small/fill
}
for room in 0 4 8 12; do
    say "$room KiB left"
    plain genpkey -algorithm ED25519 -out key.pem
    leave $room
    for command in "create device --algorithm P-256" "create personal" \
        "create application web" "import key.pem" \
        "certificate mesh://device/auth auth.crt"; do
        before=$(state small | grep -v fill)
        if small $command > out 2>&1; then
            rm small/fill
            small verify mesh://device mesh://personal
            leave $room
        else
                        grep -q "No space left" out || die "$command: $(cat out)"
            grep -q "all that was done before was undone" out ||
                die "$command: $(cat out)"
            same "$(state small | grep -v fill)" "$before"
        fi
    done
done
say "nothing was spoilt"
small list
small verify mesh://device mesh://personal
