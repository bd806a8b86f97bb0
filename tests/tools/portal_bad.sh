#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Portals that cannot be reached, or answer badly: each has its own text, and
# nothing changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/portal_lib.sh"
meshctl create device --algorithm P-256
alice=$(meshctl create personal --algorithm P-256 --portal alice@$good)
fingerprint=${alice#mesh://}
meshctl publish
cp -a .cryptomesh early
sleep 1 # versions differ by seconds
meshctl create application ssh
ssh=$(meshctl default ssh)
meshctl --home "$HOME/mallory" create device --algorithm P-256
mallory=$(meshctl --home "$HOME/mallory" create personal --algorithm P-256)
before=$(state) texts=
# refuses TEXT [OPTION...]: refresh fails, with a text that nothing else had;
# nothing changed.
refuses() {
    say "$1"
    fails_with "$1" meshctl refresh "${@:2}"
    same $status 1
    same "$(state)" "$before"
    text=$(grep ^meshctl: <<< "$out" | sed 's/[0-9]\{4,\}/N/g')
    ! grep -qxF "$text" <<< "$texts" || die "the same text: $text"
    texts+=$text$'\n'
}
say "the connection"
refuses "no-such-host.invalid: DNS does not have this name" \
    --portal no-such-host.invalid
refuses "$closed cannot be reached: Connection refused" --portal $closed
refuses "certificate is not accepted: SSL certificate problem: unable to get" \
    --portal $foreign
refuses "certificate is not accepted: SSL: no alternative certificate subject" \
    --portal $wrong
refuses "certificate is not accepted: SSL certificate problem: certificate has" \
    --portal $old
refuses "portal: $fingerprint: localhost:$((base + 6)): " \
    --portal localhost:$((base + 6)) # no TLS there
say "the answer"
for status in 500 503 400 404; do
    answers status $status
    refuses "$good: HTTP status $status"
done
answers html
refuses "$good answers with an HTML page instead of JSON"
answers text
refuses "$good: the answer is no JSON: answer: line 1, column"
answers silent
refuses "$good: an empty answer"
answers nothing
refuses "$good: the answer has no GetResponse"
answers no_status
refuses "$good: the answer has no Status of a number"
answers refused
refuses "$good: status 403 (closed?[2J for today)"
answers no_entries
refuses "$good: no Entries: it has no alice@$good"
say "its end"
answers endless
refuses "$good: the answer is longer than 16 MiB"
answers bomb
refuses "$good: the answer is longer than 16 MiB when it is decompressed"
answers slow
refuses "time limit exceeded: $fingerprint: portal $good: Operation too slow" \
    --timeout 4
answers mute
refuses "portal $good: Operation timed out after 1" --timeout 1
say "redirects"
answers redirects
refuses "$good: more than 5 redirects, the last to /.well-known/mmm/xxxxxx"
answers redirect http://localhost:$((base + 6))/.well-known/mmm/
refuses "$good redirects to $plain/.well-known/mmm/, which is not https"
answers redirect file:///etc/passwd
refuses "$good redirects to file:///etc/passwd, which is not https"

say "the profile"
# entries FILE...: the portal answers with these.
entries() {
    python3 -c 'import json, sys
print(json.dumps([json.load(open(f)) for f in sys.argv[1:]]))' "$@" > entries
    answers entries "$HOME/entries"
}
latest=.cryptomesh/$fingerprint/$fingerprint.mmm
entries "mallory/${mallory#mesh://}/${mallory#mesh://}.mmm"
refuses "profile of another name: $fingerprint: portal $good: "
answers good
refuses "older than what is here: $fingerprint: portal $good: "
device=$(meshctl default device)
entries ".cryptomesh/$device/$device.mmm"
refuses "wrong kind of profile: $fingerprint: portal $good: the kind is device"
sed 's/"signature": "../"signature": "AA/' "$latest" > forged
entries forged
refuses "bad signature: $fingerprint: portal $good: "
echo '["no profile"]' > entries
refuses "malformed profile: $fingerprint: portal $good: an entry is no profile"
echo '[{"SignedPersonalProfile": {}}]' > entries
refuses "malformed profile: $fingerprint: portal $good: no signed object"
answers good
sed -i "s/alice@/nobody@/" .cryptomesh/profiles.json
before=$(state)
refuses "$good: status 404 (no such profile)"
sed -i "s/nobody@/alice@/" .cryptomesh/profiles.json
before=$(state)
say "among bad ones a good one is found"
entries forged "mallory/${mallory#mesh://}/${mallory#mesh://}.mmm" "$latest"
ends 3 meshctl refresh
same "$(state)" "$before"

say "a portal with a bad answer does not keep the next one from being asked"
# registered FOLDER HOST...: a copy of it has these portals.
registered() {
    rm -rf many
    cp -a "$1" many
    python3 -c 'import json, sys
file, *hosts = sys.argv[1:]
layout = json.load(open(file))
for entry in layout["PersonalProfiles"].values():
    if isinstance(entry, dict):
        entry["Portals"] = ["alice@" + host for host in hosts]
json.dump(layout, open(file, "w"))' many/profiles.json "${@:2}"
}
many() {
    ends "$1" meshctl --home "$HOME/many" refresh
    grep -q "$2.*; the next portal is asked" ends.out || die "$(cat ends.out)"
}
cp "$latest" files/.well-known/mmm/
for bad in forged malformed html; do
    registered early $good $files
    case $bad in
    forged) entries forged ;;
    malformed) echo '["no profile"]' > entries; answers entries "$HOME/entries" ;;
    html) answers html ;;
    esac
    many 0 "$good"
    grep -qx "$alice: changed" ends.out || die "$(cat ends.out)"
    cmp "many/$fingerprint/$fingerprint.mmm" "$latest"
done
registered .cryptomesh $good $files
answers good
many 3 "portal $good: .* was updated 20"
entries forged
registered early $closed $good $files
many 0 "$closed"
say "if no answer is good, the first one is the error"
registered early $closed $good
many_before=$(state many)
many 1 "$closed"
grep -q "^meshctl: portal: $fingerprint: $closed cannot be reached" ends.out
grep -q "portal $good: .*; no portal is left" ends.out || die "$(cat ends.out)"
same "$(state many)" "$many_before"
registered early $good $closed
many 1 "portal $good: "
grep -q "^meshctl: bad signature: $fingerprint: portal $good: " ends.out

say "an old master profile, whatever a key that it lists has signed since"
plain req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout x.key -out x.crt -subj /CN=x 2> /dev/null
openssl req -x509 -key mesh://personal/master -subj /CN=owner -out owner.crt
meshctl certificate mesh://personal/master owner.crt
sleep 1
meshctl --home "$HOME/early" create application web
before=$(state)
entries "early/$fingerprint/$fingerprint.mmm"
refuses "older than what is here: $fingerprint: portal $good: its master"

say "what is new is added as a whole or not"
entries forged
before=$(state)
fails_with "bad signature" meshctl --home "$HOME/new" refresh alice@$good
[ ! -e new/profiles.json ] || die "there is a layout"
entries ".cryptomesh/$device/$device.mmm"
fails_with "the kind is device, an account has a personal profile" \
    meshctl --home "$HOME/new" refresh alice@$good
[ ! -e new/profiles.json ] || die "there is a layout"
say "an answer names no accounts"
python3 -c 'import json, sys
entry = json.load(sys.stdin)
entry["SignedPersonalProfile"]["Unauthenticated"] = {
    "PortalAddress": ["bob@example.net"]}
print(json.dumps([entry]))' < "$latest" > entries
has added meshctl --home "$HOME/new" refresh "$fingerprint" --portal $good
fails_with "unknown portal account" \
    meshctl --home "$HOME/new" show mesh://bob@example.net
ends 3 meshctl --home "$HOME/new" refresh --all
grep -q "no profile here has a portal" ends.out || die "$(cat ends.out)"
say "publishing"
answers status 500
fails_with "$good: HTTP status 500" meshctl publish
answers html
fails_with "$good answers with an HTML page" meshctl publish
fails_with "registered nowhere" meshctl --home "$HOME/mallory" publish
fails_with "does not name a profile alone" meshctl publish "mesh://$ssh/sign"
say "a signal ends it"
answers mute
env --default-signal=TERM "$MESH_BUILD/tools/meshctl" refresh > out 2>&1 &
pid=$!
sleep 0.5
kill -TERM $pid
status=0
wait $pid || status=$?
same $status 143
