#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Profiles signed by each algorithm that can sign, keys for encryption of each
# that can do that, and what the other ones are refused for.
. "$(dirname "$0")/lib.sh"
# those_for sign|decrypt ALGORITHM-THAT-CANNOT OPTION: the list that it prints
those_for() {
    fails_with "$2 keys cannot $1" meshctl create device "$3" "$2"
    echo "${out##*those that can are }" | tr -d ,
}
signing=$(those_for sign X25519 --algorithm)
encrypting=$(those_for decrypt ED25519 --encryption-algorithm)
meshctl create device > log # a default one, for create personal

for algorithm in $signing; do
    [[ $algorithm != RSA*-[34]* ]] || continue # as RSA-2048, and slow to make
    device=$(meshctl create device --algorithm "$algorithm")
    has "ok (DeviceProfile" meshctl verify "$device"
    has "sign  $algorithm  ${device#mesh://}  held: yes" meshctl show "$device"
    case $algorithm in
    RSA-2048 | *s) ;; # known, or slow to sign with
    *) has "ok (PersonalProfile" meshctl verify \
        "$(meshctl create personal --algorithm "$algorithm")" ;;
    esac
    say "$algorithm: $(meshctl show "$device" | grep -c 'held: yes') keys"
done

say "for encryption: $encrypting"
for algorithm in $encrypting; do
    [[ $algorithm != RSA*-[34]* ]] || continue
    device=$(meshctl create device --algorithm ED25519 \
        --encryption-algorithm "$algorithm")
    has "encrypt  $algorithm  M" meshctl show "$device"
done
say "the default is RSA, whose size may be that of the others"
has "encrypt  RSA-2048" meshctl show "$(meshctl create device --algorithm P-521)"
has "encrypt  RSA-3072" meshctl show \
    "$(meshctl create device --algorithm RSA-3072)"

say "a key for mail must be one for encryption, others must sign"
meshctl create personal --default > log
has "X25519" meshctl show \
    "$(meshctl create application mail --algorithm X25519)"
fails_with "ED448 keys cannot decrypt" \
    meshctl create application mail --algorithm ED448
fails_with "X25519 keys cannot sign" \
    meshctl create application web --algorithm X25519

say "what this OpenSSL lacks is said, and not offered"
for algorithm in ML-DSA-65 SLH-DSA-SHAKE-128f; do
    [[ " $signing " != *" $algorithm "* ]] || continue
    fails_with "has no $algorithm; OpenSSL 3.5 has" \
        meshctl create device --algorithm "$algorithm"
    ends 1 meshctl create device --algorithm "$algorithm"
done
