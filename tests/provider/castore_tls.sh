#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TLS, S/MIME and x509 with certificates and chains from URIs alone.
. "$(dirname "$0")/tls_lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
meshctl create application web --algorithm P-256
openssl req -x509 -key mesh://personal/master -subj /CN=owner -days 2 \
    -addext basicConstraints=critical,CA:TRUE -out owner.crt
meshctl certificate mesh://personal/master owner.crt
# issue NAME KEY ISSUER EXTENSION: ISSUER is the URI of key and certificate.
issue() {
    openssl req -new -key "$2" -subj "/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$3" -CAkey "$3" -days 2 \
        -set_serial 2 -extfile <(echo "$4") -out "$1.crt" 2> /dev/null
}
issue online mesh://personal/online mesh://personal/master \
    basicConstraints=critical,CA:TRUE
meshctl certificate mesh://personal/online online.crt
issue localhost mesh://web mesh://personal/online subjectAltName=DNS:localhost
cat localhost.crt online.crt owner.crt > chain.pem
meshctl certificate mesh://web/sign chain.pem
issue auth mesh://device/auth mesh://personal/online keyUsage=digitalSignature
cat auth.crt online.crt > chain.pem
meshctl certificate mesh://device/auth chain.pem

# client ARGUMENT...: ends 0 if the server's certificate verifies.
client() {
    echo | openssl s_client -connect "127.0.0.1:$port" -verify_return_error \
        -verify_hostname localhost "$@" > client.out 2>&1
}
say "x509 reads the key's own certificate, storeutl and -cert_chain the chain"
openssl x509 -in mesh://web -noout -subject | grep "CN *= *localhost"
openssl storeutl -noout -certs mesh://web | grep "Total found: 3"
serve $ours s_server -cert mesh://web -key mesh://web -cert_chain mesh://web
client -CAfile owner.crt
grep -c " s:.*CN *=" client.out | grep 4
stop
say "certificate and key by one URI, the chain built from a store"
serve $ours s_server -cert mesh://web -build_chain \
    -chainCAstore mesh://web/sign
client -CAfile owner.crt
stop
say "the client trusts what the master key signed"
serve $ours s_server -cert mesh://web
client -CAstore mesh:personal
client -CAstore mesh:device && die "a device's store verified the server"
grep "unable to get local issuer" client.out
client -CAstore mesh:personal -cert mesh://device/auth
stop
say "and the server trusts a client that it certified"
serve $ours s_server -cert mesh://web -CAstore mesh:personal -Verify 2 \
    -verify_return_error
client -CAstore mesh:personal -cert mesh://device/auth -tls1_2
client -CAstore mesh:personal -tls1_2 && die "no certificate was wanted"
stop
say "-trusted takes a personal profile's own certificates"
openssl verify -trusted mesh://personal localhost.crt
fails_with "trusted certificates from mesh://device" \
    openssl verify -trusted mesh://device localhost.crt

say "CMS and S/MIME with a signer by one URI, verified by a store"
echo "a message" > message
for tool in cms smime; do
    openssl $tool -sign -in message -signer mesh://device/auth -out signed
    openssl $tool -verify -in signed -CAstore mesh:personal -purpose any |
        grep "a message"
    fails_with "unable to get local issuer" \
        openssl $tool -verify -in signed -CAstore mesh:device -purpose any
done
