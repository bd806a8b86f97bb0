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
run --key mesh://device/sign --file ec.pem --operations sign,load-sign \
    --csv ec.csv > ec.txt || die "it does not run"
cat ec.txt
[ "$(grep -c '^sign ' ec.txt)" = 2 ] || die "no table"
[ "$(grep -Ec '^prime256v1,sign,[12],(uri|file)(,[0-9.]+){5}$' ec.csv)" = 4 ] ||
    die "no CSV"
# all lines of the URI, and 1 by create
signed=$(awk -F, '$4 == "uri" { n += $8 } END { print n + 1 }' ec.csv)
[ "$(grep -c " sign" use.log)" = "$signed" ] ||
    die "the use log has not the $signed signatures"

say "an RSA key file on all sides"
run --key rsa.pem --file rsa.pem --provider-key rsa.pem > rsa.txt ||
    die "it does not run"
cat rsa.txt
for operation in sign decrypt load load-pem load-sign; do
    [ "$(grep -Ec "^$operation +[12]( +[0-9.]+){8}$" rsa.txt)" = 2 ] ||
        die "no $operation"
done

say "secrets derived from a key file"
run --key ec.pem --file ec.pem --operations derive > derive.txt ||
    die "it does not run"
cat derive.txt
[ "$(grep -c '^derive ' derive.txt)" = 2 ] || die "no derive"

say "a third key that is not there is left out"
run --key ec.pem --file ec.pem --provider-key missing.pem --operations sign \
    > two.txt 2> err.txt || die "it does not run"
grep -q 'missing.pem: no private key' err.txt || die "without a word"
[ "$(grep -Ec '^sign +[12]( +[0-9.]+){5}$' two.txt)" = 2 ] || die "no table"

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
refused 'not the same kind' --key ec.pem --file ec.pem \
    --provider-key rsa.pem
refused 'nothing that this key can do' --key ec.pem --file ec.pem \
    --operations decrypt
refused 'Usage' --key ec.pem
refused 'Usage' --key ec.pem --file ec.pem more
refused 'no list of numbers' --key ec.pem --file ec.pem --threads 1,x
refused 'nowhere' --key ec.pem --file ec.pem --csv /nowhere/x
refused 'cannot load' --provider nonsense --key ec.pem --file ec.pem
