#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A profile that is here, and a device that has no access any more: it is told
# what is missing, not that nothing was found.
. "$(dirname "$0")/lib.sh"
first=$(meshctl create device --algorithm P-256)
personal=$(meshctl create personal --algorithm P-256)
web=$(meshctl create application web --algorithm P-256)
key=$(meshctl reference mesh://web/sign)
echo text > text
sign() {
    openssl pkeyutl -sign -rawin -digest sha256 -in text -out sig -inkey "$1"
}
sign mesh://web

say "the private key is gone from the key store"
meshctl delete --yes mesh://web/sign
for uri in mesh://web mesh://web/sign "$web" "$key" "mesh://${key##*/}"; do
    fails_with "profile ${web#mesh://} is here, but this device holds no private \
key for its PublicKey, ${key##*/}, which is of device ${first#mesh://}" \
        sign "$uri"
done
openssl pkey -pubin -noout -in mesh://web
fails_with "private key not held by this device" meshctl delete --yes "$key"

say "the device was taken out of the personal profile, on another one"
second=$(meshctl create device --algorithm P-256)
meshctl add device "$second" --admin
file=.cryptomesh/${web#mesh://}/${web#mesh://}.mmm
cp "$file" signed-by-first
cp "${file%.mmm}.all.mmm" archived-by-first
meshctl default device "${second#mesh://}"
meshctl remove device mesh://"${first#mesh://}"
meshctl default device "${first#mesh://}"
fails_with "put it there with 'meshctl add device'" \
    meshctl create application ssh --algorithm P-256
say "it may not sign for the person"
before=$(state)
fails_with "signed by ${first#mesh://}, which is no device of personal profile \
${personal#mesh://}, or no more; that is this device" meshctl describe web new
same "$(state)" "$before"
say "and what it had signed is no use, for this reason"
cp signed-by-first "$file"
cp archived-by-first "${file%.mmm}.all.mmm"
for command in "meshctl verify" "meshctl show" "openssl pkey -noout -in"; do
    fails_with "or no more; that is this device: application profile \
${web#mesh://} is here, but has no effect" $command mesh://web
done
say "a strange device's signature is not this device's"
meshctl delete --yes "$first"
fails_with "no device of personal profile" meshctl verify mesh://web
! meshctl verify mesh://web | grep -q "this device:" || die "it is not"
