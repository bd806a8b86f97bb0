#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# meshctl reference --out: the file is there as a whole, or not at all.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256)
uri=$(meshctl reference mesh://device/auth)

say "it holds the URI that only this key answers to"
meshctl reference mesh://device/auth --out auth.pem
same "$(stat -c %a auth.pem)" 600
has "UTF8STRING        :$uri" plain asn1parse -in auth.pem
has "UTF8STRING        :mesh key reference v1" plain asn1parse -in auth.pem
meshctl reference "$uri" --out - | cmp - auth.pem
openssl pkey -in mesh://device/auth | cmp - auth.pem

say "the profile's own key has one fingerprint, not two"
same "$(meshctl reference mesh://device/sign)" "$device"

say "it replaces a file as a whole, whoever had it open"
echo old > old.pem
exec 5< old.pem
meshctl reference mesh://device/auth --out old.pem
same "$(cat <&5)" old
cmp old.pem auth.pem
exec 5<&-

say "what cannot be: nothing is written, what was there stays"
fails_with "no such key" meshctl reference mesh://device/nosuch --out new.pem
fails_with "names no key" meshctl reference mesh: --out new.pem
fails_with "write mesh://device/auth" meshctl reference device/auth
fails_with "'mesh.pem' is no URI" meshctl reference mesh.pem
for command in "show" "verify" "reference" "delete --yes" "certificate"; do
    has_certificate=$([ "$command" != certificate ] || echo x.crt)
    fails_with "auth.pem is a key-reference file; its URI is $uri" \
        meshctl $command auth.pem $has_certificate
done
plain asn1parse -in auth.pem -noout -out auth.der
fails_with "auth.der is a key-reference file; its URI is $uri" \
    meshctl show auth.der
fails_with "is a key-reference file" meshctl import auth.pem
[ ! -e new.pem ] || die "it was written"
fails_with "file missing" meshctl reference "$uri" --out "$HOME/missing/new.pem"
mkdir -m 777 open && chmod 777 open
fails_with "unsafe file" meshctl reference "$uri" --out open/new.pem
same "$(ls -A open)" ""
mkdir folder
fails_with "folder" meshctl reference "$uri" --out folder
mkfifo pipe # as a device would be
ln -s pipe link
for name in pipe link; do
    fails_with "not a regular file" meshctl reference "$uri" --out $name
    [ -p $name ] || die "$name is no pipe now"
done
fails_with "standard output" bash -c "'$MESH_BUILD/tools/meshctl' \
    reference '$uri' --out - > /dev/full"
fails_with "standard output" bash -c "'$MESH_BUILD/tools/meshctl' \
    reference '$uri' > /dev/full"

say "a private key is not replaced, in whatever form"
mkdir -m 700 keys
echo "a passphrase" > pass
(
    umask 077
    plain genpkey -algorithm ED25519 -out keys/ed.pem
    plain pkcs8 -topk8 -in keys/ed.pem -passout file:pass -out keys/enc.pem
    plain pkcs8 -topk8 -in keys/ed.pem -passout file:pass -outform DER \
        -out keys/enc.der
    plain pkey -in keys/ed.pem -outform DER -out keys/ed.der
    plain ecparam -name prime256v1 -genkey -noout -outform DER -out keys/ec.der
    plain req -x509 -newkey rsa:2048 -noenc -keyout keys/rsa.pem \
        -subj /CN=test -out keys/rsa.crt 2> /dev/null
    plain pkcs12 -export -inkey keys/rsa.pem -in keys/rsa.crt \
        -passout file:pass -out keys/rsa.p12
    cat keys/rsa.crt keys/rsa.pem > keys/all.pem
)
sha256sum keys/*.p12 keys/*.pem keys/*.der > keys.sums
for file in keys/*.p12 keys/*.pem keys/*.der; do
    fails_with "$file holds a private key" \
        meshctl reference "$uri" --out "$file"
done
say "nor a key file that is used where it lies, whatever it holds now"
registered=$(meshctl import keys/ed.pem --in-place --role Registered)
cp auth.pem keys/ed.pem
fails_with "is registered as the private key of" \
    meshctl reference "$uri" --out keys/ed.pem
meshctl lock
fails_with "keys/ed.pem is now a key-reference file, not the private key" \
    openssl pkeyutl -sign -rawin -inkey "$registered" -in pass -out sig
plain pkey -in keys/ed.der -inform DER -out keys/ed.pem
sha256sum --quiet -c keys.sums
say "what is no key is replaced: a certificate, an older reference"
meshctl reference "$uri" --out keys/rsa.crt
meshctl reference mesh://device/sign --out keys/rsa.crt
same "$(meshctl reference mesh://device/sign --out -)" "$(cat keys/rsa.crt)"
say "a link stays one, and its target is looked at"
ln -s keys/rsa.pem to-key
fails_with "holds a private key" meshctl reference "$uri" --out to-key
ln -s keys/rsa.crt to-reference
meshctl reference "$uri" --out to-reference
[ -L to-reference ] || die "it is no link now"
cmp keys/rsa.crt auth.pem
ln -s nowhere dangling
fails_with "dangling is a link" meshctl reference "$uri" --out dangling
say "standard output by its name"
meshctl reference "$uri" --out /dev/stdout | cmp - auth.pem

say "a key that is not here: its URI, but no file, which would be of no use"
meshctl delete --yes mesh://device/encrypt
meshctl reference mesh://device/encrypt
for file in new.pem -; do
    fails_with "private key not held" \
        meshctl reference mesh://device/encrypt --out $file
done
[ ! -e new.pem ] || die "it was written"
