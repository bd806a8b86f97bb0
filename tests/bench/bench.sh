#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# mesh-bench itself, with key files on both sides: table, CSV and refusals.
set -eu
bench=$MESH_BUILD/tests/mesh-bench
cd "$TMPDIR"

openssl genpkey -quiet -algorithm EC -pkeyopt group:P-256 -out ec.pem
openssl genpkey -quiet -algorithm EC -pkeyopt group:P-256 -out ec2.pem
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem

run() {
    "$bench" --seconds 0.1 --threads 1,2 "$@"
}

run --key "file:$PWD/ec.pem" --file ec2.pem --csv ec.csv | tee ec.txt
[ "$(grep -c '^sign ' ec.txt)" = 2 ]
[ "$(grep -Ec '^sign,[12],(uri|file),[0-9.]+,[0-9.]+,[0-9.]+,[0-9]+$' ec.csv)" \
    = 4 ]

run --key rsa.pem --file rsa.pem | tee rsa.txt
[ "$(grep -c '^decrypt ' rsa.txt)" = 2 ]

"$bench" --help | grep -q -- --csv

refused() {
    wanted=$1
    shift
    status=0
    run "$@" >out.txt 2>err.txt || status=$?
    [ $status = 2 ] && grep -q -- "$wanted" err.txt && return
    echo "$* gave $status:" >&2
    cat err.txt >&2
    exit 1
}
refused 'missing.pem: no private key' --key missing.pem --file ec.pem
refused 'not the same kind' --key ec.pem --file rsa.pem
refused 'Usage' --key ec.pem
refused 'Usage' --key ec.pem --file ec.pem more
refused 'no list of numbers' --key ec.pem --file ec.pem --threads 1,x
refused 'nowhere' --key ec.pem --file ec.pem --csv /nowhere/x
refused 'cannot load' --provider nonsense --key ec.pem --file ec.pem
