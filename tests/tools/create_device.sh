#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A device profile: three keys in the key store, a file that verifies, an entry
# in the layout.
. "$(dirname "$0")/lib.sh"

say "the first device becomes the default"
first=$(meshctl create device --algorithm P-256 --description "first device")
same "mesh://$(meshctl default device)" "$first"
same "$(keys)" 3
has "first device" meshctl show mesh://device
file=.cryptomesh/${first#mesh://}/${first#mesh://}.mmm
has "$file: ok (DeviceProfile" meshctl verify "$file"
same "$(stat -c %a "$file")" 600

say "it has three keys, all held; the one for encryption can decrypt"
meshctl show mesh://device > shown
grep -q "^key  *sign  P-256  ${first#mesh://}  held: yes" shown
grep -q "^key  *auth  P-256  M.*held: yes" shown
grep -q "^key  *encrypt  RSA-2048  M.*held: yes" shown

say "another one does not become the default, unless told to"
second=$(meshctl create device --algorithm ed25519)
same "mesh://$(meshctl default device)" "$first"
third=$(meshctl create device --encryption-algorithm RSA-3072 --default)
same "mesh://$(meshctl default device)" "$third"
has "$(uname -n)" meshctl show "$second"
has "RSA-3072" meshctl show mesh://device/encrypt
same "$(keys)" 9
for uri in "$first" "$second" "$third"; do
    meshctl verify "$uri"
done

say "what cannot be made changes nothing"
before=$(state)
fails_with "wrong use: algorithm 'RSA-1'; there are RSA-2048" \
    meshctl create device --algorithm RSA-1
fails_with "ED25519 keys cannot decrypt or agree on a secret; those that can" \
    meshctl create device --encryption-algorithm ED25519
fails_with "X25519 keys cannot sign; those that can are RSA-2048" \
    meshctl create device --algorithm X25519
ends 2 meshctl create device --algorithm RSA-1
ends 2 meshctl create device --algorithm
ends 2 meshctl create device --algorithms P-256
ends 2 meshctl create device P-256
ends 2 meshctl create devices
ends 2 meshctl create device --description $'\xff'
same "$(state)" "$before"

say "no room for the URI: it was made, and that is said"
fails_with "was made" bash -c "'$MESH_BUILD/tools/meshctl' create device \
    --algorithm P-256 > /dev/full"
for uri in $(grep -o "mesh://[A-Z0-9-]*" <<< "$out"); do
    has ": ok (DeviceProfile" meshctl verify "$uri"
    meshctl delete --yes --keys "$uri"
done
same "$(state)" "$before"

say "a layout that others may write is not added to"
chmod g+w .cryptomesh/profiles.json
fails_with "unsafe file" meshctl create device --algorithm P-256
chmod g-w .cryptomesh/profiles.json
same "$(state)" "$before"

say "no key holder: no profile"
fails_with "cannot start the key holder" "$MESH_BUILD/tools/meshctl" \
    --keyd-path /nonexistent --keyd-socket "$HOME/none/keyd.sock" \
    create device
same "$(state)" "$before"
