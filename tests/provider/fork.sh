#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Servers load keys in the master and sign in children: after fork; and after
# fork, change of user and chroot.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
export LD_PRELOAD="${MESH_PRELOAD:-}"
say "parent and 4 children sign"
"$MESH_BUILD/tests/fork_and_sign" mesh://device/sign 4 200
if [ "$(id -u)" != 0 ]; then
    echo "only root can change the user and chroot: that part is skipped"
    exit 77
fi
say "4 children, each another user in an empty chroot, sign 1000 times"
"$MESH_BUILD/tests/fork_and_sign" mesh://device/sign 4 1000 nobody
# 1 by create, 1 + 5 * 200, 1 + 5 * 1000
[ "$(grep -c " sign" use.log)" = 6003 ] || die "not all in the use log"
