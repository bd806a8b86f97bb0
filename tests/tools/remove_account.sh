#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An account is taken out of a personal profile's portals.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256)
alice=$(meshctl create personal --algorithm P-256 --portal alice@example.net \
    --portal alice@example.org)
bob=$(meshctl create personal --algorithm P-256 --portal bob@example.net)
portals() {
    meshctl show "$1" --json | python3 -c \
        'import json, sys; print(*json.load(sys.stdin).get("portals", []))'
}
say "of the profile that has it; the others and their order stay"
meshctl remove account Alice@Example.net
same "$(portals "$alice")" alice@example.org
same "$(portals "$bob")" bob@example.net
fails_with "unknown portal account" meshctl show mesh://alice@example.net
has "ok" meshctl verify "$alice"

say "the last one, by its URI: the profile has none then"
meshctl remove account mesh://bob@example.net --personal "$bob"
same "$(portals "$bob")" ""
! grep -q bob@ .cryptomesh/profiles.json || die "bob is in profiles.json"
has "${bob#mesh://}" meshctl list
has "ok" meshctl verify "$bob"

say "what was written by hand can go, too, however often it is there"
sed -i 's/"alice@example.org"/"no account", "alice@example.org", "no account"/' \
    .cryptomesh/profiles.json
same "$(portals "$alice")" "no account alice@example.org no account"
meshctl remove account alice@example.org
ends 1 meshctl refresh "$alice"
grep -q "malformed profiles.json: .*'no account'.*'meshctl remove account'" \
    ends.out || die "$(cat ends.out)"
meshctl remove account "no account"
same "$(portals "$alice")" ""

say "what is not there changes nothing"
before=$(state)
fails_with "no personal profile on this device is registered as carol@" \
    meshctl remove account carol@example.net
fails_with "is not registered as alice@example.org" \
    meshctl remove account alice@example.org --personal "$bob"
fails_with "personal profiles alone have accounts" \
    meshctl remove account alice@example.org --personal "$device"
fails_with "carol@example.net" meshctl remove account alice@example.org \
    --personal carol@example.net
ends 2 meshctl remove account
ends 2 meshctl remove account alice@example.org more
same "$(state)" "$before"
