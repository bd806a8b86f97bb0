#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A personal profile and the application profiles that it vouches for.
. "$(dirname "$0")/lib.sh"

say "a person needs a device, an application a person"
fails_with "no default profile" meshctl create personal
device=$(meshctl create device --algorithm P-256)
fails_with "no default profile" meshctl create application web
same "$(keys)" 3

say "a personal profile"
fails_with "wrong use: portal account 'user'" \
    meshctl create personal --portal user
for host in "" "exa mple.net" example.net:0 a@example.net https://example.net; do
    ends 2 meshctl create personal --portal "user@$host"
done
personal=$(meshctl create personal --algorithm ED25519 \
    --description "a person" --portal user@example.net \
    --portal user@example.com)
same "mesh://$(meshctl default personal)" "$personal"
meshctl verify "$personal" mesh://user@example.com
meshctl show mesh://personal > shown
grep -q "^description  *a person" shown
same "$(grep ^portal shown | tr -s ' ')" "portal user@example.net
portal user@example.com"
has '"portals": [' meshctl show mesh://personal --json
grep -q "^key  *master  ED25519  ${personal#mesh://}  held: yes" shown
grep -q "^key  *sign  ED25519  M.*  held: yes" shown
grep -q "^key  *escrow  RSA-2048  M.*  held: yes" shown
grep -q "^device  *${device#mesh://}" shown

say "an application of each type, each with one key"
for type in web ssh network mail; do
    uri=$(meshctl create application $type --description "my $type")
    same "mesh://$(meshctl default $type)" "$uri"
    has "held: yes" meshctl show mesh://$type
    same "$(meshctl show mesh://$type | grep -c ^key)" 1
    has "signed by ${device#mesh://}" meshctl verify mesh://$type
    has "${uri#mesh://}" meshctl show mesh://personal
done
same "$(keys)" 10
second=$(meshctl create application web --algorithm P-384)
[ "mesh://$(meshctl default web)" != "$second" ] || die "a new default"

say "what cannot be made changes nothing"
before=$(state)
fails_with "'ftp'; there are web" meshctl create application ftp
fails_with "ED448 keys cannot decrypt" \
    meshctl create application mail --algorithm ED448
ends 2 meshctl create application
ends 2 meshctl create application web ssh
same "$(state)" "$before"

say "a device that is not in the personal profile signs nothing for it"
meshctl create device --algorithm P-256 --default
before=$(state)
fails_with "signed by the wrong key: the default device" \
    meshctl create application ssh
same "$(state)" "$before"

say "without the online key nothing can be entered"
meshctl default device "${device#mesh://}"
meshctl delete --yes mesh://personal/online
before=$(state)
fails_with "private key not held by this device" \
    meshctl create application ssh
same "$(state)" "$before"
