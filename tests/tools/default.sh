#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which profile a word means.
. "$(dirname "$0")/lib.sh"
first=$(meshctl create device --algorithm P-256)
second=$(meshctl create device --algorithm P-256)
personal=$(meshctl create personal --algorithm P-256)
web=$(meshctl create application web --algorithm P-256)
ssh=$(meshctl create application ssh --algorithm P-256)

say "shown"
has "device    ${first#mesh://}" meshctl default
has "Web       ${web#mesh://}" meshctl default
same "mesh://$(meshctl default personal)" "$personal"
say "set, by any spelling of the fingerprint"
udf=${second#mesh://} short=${second#mesh://}
meshctl default device "${udf,,}"
same "$(meshctl default device)" "$udf"
meshctl default device "${first#mesh://}"
meshctl default device "${short:0:25}"
same "$(meshctl default device)" "$udf"
say "or by its URI"
meshctl default device "$first"
same "mesh://$(meshctl default device)" "$first"
meshctl default device "$second"
same "$(meshctl default device)" "$udf"
say "or as other commands name a profile"
meshctl create personal --algorithm P-256 --portal a@example.net --default
second_personal=$(meshctl default personal)
meshctl default personal "$personal"
meshctl default personal a@example.net
same "$(meshctl default personal)" "$second_personal"
meshctl default personal personal
meshctl default personal "$personal"
fails_with "'meshctl refresh b@example.net' asks its portal" \
    meshctl default personal b@example.net
fails_with 'no default for "network"' meshctl default web network
say "JSON"
meshctl default --json > listed
grep -q "\"device\": \"$udf\"" listed
grep -q "\"Web\": \"${web#mesh://}\"" listed
say "removed"
meshctl default Web --none
fails_with "no default profile" meshctl default web
fails_with "no default profile" meshctl show mesh://web
meshctl default web "${web#mesh://}"

say "what does not fit changes nothing"
before=$(state)
fails_with "wrong kind of profile" meshctl default device "${personal#mesh://}"
fails_with "wrong kind of profile" meshctl default web "${ssh#mesh://}"
fails_with "unknown fingerprint" \
    meshctl default device MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
fails_with "fingerprint too short" meshctl default device "${udf:0:11}"
fails_with "malformed fingerprint" meshctl default device "not a fingerprint"
ends 2 meshctl default ftp
ends 2 meshctl default --none
ends 2 meshctl default web --json
ends 2 meshctl default device mesh://device/sign
ends 2 meshctl default web "${web#mesh://}" --none
same "$(state)" "$before"
