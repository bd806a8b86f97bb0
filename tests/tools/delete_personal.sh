#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A personal profile is deleted only after the applications that it proves.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
web=$(meshctl create application web --algorithm P-256)
before=$(state)
fails_with "delete these first: ${web#mesh://}" \
    meshctl delete --yes mesh://personal
same "$(state)" "$before"
say "after them it can be"
meshctl delete --yes --keys mesh://web
meshctl delete --yes --keys mesh://personal
same "$(keys)" 3
say "of a broken one the archive proves them"
uri=$(meshctl create personal --algorithm P-256)
web=$(meshctl create application web --algorithm P-256)
echo broken > ".cryptomesh/${uri#mesh://}/${uri#mesh://}.mmm"
fails_with "delete these first: ${web#mesh://}" meshctl delete --yes "$uri"
say "one that has no good version at all can be deleted"
rm ".cryptomesh/${uri#mesh://}/${uri#mesh://}.all.mmm"
meshctl delete --yes "$uri"
has "(does not verify: 'meshctl doctor')" meshctl list
