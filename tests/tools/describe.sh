#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The description of a profile of each kind.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256)
meshctl create personal --algorithm P-256
web=$(meshctl create application web --algorithm P-256 --description old)
for uri in "$device" mesh://personal web; do
    meshctl describe "$uri" "für $uri"
    has "description  für $uri" meshctl show "mesh://${uri#mesh://}"
done
meshctl verify mesh://device mesh://personal mesh://web
say "the personal profile says the same of an application"
has "application  ${web#mesh://}  WebProfile  für web" \
    meshctl show mesh://personal
say "none at all"
meshctl describe device ""
! meshctl show mesh://device | grep -q ^description || die "it is still there"
meshctl describe web ""
for uri in "$web" mesh://personal; do
    ! meshctl show "$uri" | grep -q "für web" || die "$uri still has it"
done
has "  WebProfile  Web" meshctl show mesh://personal
bare=$(meshctl create device --algorithm P-256 --description "")
! meshctl show "$bare" | grep -q ^description || die "an empty one"
meshctl delete --yes --keys "$bare"
say "what cannot be changes nothing"
before=$(state)
fails_with "must be UTF-8" meshctl describe device $'\xff'
fails_with "does not name a profile alone" meshctl describe mesh://device/auth x
fails_with "unknown fingerprint" \
    meshctl describe MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA x
ends 2 meshctl describe device
ends 2 meshctl describe device two words
same "$(state)" "$before"
say "where the personal profile cannot be changed that is said"
meshctl delete --yes mesh://personal/online
has "still has the old description" meshctl describe web new
has "description  new" meshctl show mesh://web
fails_with "private key not held" meshctl describe personal new
