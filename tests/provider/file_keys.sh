#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of files are written in every form as ever, whatever provider is first.
# Usage: file_keys.sh config|provider
. "$(dirname "$0")/../lib.sh"
activated_by "$1"
export PASS=abcd
plain genpkey -algorithm RSA -out rsa.pem 2> /dev/null
plain genpkey -algorithm EC -pkeyopt group:P-384 -out ec.pem
plain genpkey -algorithm ED25519 -out ed25519.pem
# same FILE OPTION...: it holds the key that $key.pem does.
same() {
    plain pkey -in "$@" -outform DER -out one.der
    plain pkey -in $key.pem -outform DER -out two.der
    cmp one.der two.der
    rm one.der two.der
}
for key in rsa ec ed25519; do
    say $key
    openssl pkey $by -in $key.pem -out out.pem
    cmp out.pem $key.pem
    openssl pkey $by -in $key.pem -outform DER -out out.der
    plain pkey -in $key.pem -outform DER | cmp - out.der
    openssl pkey $by -in $key.pem -text -noout > text
    plain pkey -in $key.pem -text -noout | cmp - text
    openssl pkey $by -in $key.pem -aes256 -passout env:PASS -out out.pem
    grep -q "ENCRYPTED PRIVATE KEY" out.pem
    same out.pem -passin env:PASS
    fails_with "Could not " plain pkey -in out.pem -passin pass:other
    openssl pkcs8 $by -topk8 -in $key.pem -passout env:PASS -out out.pem
    same out.pem -passin env:PASS
    openssl req $by -x509 -key $key.pem -subj /CN=test -out crt.pem
    openssl pkcs12 $by -export -inkey $key.pem -in crt.pem \
        -passout env:PASS -out out.p12
    plain pkcs12 -in out.p12 -nocerts -noenc -passin env:PASS -out out.pem
    same out.pem
done
say "traditional forms"
for key in rsa ec; do
    openssl pkey $by -in $key.pem -traditional -aes128 -passout env:PASS \
        -out out.pem
    grep -q "Proc-Type: 4,ENCRYPTED" out.pem
    same out.pem -passin env:PASS
    openssl $key $by -in $key.pem -out out.pem
    same out.pem
done
say "new keys, encrypted"
openssl genpkey $by -algorithm EC -pkeyopt group:P-256 -aes256 -pass env:PASS \
    -out new.pem
plain pkey -in new.pem -passin env:PASS -check -noout
openssl req $by -x509 -newkey rsa:2048 -passout env:PASS -keyout new.pem \
    -subj /CN=new -out new.crt 2> /dev/null
plain pkey -in new.pem -passin env:PASS -pubout -out new.pub
plain x509 -in new.crt -noout -pubkey | cmp - new.pub
openssl ecparam $by -name P-256 -genkey -noout -out new.pem
plain pkey -in new.pem -check -noout
[ ! -e use.log ] || die "the key holder was asked"
