#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The private key is not in the application: a core dump, taken while it signs,
# has no part of it.  The same search finds it when the key comes from a file.
. "$(dirname "$0")/../lib.sh"
command -v gcore > /dev/null || { echo "gcore is missing (gdb)"; exit 77; }
[ -z "${MESH_PRELOAD:-}" ] || {
    echo "not with a sanitizer: its shadow memory would be in the dump"
    exit 77
}
meshctl create device
programs=$MESH_BUILD/tests
for options in "RSA -pkeyopt rsa_keygen_bits:2048" \
    "EC -pkeyopt ec_paramgen_curve:P-256" "ED25519"; do
    plain genpkey -algorithm $options -out key.pem
    uri=$(meshctl import key.pem)
    for from in "$uri" key.pem; do
        rm -f loop.out core.*
        "$programs/sign_loop" "$from" 100000 > loop.out 2>&1 &
        loop=$!
        for _ in $(seq 100); do
            [ "$(wc -l < loop.out)" -lt 20 ] || break
            sleep 0.1
        done
        gcore -o core "$loop" > gcore.out 2>&1 || { cat gcore.out; exit 1; }
        kill "$loop"
        wait "$loop" || :
        grep -q FAILED loop.out && die "a signature failed: $(cat loop.out)"
        if [ "$from" = key.pem ]; then
            say "${options%% *}: a key from a file is in the application"
            "$programs/find_key" key.pem "core.$loop"
        else
            say "${options%% *}: a key from the key store is not"
            status=0
            "$programs/find_key" key.pem "core.$loop" || status=$?
            [ $status = 1 ] || die "found, or not searched ($status)"
        fi
    done
done
