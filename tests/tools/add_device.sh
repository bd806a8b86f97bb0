#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Devices and applications come into a personal profile, and out of it.
. "$(dirname "$0")/lib.sh"
first=$(meshctl create device --algorithm P-256 --description first)
personal=$(meshctl create personal --algorithm P-256)
web=$(meshctl create application web --algorithm P-256)
second=$(meshctl create device --algorithm P-256 --description second)
# The second one comes from another computer: as a file.
third=$(meshctl --home "$HOME/other" create device --algorithm P-256)
file=other/${third#mesh://}/${third#mesh://}.mmm
# What the personal profile says.
payload() {
    python3 -c 'import base64, json, sys
p = list(json.load(open(sys.argv[1])).values())[0]["SignedData"]["payload"]
print(base64.urlsafe_b64decode(p + "==").decode())' \
        ".cryptomesh/${personal#mesh://}/${personal#mesh://}.mmm"
}

say "a device by its URI and from a file"
meshctl add device "$second"
meshctl add device "$file"
has "device       ${second#mesh://}  second" meshctl show mesh://personal
has "device       ${third#mesh://}" meshctl show mesh://personal
meshctl verify mesh://personal mesh://web
has "already" meshctl add device "$second"
say "its newer version takes the place of the one that is there"
cp ".cryptomesh/${second#mesh://}/${second#mesh://}.mmm" older.mmm
sleep 1
meshctl describe "$second" renamed 2> note
grep -q "meshctl add device $second --personal ${personal#mesh://}" note
meshctl add device "$second"
same "$(meshctl show mesh://personal | grep -c "^device .*renamed")" 1
same "$(meshctl show mesh://personal | grep -c ^device)" 3

say "what is no device, or no personal profile, changes nothing"
before=$(state)
fails_with "wrong kind of profile: '$web' is no device" meshctl add device "$web"
fails_with "${second#mesh://} was updated" meshctl add device older.mmm
fails_with "names a key" meshctl add device mesh://device/auth
fails_with "which lists no devices" \
    meshctl add device "$file" --personal mesh://device
sed 's/"payload": "...../"payload": "eyJEe/' "$file" > changed.mmm
fails_with "changed.mmm" meshctl add device changed.mmm
fails_with "No such file" meshctl add device missing.mmm
ends 2 meshctl add device
fails_with "lists no device MAAAA" \
    meshctl remove device MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
say "the only administrator stays, and so does one that nobody follows"
fails_with "${first#mesh://} is the only administrator of ${web#mesh://}" \
    meshctl remove device "$first"
same "$(state)" "$before"
meshctl add device "$second" --admin
before=$(state)
fails_with "the default device ${first#mesh://} is no other administrator" \
    meshctl remove device mesh://device
same "$(state)" "$before"

say "the default device takes over what the removed one signed"
meshctl default device "${second#mesh://}"
has "in its place: 1" meshctl remove device "$first"
has "signed by ${second#mesh://}" meshctl verify mesh://web
! payload | grep -q "${first#mesh://}" || die "the device is still named"
openssl pkey -noout -in mesh://web/sign
say "a device that signed nothing just goes"
meshctl remove device "${third#mesh://}"
same "$(meshctl show mesh://personal | grep -c ^device)" 1
meshctl verify mesh://personal mesh://web
say "the removed one makes no applications any more, and is told so"
meshctl default device "${first#mesh://}"
fails_with "is not in the default personal profile" \
    meshctl create application ssh --algorithm P-256

say "an application goes out of the list; its profile is then believed no more"
meshctl default device "${second#mesh://}"
fails_with "lists no application" \
    meshctl remove application RAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
meshctl remove application mesh://web
fails_with "does not list the WebProfile" meshctl verify mesh://web
! grep -q "that is this device" <<< "$out" || die "the device is not at fault"
meshctl delete --yes "$web"
meshctl remove device "$second"
same "$(meshctl show mesh://personal | grep -c ^device)" 0
say "without the online key nothing changes, nor what was signed before it"
meshctl add device "$second"
meshctl create application web --algorithm P-256
meshctl add device "$first" --admin
meshctl default device "${first#mesh://}"
meshctl delete --yes mesh://personal/online
before=$(state)
fails_with "private key not held" meshctl add device "$file"
fails_with "private key not held" meshctl remove application mesh://web
fails_with "private key not held" meshctl remove device "$second"
has "all that was done before was undone" tail -n 1 <<< "$out"
same "$(state)" "$before"
has "signed by ${second#mesh://}" meshctl verify mesh://web
