#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys from files go into the key store, in every form that OpenSSL reads.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
plain genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
plain genpkey -algorithm ED25519 -out ed.pem
plain ecparam -name secp384r1 -genkey -noout -out ec.pem
plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER \
    -out ec.der
echo "a passphrase" > pass
plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -aes-256-cbc \
    -pass file:pass -out encrypted.pem
plain pkcs8 -topk8 -in ed.pem -nocrypt -outform DER -out ed.der

# The public half that the URI gives is that of the file.
imported() {
    file=$1 type=$2
    shift 2
    uri=$(meshctl import "$file" "$@" 2> note)
    grep -q "destroying $file is up to you" note
    has "$type" meshctl show "$uri"
    has "held: yes" meshctl show "$uri"
    openssl pkey -in "$uri" -pubout -out uri.pub
    plain pkey -in "$file" ${key_form-} -pubout -passin file:pass -out file.pub
    cmp uri.pub file.pub
    openssl dgst -sha256 -sign "$uri" -out sig pass 2> /dev/null ||
        openssl pkeyutl -sign -inkey "$uri" -rawin -in pass -out sig
}
say "PEM, DER, PKCS#8, of an older form, encrypted"
imported rsa.pem RSA-2048
imported ec.pem P-384
imported ec.der P-256
imported ed.der ED25519
imported encrypted.pem P-521 --passphrase-file pass --role Encrypted
has "P-521" meshctl show mesh://device/Encrypted
meshctl verify mesh://device

say "from standard input, of which nothing is left to destroy"
plain genpkey -algorithm ED25519 -out piped.pem
for file in - /dev/stdin; do
    uri=$(meshctl import "$file" --profile mesh://device --role Piped \
        2> note < <(cat piped.pem))
    [ ! -s note ] || die "$(cat note)"
    same "$(openssl pkey -in "$uri" -pubout)" \
        "$(plain pkey -in piped.pem -pubout)"
    meshctl delete --yes "$uri"
done
say "the passphrase, too"
plain genpkey -algorithm ED25519 -aes-256-cbc -pass file:pass -out secret.pem
has "held: yes" meshctl show \
    "$(meshctl import secret.pem --role Secret --passphrase-file - < pass)"

say "a key whose private half was deleted can come back"
uri=$(meshctl reference mesh://device/Encrypted)
meshctl delete --yes "$uri"
has "held: no" meshctl show "$uri"
imported encrypted.pem P-521 --passphrase-file pass
same "$(meshctl show mesh://device | grep -c P-521)" 1

say "a second key under a role takes the role's URI away, and says so"
for name in a b; do
    plain genpkey -algorithm ED25519 -out $name.pem
done
meshctl import a.pem --role Two 2> error.txt
! grep "now names" error.txt || die "one key is not several"
second=$(meshctl import b.pem --role Two 2> error.txt)
grep -q "the role Two now names 2 keys.*$second" error.txt ||
    die "$(cat error.txt)"
fails_with "several keys 'Two'; name one by its fingerprint: M" \
    openssl pkey -noout -in mesh://device/Two
fails_with "several keys 'Two'; name one by its fingerprint: M" \
    meshctl show mesh://device/Two
openssl pkey -noout -in "$second"
