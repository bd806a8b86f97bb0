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

say "a key that was deleted can come back"
meshctl delete --yes mesh://device/Encrypted
fails_with "no such key" meshctl show mesh://device/Encrypted
imported encrypted.pem P-521 --passphrase-file pass --role Encrypted
same "$(meshctl show mesh://device | grep -c P-521)" 1

say "a second key does not take a role's URI away"
for name in a b; do
    plain genpkey -algorithm ED25519 -out $name.pem
done
meshctl import a.pem --role One
before=$(state)
fails_with "first ('meshctl delete mesh://" meshctl import b.pem --role One
same "$(state)" "$before"
eval "$(meshctl import b.pem --role One 2>&1 | sed "s/.*'\(.*\)'.*/\1/") --yes"
meshctl import b.pem --role One
same "$(openssl pkey -in mesh://device/One -pubout)" \
    "$(plain pkey -in b.pem -pubout)"
say "but where none is asked for there may be several, and that is said"
plain genpkey -algorithm ED25519 -out c.pem
last=$(meshctl import c.pem 2> error.txt)
grep -q "the role ImportedKeys now names [0-9]* keys.*$last" error.txt ||
    die "$(cat error.txt)"
for with in "openssl pkey -noout -in" "meshctl show"; do
    fails_with "ambiguous name" $with mesh://device/ImportedKeys
    fails_with "several keys 'ImportedKeys'; name one by its fingerprint: M" \
        $with mesh://device/ImportedKeys
done
openssl pkey -noout -in "$last"
