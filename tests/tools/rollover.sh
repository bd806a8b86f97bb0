#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A new key takes the place of an old one, which stays to decrypt with.
. "$(dirname "$0")/lib.sh"
meshctl create device
meshctl create personal --algorithm P-256
mail=$(meshctl create application mail)
meshctl create application web --algorithm P-256
# fingerprint URI
fingerprint() {
    meshctl reference "$1" | sed 's,.*/,,'
}
say "a mail key: what was encrypted to the old one is decrypted by its name"
old=$(fingerprint mesh://mail)
openssl pkeyutl -encrypt -pubin -inkey mesh://mail/encrypt \
    -in <(printf hello) -out old.bin
openssl req -x509 -key mesh://mail/encrypt -subj /CN=mail -out old.crt
plain cms -encrypt -in openssl.cnf -recip old.crt -out old.p7m
new=$(meshctl rollover mesh://mail/encrypt 2> note)
grep -q "the old key stays for what was made with it: $mail/$old" note
same "mesh://$(fingerprint mesh://mail/encrypt)" "$new"
[ "$new" != "mesh://$old" ] || die "the same key"
has "retired  RSA-2048  $old  held: yes  (RetiredKeys)" meshctl show mesh://mail
openssl pkeyutl -encrypt -pubin -inkey mesh://mail/encrypt \
    -in <(printf hello) -out new.bin
for uri in "$mail/$old" "mesh://$old" mesh://mail/retired; do
    same "$(openssl pkeyutl -decrypt -inkey "$uri" -in old.bin)" hello
done
same "$(openssl pkeyutl -decrypt -inkey mesh://mail -in new.bin)" hello
openssl cms -decrypt -recip old.crt -inkey mesh://mail/retired -in old.p7m |
    tr -d '\r' | cmp - openssl.cnf
meshctl verify mesh://mail
say "once more: two are retired, each has its name"
meshctl rollover mesh://mail/encrypt
fails_with "several keys 'retired'" meshctl show mesh://mail/retired
same "$(openssl pkeyutl -decrypt -inkey "mesh://$old" -in old.bin)" hello
say "a retired key is deleted by its name"
meshctl delete --yes "mesh://$old"
same "$(meshctl show mesh://mail | grep -c RetiredKeys)" 1

say "of a device, with the certificate gone to the old one"
openssl req -x509 -key mesh://device/auth -subj /CN=auth -out auth.crt
meshctl certificate mesh://device/auth auth.crt
has "personal profile" meshctl rollover mesh://device/auth
meshctl verify mesh://device mesh://personal
same "$(meshctl show mesh://device/auth | grep -c cert)" 0
has "CN=auth" meshctl show mesh://device/retired
say "of a web application: the algorithm stays"
meshctl rollover mesh://web/sign
has "sign  P-256" meshctl show mesh://web
openssl req -new -key mesh://web -subj /CN=web -out web.csr
say "an imported key"
plain genpkey "${spare[@]}" -out ed.pem
meshctl import ed.pem --role rot
meshctl rollover mesh://device/rot
has "rot  $spare_name" meshctl show mesh://device/rot

say "an escrow key, which the master key signs"
meshctl rollover mesh://personal/escrow
same "$(meshctl show mesh://personal | grep -c "RetiredKeys")" 1
say "an online key: the old one is out, the new one signs"
old=$(fingerprint mesh://personal/online)
new=$(meshctl rollover mesh://personal/online 2> note)
grep -q "deleted by: meshctl delete mesh://$old" note
! meshctl show mesh://personal | grep -q "$old" || die "the old one is there"
has "signed by ${new#mesh://}" meshctl verify mesh://personal
meshctl delete --yes "mesh://$old"
meshctl describe personal "still changed"
meshctl verify mesh://personal mesh://mail mesh://web

say "a key that is the profile's name, a profile, a retired key: nothing changes"
before=$(state)
fails_with "is the name of device profile" meshctl rollover mesh://device/sign
fails_with "put it into the personal one (meshctl add device)" \
    meshctl rollover mesh://device/sign
fails_with "meshctl create personal" meshctl rollover mesh://personal/master
fails_with "names a profile; name one key" meshctl rollover mesh://web
fails_with "is retired" meshctl rollover mesh://web/retired
fails_with "no key 'nosuch'" meshctl rollover mesh://web/nosuch
ends 2 meshctl rollover
same "$(state)" "$before"
say "without the key that signs, the new key is not left behind either"
meshctl delete --yes mesh://personal/master
before=$(state)
fails_with "change the master profile on the device that has it" \
    meshctl rollover mesh://personal/online
fails_with "private key not held" meshctl rollover mesh://personal/escrow
same "$(state)" "$before"
