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
fails_with "'auth.pem' is no URI" meshctl reference auth.pem
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
