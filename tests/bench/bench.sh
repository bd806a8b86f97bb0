#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# mesh-bench: a key of the mesh against a key file, key files on both sides, and
# refusals.
. "$(dirname "$0")/../lib.sh"

plain genpkey -quiet -algorithm EC -pkeyopt group:P-256 -out ec.pem
plain genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
    -out rsa.pem
meshctl create device --algorithm P-256

run() {
    LD_PRELOAD="${MESH_PRELOAD:-}" "$MESH_BUILD/tests/mesh-bench" \
        --seconds 0.1 --threads 1,2 "$@"
}

say "mesh://device/sign"
run --key mesh://device/sign --file ec.pem --csv ec.csv > ec.txt ||
    die "it does not run"
cat ec.txt
[ "$(grep -c '^sign ' ec.txt)" = 2 ] || die "no table"
[ "$(grep -Ec '^sign,[12],(uri|file),[0-9.]+,[0-9.]+,[0-9.]+,[0-9]+$' ec.csv)" \
    = 4 ] || die "no CSV"
# both lines of the URI, and 1 by create
signed=$(awk -F, '$3 == "uri" { n += $7 } END { print n + 1 }' ec.csv)
[ "$(grep -c " sign" use.log)" = "$signed" ] ||
    die "the use log has not the $signed signatures"

say "an RSA key file on both sides"
run --key rsa.pem --file rsa.pem > rsa.txt || die "it does not run"
cat rsa.txt
[ "$(grep -c '^decrypt ' rsa.txt)" = 2 ] || die "no decryption"

run --help | grep -q -- --csv || die "no help"

# refused TEXT ARGUMENT...: status 2, and why
refused() {
    wanted=$1
    shift
    status=0
    run "$@" > out.txt 2> err.txt || status=$?
    [ $status = 2 ] && grep -q -- "$wanted" err.txt ||
        die "$* gave $status: $(cat err.txt)"
}
refused 'missing.pem: no private key' --key missing.pem --file ec.pem
refused 'mesh://nowhere/sign: no private key' --key mesh://nowhere/sign \
    --file ec.pem
refused 'not the same kind' --key ec.pem --file rsa.pem
refused 'Usage' --key ec.pem
refused 'Usage' --key ec.pem --file ec.pem more
refused 'no list of numbers' --key ec.pem --file ec.pem --threads 1,x
refused 'nowhere' --key ec.pem --file ec.pem --csv /nowhere/x
refused 'cannot load' --provider nonsense --key ec.pem --file ec.pem
