#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# storeutl searches for keys and certificates, in one key, in a profile, in all.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256 --description "a laptop"
meshctl create personal --algorithm P-256
plain req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=authority \
    -out ca.crt 2> /dev/null
openssl req -new -key mesh://device/auth -subj /CN=auth -out auth.csr
plain x509 -req -in auth.csr -CA ca.crt -CAkey ca.key -set_serial 4711 \
    -out auth.crt 2> /dev/null
cat auth.crt ca.crt > chain.pem
meshctl certificate mesh://device/auth chain.pem
openssl req -x509 -key mesh://device/sign -subj /CN=device -out device.crt
meshctl certificate mesh://device/sign device.crt

# finds WANTED ARGUMENT...: storeutl gives the objects WANTED, in this order.
finds() {
    wanted=$1
    shift
    openssl storeutl -noout "$@" > found 2>&1 || die "$*: $(cat found)"
    found=$(sed -n 's/^[0-9]*: \([A-Za-z]*\).*/\1/p' found | tr '\n' ' ')
    [ "${found% }" = "$wanted" ] || die "$*: found $found"
}
say "by subject: certificates of one key, with its chain"
finds "Certificate" -subject /CN=auth mesh://device/auth
finds "Certificate" -certs -subject /CN=authority mesh:device/auth
finds "" -keys -subject /CN=auth mesh://device/auth
finds "" -subject /CN=nobody mesh://device/auth
say "by subject in a profile: only what its trust chain rests on"
finds "Certificate" -subject /CN=device mesh://device
finds "Certificate" -subject /CN=device mesh:
finds "" -subject /CN=auth mesh://device
finds "" -subject /CN=authority mesh:
# storeutl of 3.0 ends 0 all the same.
openssl storeutl -subject /CN=auth \
    mesh://MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD 2>&1 |
    grep "unknown fingerprint"
say "by issuer and serial: that certificate, wherever it is"
finds "Certificate" -issuer /CN=authority -serial 4711 mesh:
openssl storeutl -certs -issuer /CN=authority -serial 4711 mesh: |
    plain x509 -noout -subject | grep "CN *= *auth$"
finds "" -issuer /CN=authority -serial 4712 mesh:
finds "" -issuer /CN=auth -serial 4711 mesh:

say "by fingerprint: the objects of that key"
openssl pkey -in mesh://device/auth -pubout -outform DER > auth.der
for digest in sha256 sha1 sha3-512; do
    fingerprint=$(plain dgst -$digest -r auth.der | cut -d' ' -f1)
    finds "Certificate Certificate Pkey Public" -$digest \
        -fingerprint "$fingerprint" mesh:
    finds "Pkey" -keys -$digest -fingerprint "$fingerprint" mesh://device
    finds "" -$digest -fingerprint "$fingerprint" mesh://device/sign
done
fails_with "size" openssl storeutl -sha256 -fingerprint "$fingerprint" mesh:
fails_with "null" \
    openssl storeutl -fingerprint "$fingerprint" mesh:
plain dgst -sha256 -r ca.key | cut -d' ' -f1 > other
finds "" -sha256 -fingerprint "$(cat other)" mesh:

say "by alias: a role, a member, or what the description says"
finds "Pkey" -keys -alias auth mesh:
finds "Certificate Certificate Pkey Public" -alias auth mesh://device
finds "Certificate Pkey Public" -alias "a laptop" mesh:
finds "Pkey Public" -alias MasterSignatureKey mesh://personal
finds "" -alias nobody mesh:
say "an alias of several keys gives names, and no key by chance"
finds "Name Name" -alias sign mesh:
openssl storeutl -noout -keys -alias sign mesh: 2>&1 |
    grep "ambiguous name.*2 keys fit the search"
