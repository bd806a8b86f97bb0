#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A key file stays where it is and is used there.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
mkdir -m 700 keys
(umask 077 && plain genpkey -algorithm RSA -out keys/www.pem)
plain pkey -in keys/www.pem -pubout -out www.pub

say "registered, listed, used"
uri=$(meshctl import keys/www.pem --in-place --role WebServer 2> note)
grep -q "the key stays in keys/www.pem" note
has " -         key-file        mesh://$(meshctl default device)/WebServer" \
    meshctl list --keys
has "held: yes" meshctl show mesh://device/WebServer
openssl dgst -sha256 -sign "$uri" -out sig www.pub
plain dgst -sha256 -verify www.pub -signature sig www.pub

say "where servers and ssh have theirs: used there, and nowhere else"
umask 077
mkdir -p private .ssh
plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
plain ec -in ec.pem -out .ssh/id_ecdsa 2> /dev/null # as ssh-keygen -m PEM
plain pkcs8 -topk8 -nocrypt -in ec.pem -outform DER -out private/www.der
umask 022
for file in .ssh/id_ecdsa private/www.der; do
    uri=$(meshctl import $file --in-place --role Found)
    grep -qF "\"$HOME/$file\"" .cryptomesh/profiles.json
    plain pkey -in $file -pubout | cmp - <(openssl pkey -in "$uri" -pubout)
    openssl dgst -sha256 -sign "$uri" -out sig www.pub
    plain dgst -sha256 -prverify $file -signature sig www.pub
    mv $file away
    meshctl lock
    fails_with "$file" openssl dgst -sha256 -sign "$uri" -out sig www.pub
    mv away $file
    meshctl delete --yes "$uri"
done

say "encrypted: the passphrase must be kept, and that be said"
echo "a passphrase" > pass
(umask 077 && plain genpkey -algorithm ED25519 -aes-256-cbc -pass file:pass \
    -out keys/ed.pem)
before=$(state)
fails_with "say so by --keep-passphrase" \
    meshctl import keys/ed.pem --in-place --passphrase-file pass
fails_with "keys/www.pem is not encrypted" \
    meshctl import keys/www.pem --in-place --keep-passphrase
same "$(state)" "$before"
uri=$(meshctl import keys/ed.pem --in-place --keep-passphrase \
    --passphrase-file pass --role Other)
plain pkey -in keys/ed.pem -passin file:pass -pubout -out ed.pub
openssl pkeyutl -sign -inkey "$uri" -rawin -in pass -out sig
plain pkeyutl -verify -pubin -inkey ed.pub -rawin -in pass -sigfile sig
! grep -r "a passphrase" .cryptomesh || die "the passphrase is on the disk"

say "a file that others may read is refused, and nothing is left"
(umask 077 && plain genpkey -algorithm ED25519 -out keys/open.pem)
chmod 666 keys/open.pem
before=$(state)
fails_with "unsafe file" meshctl import keys/open.pem --in-place
same "$(state)" "$before"

say "deleting it deletes the registration, not the file"
meshctl delete --yes mesh://device/WebServer
fails_with "no such key" meshctl show mesh://device/WebServer
plain pkey -in keys/www.pem -noout
meshctl import keys/www.pem --in-place --role WebServer
