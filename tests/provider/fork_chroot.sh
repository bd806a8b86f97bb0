#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Servers load keys in the master and sign in children, after fork, change of
# user and chroot.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" != 0 ]; then
    echo "skipped: only root can change the user and chroot"
    exit 77
fi
meshctl create device --algorithm P-256
export LD_PRELOAD="${MESH_PRELOAD:-}"
say "4 children, each another user in an empty chroot, sign 1000 times"
"$MESH_BUILD/tests/fork_and_sign" mesh://device/sign 4 1000 nobody
# 1 by create, 1 + 5 * 1000
[ "$(grep -c " sign" use.log)" = 5002 ] || die "not all in the use log"
say "one process, another user in an empty chroot by then, signs in 8 threads"
# (there is no /proc, in which a sanitizer would look for leaks)
ASAN_OPTIONS=detect_leaks=0 \
    "$MESH_BUILD/tests/fork_and_sign" mesh://device/sign 0 1000 nobody
[ "$(grep -c " sign" use.log)" = 13003 ] || die "not all in the use log"
