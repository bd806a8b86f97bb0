#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A key-reference file in place of a key file, alone and beside a certificate.
# Usage: reference.sh ALGORITHM config|provider
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm "$1" > device
activated_by "$2"
echo "a message" > message
meshctl reference mesh://device/sign --out sign.pem
openssl pkey $by -in sign.pem -pubout -out sign.pub
openssl pkey $by -in mesh://device/sign -pubout | cmp - sign.pub
[ "$(stat -c %a sign.pem)" = 600 ] || die "others may read it"
meshctl reference mesh://device/sign --out - | cmp - sign.pem
openssl base64 -d -in <(grep -v -e ---- sign.pem) -out sign.der

# signs KEY [OPTION...]: it does, and the key holder did it.
signs() {
    local signed=$(used sign)
    openssl pkeyutl $by -sign -rawin -in message -out sig -inkey "$@"
    plain pkeyutl -verify -rawin -pubin -inkey sign.pub -in message -sigfile sig
    [ "$(used sign)" -gt "$signed" ] || die "the key holder has not signed"
    rm sig
}
say "sign"
signs sign.pem
signs sign.der -keyform DER
signs "file:$PWD/sign.pem"

say "one file with the certificate, in both orders"
openssl req $by -x509 -key sign.pem -subj /CN=test -out sign.crt
cat sign.crt sign.pem > cert-first.pem
cat sign.pem sign.crt > key-first.pem
for both in cert-first key-first; do
    signs $both.pem
    openssl storeutl $by -noout $both.pem > listing
    grep -q Certificate listing
    grep -q Pkey listing
done

say "of two keys in one file the first is taken"
plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem
cat sign.pem other.pem > both.pem
signs both.pem

say "file keys are undisturbed"
openssl pkey $by -in other.pem -check -noout
fails_with "Could not " openssl pkey $by -in message -noout

say "a key that this device does not hold"
meshctl delete mesh://device/sign --yes
fails_with "private key not held by this device" \
    openssl pkey $by -in sign.pem -noout
