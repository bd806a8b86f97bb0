#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program that uses key files has no more than 1 MB more when it has loaded
# the module and a key by URI and has signed; and it does not grow with loads.
. "$(dirname "$0")/../lib.sh"
[ -z "${MESH_PRELOAD:-}" ] || {
    echo "not with a sanitizer: its own memory would be counted"
    exit 77
}
[ -r /proc/self/smaps_rollup ] || { echo "no smaps_rollup"; exit 77; }
meshctl create device
plain genpkey -quiet -algorithm RSA -out rsa.pem
for options in "RSA -pkeyopt rsa_keygen_bits:2048" \
    "EC -pkeyopt ec_paramgen_curve:P-256" "ED25519"; do
    plain genpkey -quiet -algorithm $options -out key.pem
    uri=$(meshctl import key.pem 2> import.txt) || die "$(cat import.txt)"
    # The RSA file, as every program has libcrypto's code for RSA in memory that
    # looks at certificates.  mesh-keyd runs: the module needs no configuration.
    OPENSSL_CONF=/dev/null "$MESH_BUILD/tests/added_memory" "$uri" key.pem \
        rsa.pem > added.txt || die "${options%% *} cannot be used"
    read -r first more < added.txt
    say "${options%% *}: $first kB, $more kB by 1000 more loads"
    [ "$first" -le 1024 ] || die "more than 1 MB"
    [ "$more" -le 512 ] || die "it grows with each load"
done
