#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole trust chain, of our profiles and of the reference implementation's.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256)
meshctl create personal --algorithm P-256
meshctl create application ssh --algorithm P-256
find .cryptomesh -name '*.mmm' ! -name '*.all.mmm' -exec cp {} . \;

say "URIs and files, several at once"
same "$(meshctl verify mesh://device mesh://ssh ./*.mmm | grep -c ': ok (')" 5
say "one bad file among good ones: status 1, and a line for each"
sed 's/payload": "../payload": "AA/' "${device#mesh://}.mmm" > changed.mmm
head -c 300 "${device#mesh://}.mmm" > short.mmm
ends 1 meshctl verify mesh://device changed.mmm short.mmm missing.mmm
grep -q "^mesh://device: ok (DeviceProfile" ends.out
grep -q "^changed.mmm: payload changed: " ends.out
grep -q "^short.mmm: malformed profile: " ends.out
grep -q "^missing.mmm: file error: " ends.out
ends 2 meshctl verify
fails_with "mesh: wrong use: 'mesh:' names no profile" meshctl verify mesh:
has "-: ok (DeviceProfile" meshctl verify - < "${device#mesh://}.mmm"
say "JSON"
ends 1 meshctl verify --json mesh://device short.mmm
grep -q "\"udf\": \"${device#mesh://}\"" ends.out
same "$(grep -c '"ok": true' ends.out)" 1
grep -q '"problem": "malformed profile: ' ends.out

say "an application in a file needs a person"
personal=$(meshctl default personal).mmm
ssh=$(meshctl default ssh).mmm
elsewhere() {
    meshctl --home "$HOME/elsewhere" "$@"
}
fails_with "$ssh: " elsewhere verify "$ssh"
has "$ssh: ok (SSHProfile" elsewhere verify "$ssh" --personal "$personal"
fails_with "wrong kind of profile" \
    elsewhere verify "$ssh" --personal "${device#mesh://}.mmm"
has "problem" elsewhere show "$ssh"

files=${MESH_FIXTURES:-/nonexistent}/mesh-2017
[ -d "$files" ] || {
    echo "skipped: MESH_FIXTURES has no mesh-2017"
    exit 77
}
say "files of 2016 and 2017"
has ": ok (DeviceProfile MAJBM-" meshctl verify "$files/2017-alice.mmmd"
has ": ok (PersonalProfile MAY7L-" meshctl verify "$files/2017-alice.mmmp"
has ": ok (SSHProfile RC6V4-" meshctl verify "$files/2017-ssh.mmma" \
    --personal "$files/2017-ssh-personal.json"
fails_with "signed by the wrong key" meshctl verify "$files/2017-ssh.mmma" \
    --personal "$files/2017-alice.mmmp"
has "RecryptProfile" meshctl show "$files/2017-alice.mmmp"
