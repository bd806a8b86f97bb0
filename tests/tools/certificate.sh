#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A certificate and its chain are attached to a key, in all kinds of profiles.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
meshctl create application web --algorithm P-256
plain req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=authority \
    -out ca.crt
# certify URI NAME: makes NAME.crt.
certify() {
    openssl req -new -key "$1" -subj "/CN=$2" -out "$2.csr"
    plain x509 -req -in "$2.csr" -CA ca.crt -CAkey ca.key -CAcreateserial \
        -out "$2.crt"
}
say "of a device, with the chain in any order"
certify mesh://device/auth auth
cat ca.crt auth.crt > chain.pem
meshctl certificate mesh://device/auth chain.pem
meshctl show mesh://device/auth > shown
grep -q "cert  *CN=auth" shown
grep -q "chain  *CN=authority" shown
has "ok" meshctl verify mesh://device
say "it replaces the one before"
certify mesh://device/auth again
meshctl certificate mesh://device/auth again.crt
meshctl show mesh://device/auth > shown
grep -q "cert  *CN=again" shown
! grep -q "chain" shown || die "the old chain is still there"
say "of an application, DER"
certify mesh://web web
plain x509 -in web.crt -outform DER -out web.der
meshctl certificate mesh://web/sign - < web.der
has "CN=web" meshctl show mesh://web
has "ok" meshctl verify mesh://web mesh://personal

say "a request with names in it, signed by the key of the key store"
openssl req -new -key mesh://web -subj /CN=www.example.net \
    -addext subjectAltName=DNS:www.example.net,DNS:example.net -out www.csr
plain req -in www.csr -noout -verify
has "DNS:www.example.net, DNS:example.net" plain req -in www.csr -noout -text

say "in a file with a wrapper, which is kept"
file=.cryptomesh/$(meshctl default device)/$(meshctl default device).mmm
wrapper='"SerializationDevice": { "Kept": 1, "Profile":'
sed -e "s/\"SignedDeviceProfile\":/$wrapper/" -e '$s/$/}/' "$file" > wrapped
cat wrapped > "$file"
meshctl certificate mesh://device/auth auth.crt
has "CN=auth" meshctl show mesh://device/auth
grep -q '"SerializationDevice"' "$file"
grep -q '"Kept": 1' "$file"

say "what does not fit changes nothing"
before=$(state)
fails_with "wrong certificate: no certificate in web.crt is of key" \
    meshctl certificate mesh://device/sign web.crt
fails_with "no certificate in ca.crt is of key" \
    meshctl certificate mesh://web/sign ca.crt
fails_with "names a profile; name one key" \
    meshctl certificate mesh://device web.crt
fails_with "wrong certificate: ca.key holds no" \
    meshctl certificate mesh://web/sign ca.key
fails_with "No such file" meshctl certificate mesh://web/sign missing.crt
ends 2 meshctl certificate mesh://web/sign
fails_with "the URI comes first: meshctl certificate mesh://web/sign web.crt" \
    meshctl certificate web.crt mesh://web/sign
same "$(state)" "$before"

say "a profile whose signature key is gone cannot be changed"
meshctl delete --yes mesh://device/sign
before=$(state)
fails_with "private key not held" \
    meshctl certificate mesh://device/auth auth.crt
same "$(state)" "$before"
