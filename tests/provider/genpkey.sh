#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl genpkey and req make a key in the key store and write a reference to
# it.  Usage: genpkey.sh config|provider
. "$(dirname "$0")/../tools/lib.sh"
meshctl create device --algorithm P-256
activated_by "$1"
by="$by -propquery ?provider=mesh"
held=$(keys)

# stored NAME: NAME.pem, a reference, and its role name one new key.
stored() {
    same "$(keys)" $((held += 1))
    has "MESH KEY REFERENCE" head -1 $1.pem
    openssl pkey $by -in $1.pem -pubout -out $1.pub
    openssl pkey $by -in mesh://device/$1 -pubout | cmp - $1.pub
}
# made NAME: and it signs.
made() {
    stored $1
    openssl pkeyutl $by -sign -rawin -inkey $1.pem -in openssl.cnf -out sig
    plain pkeyutl -verify -rawin -pubin -inkey $1.pub -in openssl.cnf \
        -sigfile sig > /dev/null
}
# has_type TYPE: this OpenSSL has it.
has_type() {
    plain genpkey -algorithm $1 -out /dev/null 2> /dev/null
}
say "genpkey"
while read -r name options; do
    [ -n "$name" ] || continue
    openssl genpkey $by $options -pkeyopt role:$name -out $name.pem
    made $name
done << KEYS
rsa -algorithm RSA
rsa3072 -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -pkeyopt profile:device
p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
ed25519 -algorithm ED25519 -pkeyopt profile:mesh://device
pss -algorithm RSA-PSS
ed448 -algorithm ED448
k1 -algorithm EC -pkeyopt group:secp256k1
$(has_type ML-DSA-65 && echo mldsa -algorithm ML-DSA-65)
KEYS
for type in X25519 X448 ML-KEM-768; do
    has_type $type || continue
    openssl genpkey $by -algorithm $type -pkeyopt role:${type//-/} \
        -out ${type//-/}.pem
    stored ${type//-/}
done
has "(3072 bit)" openssl pkey $by -in rsa3072.pem -noout -text

say "as DER, with text"
openssl genpkey $by -algorithm ED25519 -pkeyopt role:der -outform DER -out der
openssl pkey $by -in der -out der.pem
made der
openssl genpkey $by -algorithm ED25519 -pkeyopt role:text -text -out text.pem
grep -q "^URI: mesh://" text.pem
made text

say "req"
openssl req $by -new -newkey rsa:2048 -noenc -pkeyopt role:www \
    -keyout www.pem -subj /CN=www -out www.csr
made www
plain req -in www.csr -noout -verify 2> /dev/null
openssl req $by -x509 -newkey ec -pkeyopt group:P-256 -noenc \
    -pkeyopt profile:device -pkeyopt role:self -keyout self.pem -subj /CN=self \
    -out self.crt
made self
plain verify -CAfile self.crt self.crt

say "without the options they are files, as ever"
openssl genpkey $by -algorithm ED25519 -out soft.pem
plain pkey -in soft.pem -noout
openssl genpkey $by -genparam -algorithm EC -pkeyopt group:P-521 -out params
openssl genpkey $by -paramfile params -aes256 -pass pass:abcd -out soft.pem
plain pkey -in soft.pem -passin pass:abcd -noout
openssl req $by -new -newkey rsa:2048 -keyout soft.pem -passout pass:abcd \
    -subj /CN=soft -out soft.csr 2> /dev/null
plain pkey -in soft.pem -passin pass:abcd -noout
same "$(keys)" "$held"
meshctl verify mesh://device
