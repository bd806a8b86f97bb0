#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real profiles of 2016 and 2017 as a layout: found by each of their ways,
# and healed from their archives.
. "$(dirname "$0")/lib.sh"
files=${MESH_FIXTURES:-/nonexistent}/mesh-2017
[ -d "$files" ] || {
    echo "skipped: MESH_FIXTURES has no mesh-2017"
    exit 77
}
alice=MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH
phone=MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPI
ssh=RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ
names=$(meshctl adopt "$files"/2017-*.mmm[adp] "$files"/2016-personal.json \
    "$files"/2017-{myprofile,ssh-personal}.json 2> notes |
    sed 's/.*: \(.*\): adopted/\1/')
same "$(wc -w <<< "$names")" 8

same "$(cut -d' ' -f2- notes)" "mesh://$alice is now the default personal \
profile; 'meshctl default personal' sets another"

say "by its fingerprint, as default, by portal account, listed in a personal one"
for uri in $names personal device ssh alice@example.net; do
    has "mesh://${uri}: ok" meshctl verify "mesh://$uri"
    openssl storeutl -noout -text "mesh://$uri" > out 2>&1 || die "$(cat out)"
done
for pair in personal=$alice alice@example.net=$alice device=$phone ssh=$ssh; do
    has "${pair#*=}" meshctl verify "mesh://${pair%%=*}"
done
has "mesh://$phone: ok" meshctl verify "mesh://$phone"
say "abbreviated, in small letters, without dashes"
has "$alice" meshctl verify mesh://may7l-s6smq-7lr3u-u6x5n
has "$alice" meshctl verify mesh://MAY7LS6SMQ7LR3UU6X5N4N2BG6EMNH

say "a latest copy that was changed or is gone is healed from the archive"
for name in $names; do
    file=.cryptomesh/$name/$name.mmm
    before=$(meshctl show "mesh://$name")
    sed -i 's/"payload": "../"payload": "AA/' "$file"
    same "$(meshctl show "mesh://$name")" "$before"
    has "$name: written back" meshctl repair "$name"
    rm "$file"
    same "$(meshctl show "mesh://$name")" "$before"
    has "$name: written back" meshctl repair "$name"
    has "$name: good" meshctl repair "$name"
done

say "again, nothing happens; what proves nothing is not adopted"
before=$(state)
has "$alice: here already" meshctl adopt "$files/2017-alice.mmmp"
fails_with "$files/2016-password.json: none of the 4 personal profiles here" \
    meshctl adopt "$files/2016-password.json"
sed 's/payload": "../payload": "AA/' ".cryptomesh/$phone/$phone.mmm" > bad.mmm
fails_with "payload changed" meshctl adopt bad.mmm
fails_with "No such file" meshctl adopt missing.mmm
fails_with "'' is the name of no file" meshctl adopt ""
fails_with "malformed profile" meshctl adopt "$files/SOURCES.tsv"
same "$(state)" "$before"
meshctl --home "$HOME/other" adopt - < "$files/2017-alice.mmmd"
say "an application without its personal profile; with it, in any order"
fails_with "no personal profile" \
    meshctl --home "$HOME/other" adopt "$files/2017-ssh.mmma"
meshctl --home "$HOME/other" adopt "$files/2017-ssh.mmma" \
    "$files/2017-ssh-personal.json"
