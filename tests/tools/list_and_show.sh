#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Listing, showing, naming.
. "$(dirname "$0")/lib.sh"

say "nothing is there: an empty list, and nothing is made"
same "$(meshctl list 2>&1)" ""
meshctl list --json | grep -q '"profiles": \[\]'
same "$(meshctl default)" ""
[ ! -e .cryptomesh ] || die "a listing made .cryptomesh"
same "$(meshctl list --keys)" ""

device=$(meshctl create device --algorithm P-256 --description $'a\e[31mb')
meshctl create personal --algorithm P-256 --portal user@example.net
say "a list"
has "device       ${device#mesh://}  default  DeviceProfile" meshctl list
meshctl list --json > listed
grep -q '"user@example.net"' listed
grep -q '"default": true' listed
same "$(meshctl list --keys | grep -c "^key .*$key_source")" 6
say "nothing in a profile reaches the terminal's controls"
has "a?[31mb" meshctl list
has "a?[31mb" meshctl show mesh://device

udf=${device#mesh://}
say "members, as the reference implementation spells them"
has "(DeviceEncryptiontionKey)" meshctl show mesh://device
say "standard input"
file=.cryptomesh/$udf/$udf.mmm
same "$(meshctl show - < "$file")" "$(meshctl show "$file")"
say "one key, by any name"
auth=$(meshctl reference mesh://device/auth)
same "$(meshctl reference "$auth")" "$auth"
has "${auth##*/}" meshctl show --json mesh://device/auth
for uri in "$auth" mesh:device/auth mesh://device/DeviceAuthenticationKey; do
    has "DeviceAuthenticationKey" meshctl show --json "$uri"
    same "$(meshctl show "$uri" | grep -c ^key)" 1
done
say "what is not there"
fails_with "unknown fingerprint" meshctl show mesh://MAAAA-AAAAA-AAAAA-AAAAA
fails_with "no such key in the profile" meshctl show mesh://device/nosuch
fails_with "no default profile" meshctl show mesh://web
fails_with "malformed mesh: URI" meshctl show mesh://device/sign/x
fails_with "names no profile" meshctl show mesh:
fails_with "No such file" meshctl show missing.mmm
for name in device "$udf" user@example.net; do
    fails_with "the profile is mesh://$name" meshctl show "$name"
done
fails_with "unknown portal account" meshctl show mesh://bob@example.net
echo '{' > broken.mmm
fails_with "malformed profile" meshctl show broken.mmm
mkdir -m 700 other
echo '[' > other/profiles.json
fails_with "malformed profiles.json" meshctl --home "$HOME/other" list

say "a broken profile is listed, and that said"
file=.cryptomesh/${device#mesh://}/${device#mesh://}.mmm
rm "${file%.mmm}.all.mmm" # no archive to take a good one from
sed -i 's/payload": "../payload": "AA/' "$file"
has "(does not verify: 'meshctl doctor')" meshctl list
fails_with "payload changed" meshctl show mesh://device
say "nobody answers for the key store"
nobody_answers
has "held: unknown" meshctl show mesh://personal
fails_with "$unreachable" meshctl list --keys

say "a result that cannot be written is no success"
fails_with "standard output" bash -c "'$MESH_BUILD/tools/meshctl' list --json \
    > /dev/full"
