#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Verification with mesh: URIs as CA stores: what is an anchor and what is not.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
meshctl create application web --algorithm P-256
owner=mesh://$(meshctl default personal)
ca="basicConstraints=critical,CA:TRUE"
# issue NAME KEY ISSUER-KEY ISSUER-CERTIFICATE EXTENSION: makes NAME.crt.
issue() {
    openssl req -new -key "$2" -subj "/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CAkey "$3" -CA "$4" -days 2 \
        -CAcreateserial -out "$1.crt" 2> /dev/null \
        -extfile <(echo "$5")
}
# trusted URI CERTIFICATE...; untrusted URI CERTIFICATE...
trusted() {
    openssl verify -CAstore "$@"
}
untrusted() {
    fails_with "unable to get local issuer certificate" \
        openssl verify -CAstore "$@"
}

say "the master key has no certificate yet"
openssl req -x509 -key mesh://personal/master -subj /CN=owner -days 2 \
    -addext "$ca" -out owner.crt
leaf=subjectAltName=DNS:localhost
issue device mesh://device/auth mesh://personal/master owner.crt "$leaf"
untrusted mesh:personal device.crt
say "with it in the profile, the master key verifies what it issued"
meshctl certificate mesh://personal/master owner.crt
trusted mesh:personal device.crt
trusted mesh://personal device.crt
trusted "$owner" device.crt
trusted mesh: device.crt
untrusted mesh://device device.crt
untrusted mesh://web device.crt
untrusted mesh://MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD device.crt

say "the online key, by the certificate that the master key gave it"
issue online mesh://personal/online mesh://personal/master owner.crt "$ca"
issue web mesh://web/sign mesh://personal/online online.crt "$leaf"
untrusted mesh:personal web.crt
meshctl certificate mesh://personal/online online.crt
trusted mesh:personal web.crt device.crt

say "what stands in a chain, or at another key, is no anchor of the profile"
plain req -x509 -newkey rsa:2048 -nodes -keyout foreign.key -days 2 \
    -addext "$ca" -subj /CN=foreign -out foreign.crt 2> /dev/null
issue other mesh://device/auth foreign.key foreign.crt "$leaf"
cat other.crt foreign.crt > chain.pem
meshctl certificate mesh://device/auth chain.pem
untrusted mesh://device other.crt
untrusted mesh: other.crt
cat foreign.key foreign.crt > imported.pem
meshctl import imported.pem --profile personal
untrusted mesh:personal other.crt
say "but of the one key that a URI names all are"
trusted mesh://device/auth other.crt
trusted mesh:device/auth other.crt
trusted mesh://personal/ImportedKeys other.crt
