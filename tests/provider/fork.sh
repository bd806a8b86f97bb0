#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Servers load keys in the master and sign in children, after fork.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
export LD_PRELOAD="${MESH_PRELOAD:-}"
say "parent and 4 children sign 200 times"
"$MESH_BUILD/tests/fork_and_sign" mesh://device/sign 4 200
# 1 by create, 1 + 5 * 200
[ "$(grep -c " sign" use.log)" = 1002 ] || die "not all in the use log"
