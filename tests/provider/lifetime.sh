#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program loads the module by name, a hundred times, uses it in 16 threads and
# ends without freeing anything.
. "$(dirname "$0")/../lib.sh"
for algorithm in P-256 RSA-2048; do
    meshctl create device --algorithm $algorithm --default > log
    signed=$(used sign)
    say "$algorithm, with no configuration at all"
    OPENSSL_CONF=/dev/null LD_PRELOAD="${MESH_PRELOAD:-}" \
        "$MESH_BUILD/tests/lifetime" mesh://device/sign
    say "$algorithm, with the module in openssl.cnf as well"
    LD_PRELOAD="${MESH_PRELOAD:-}" "$MESH_BUILD/tests/lifetime" mesh://device/sign
    [ "$(used sign)" -eq $((signed + 2 * (100 + 16 * 20))) ] ||
        die "$(($(used sign) - signed)) signatures"
done
say "without a key it fails, and ends as well"
fails_with "no such key in the profile" \
    "$MESH_BUILD/tests/lifetime" mesh://device/none
