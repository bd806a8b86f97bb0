#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# EVP_PKEY_generate with the options profile and role makes the key in the key
# store and enters it in the profile; by several at once none is lost.
. "$(dirname "$0")/../tools/lib.sh"
generate() {
    LD_PRELOAD="${MESH_PRELOAD:-}" "$MESH_BUILD/tests/generate_key" "$@"
}
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
meshctl create application web --algorithm P-256

say "in the device's profile, in others, in the place for imported keys"
before=$(keys)
generate EC "group:P-256 profile:device role:vpn"
generate RSA "role:mailserver"
generate ED25519 "profile:mesh://personal role:letters"
generate EC "profile:web role:second group:P-384"
generate EC "profile:device group:P-521"
same "$(keys)" $((before + 5))
for key in device/vpn device/mailserver personal/letters web/second \
    device/ImportedKeys; do
    has "held: yes" meshctl show mesh://$key
    openssl pkey -in mesh://$key -pubout -out $(basename $key).pub
    openssl pkeyutl -sign -rawin -inkey mesh://$key -in letters.pub \
        -out sig 2> /dev/null ||
        openssl dgst -sha256 -sign mesh://$key -out sig $(basename $key).pub
done
meshctl verify mesh://device mesh://personal mesh://web
! meshctl list --keys | grep "no profile" || die "an orphan"

say "without the options it is a software key"
before=$(state)
generate EC "group:P-256"
same "$(state)" "$before"

say "several threads and processes at once"
before=$(keys)
pids=()
for _ in 1 2 3; do
    generate EC "group:P-256 profile:device" 4 2 & pids+=($!)
done
plain genpkey -algorithm ED25519 -out key.pem
meshctl import key.pem --role Meanwhile & pids+=($!)
for pid in "${pids[@]}"; do
    wait "$pid" || die "one of them failed"
done
same "$(keys)" $((before + 25))
same "$(meshctl show mesh://device | grep -c '(ImportedKeys)')" 25
has "held: yes" meshctl show mesh://device/Meanwhile
meshctl verify mesh://device
! meshctl list --keys | grep "no profile" || die "an orphan"
