#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every wrong name has an error text of its own, and openssl says it.
. "$(dirname "$0")/../lib.sh"
device=$(meshctl create device --algorithm P-256)
uri=$(meshctl reference mesh://device/sign)
key=$(sed 's|mesh://||' <<< "$uri")
sum() {
    find .cryptomesh -type f -exec sha256sum {} + | sort | sha256sum
}
before=$(sum)
# refuses TEXT URI: openssl cannot sign with it, and says TEXT.
refuses() {
    fails_with "$1" openssl dgst -sha256 -sign "$2" -out sig openssl.cnf
}
say "unknown, too short, one character wrong"
refuses "unknown fingerprint" mesh://MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
refuses "fingerprint too short" "mesh://${key:0:17}"
wrong=$(sed 's/./A/10' <<< "$key")
[ "$wrong" != "$key" ] || wrong=$(sed 's/./B/10' <<< "$key")
refuses "unknown fingerprint" "mesh://$wrong"
say "the same key by any spelling of its name"
for name in "$key" "${key,,}" "${key//-/}" "${key:0:25}"; do
    openssl dgst -sha256 -sign "mesh://$name" -out sig openssl.cnf
    rm sig
done
say "malformed"
refuses "malformed mesh: URI" mesh://device/sign/more
refuses "malformed mesh: URI" "mesh://device/%zz"
refuses "malformed mesh: URI" "mesh://device/sign?type=secret"
refuses "malformed mesh: URI" "mesh://../sign"
refuses "malformed mesh: URI" "mesh://$(printf 'a%.0s' {1..2000})"
say "missing"
refuses "no default profile" mesh://personal/sign
refuses "no default profile" mesh://web
refuses "no such key in the profile" mesh://device/nosuch
say "a file of that name is not taken for the key"
plain genpkey -algorithm RSA -out "mesh:device"
openssl dgst -sha256 -sign mesh://device -out sig openssl.cnf
plain pkey -in "mesh:device" -pubout -out file.pub
! plain dgst -sha256 -verify file.pub -signature sig openssl.cnf || die "it was"
say "nothing was changed: $device"
[ "$(sum)" = "$before" ] || die "files have changed"
