#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The profile cannot be written: the key goes again.  Needs root, to mount a
# tiny disk.
if [ "${1-}" != mounted ]; then
    [ "$(id -u)" = 0 ] && unshare --mount true 2> /dev/null || {
        echo "skipped: only root can mount a full disk"
        exit 77
    }
    exec unshare --mount "$0" mounted
fi
. "$(dirname "$0")/../tools/lib.sh"
export CRYPTOMESH_HOME=$HOME/small
genpkey() {
    openssl genpkey -propquery '?provider=mesh' -algorithm EC \
        -pkeyopt group:P-256 -pkeyopt role:vpn -out key.pem 2>&1
}
mkdir -m 700 small
mount -t tmpfs -o size=64k,mode=700 none small
meshctl create device --algorithm P-256

say "full"
dd if=/dev/zero of=small/fill bs=1024 2> /dev/null || true
before=$(state small)
fails_with "No space left" genpkey
same "$(state small)" "$before"
say "read-only"
rm small/fill
mount -o remount,ro small
before=$(state small)
fails_with "Read-only" genpkey
same "$(state small)" "$before"
same "$(used generate)" 5 # three of the device, and two that are gone
say "it was the disk alone"
mount -o remount,rw small
meshctl verify mesh://device
