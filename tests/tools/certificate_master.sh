#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of a master profile get certificates: the master key signs it again.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
meshctl create application web --algorithm P-256
# certify ROLE: makes ROLE.crt, self-signed.
certify() {
    openssl req -x509 -key "mesh://personal/$1" -subj "/CN=$1" -out "$1.crt"
}
for role in master online escrow; do
    say "the $role key"
    certify $role
    before=$(used sign)
    meshctl certificate mesh://personal/$role $role.crt
    # The master key and the online key have signed.
    same "$(used sign)" $((before + 2))
    has "CN=$role" meshctl show mesh://personal/$role
    openssl x509 -in mesh://personal/$role | cmp - $role.crt
done
say "the others have kept theirs, and all is verified"
for role in master online escrow; do
    has "CN=$role" meshctl show mesh://personal/$role
done
has "ok" meshctl verify mesh://personal mesh://web mesh://device
say "it replaces the one before"
sed -n p master.crt > old.crt
certify master
meshctl certificate mesh://personal/master master.crt
openssl x509 -in mesh://personal/master | cmp - master.crt

say "what does not fit, or cannot be signed, changes nothing"
before=$(state)
fails_with "no certificate in online.crt is of key" \
    meshctl certificate mesh://personal/master online.crt
fails_with "names a profile" meshctl certificate mesh://personal master.crt
same "$(state)" "$before"
certify online
meshctl delete --yes mesh://personal/master
before=$(state)
fails_with "private key not held by this device: the master key of personal" \
    meshctl certificate mesh://personal/online online.crt
fails_with "private key not held by this device: the master key of personal" \
    meshctl certificate mesh://personal/master old.crt
same "$(state)" "$before"
has "ok" meshctl verify mesh://personal
