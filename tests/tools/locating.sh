#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# profiles.json as another program may have written it: each profile is located
# by each of its ways, at the place that it says.
. "$(dirname "$0")/lib.sh"
declare -A name
name[device]=$(meshctl create device --algorithm P-256 | sed 's|mesh://||')
name[personal]=$(meshctl create personal --algorithm P-256 | sed 's|mesh://||')
types="web ssh network mail"
for type in $types; do
    name[$type]=$(meshctl create application $type | sed 's|mesh://||')
done
# describes WORD TEXT: what this URI and the fingerprint name is the profile.
describes() {
    for uri in "mesh://$1" "mesh://${name[$1]}" "mesh://${name[$1],,}"; do
        same "$(meshctl show "$uri" | sed -n 's/^description *//p')" "$2"
        openssl storeutl -noout -keys "$uri" > out 2>&1 || die "$uri: $(cat out)"
    done
}
say "the standard place: a folder for each, with the latest copy and the archive"
for word in device personal $types; do
    udf=${name[$word]}
    same "$(ls .cryptomesh/$udf)" "$(printf "%s\n" $udf.all.mmm $udf.mmm)"
    meshctl describe $word "a $word"
    describes $word "a $word"
done

say "what is left out means the standard place; the words, the default"
# layout [MEMBERS OF THE PERSONAL PROFILE]
layout() {
    cat > .cryptomesh/profiles.json << JSON
{"Version": 7, "PersonalProfiles": {"Default": "${name[personal]//-/}",
 "${name[personal]}": {"Note": "kept", "Portals": ["a@example.net",
  "b@example.com"]${1+, $1}}},
 "DeviceProfiles": {"Default": "${name[device],,}", "${name[device]}": {}},
 "ApplicationProfiles": {"Web": "${name[web]}", "SSH": "${name[ssh]}",
  "Network": "${name[network]}", "Mail": "${name[mail]}",
  "${name[web]}": {}, "${name[ssh]}": {}, "${name[network]}": {},
  "${name[mail]}": {}}}
JSON
}
layout
for word in device personal $types; do describes $word "a $word"; done
for account in a@example.net B@example.com; do
    has "${name[personal]}" meshctl verify "mesh://$account"
done

say "elsewhere: below the folder, and anywhere; it is followed"
mkdir -m 700 .cryptomesh/mine away
old=.cryptomesh/${name[personal]}/${name[personal]}
mv "$old.mmm" .cryptomesh/mine/alice.mmm
mv "$old.all.mmm" away/archive
layout "\"File\": \"mine/alice.mmm\", \"Archive\": \"$HOME/away/archive\""
describes personal "a personal"
describes web "a web" # by the personal profile that lists it
say "what is written goes there, and keeps what is not understood"
meshctl describe personal changed
describes personal changed
same "$(wc -l < away/archive)" "$(meshctl log personal | wc -l)"
[ ! -e "$old.mmm" ] || die "the standard place is used"
meshctl default mail --none
grep -q '"Note": "kept"' .cryptomesh/profiles.json
grep -q '"Version": 7' .cryptomesh/profiles.json
fails_with "no default profile" openssl pkey -noout -in mesh://mail
say "without the latest copy the archive, which the trace tells"
rm .cryptomesh/mine/alice.mmm
describes personal changed
MESH_PROVIDER_TRACE=$HOME/trace openssl pkey -noout -in mesh://personal
grep -q "mine/alice.mmm: .*good version in $HOME/away/archive is used" trace
