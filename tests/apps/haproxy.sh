#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# haproxy: one file with key and certificate, or two, in a chroot as a user
. "$(dirname "$0")/lib.sh"
needs haproxy
needs_root
key rsa RSA-2048
key ec P-256
mkdir -m 755 jail certs
cat ec.crt ec.key > certs/ec.pem
cp rsa.crt certs/rsa.pem # haproxy looks for rsa.pem.key beside it
cp rsa.key certs/rsa.pem.key
cat > haproxy.cfg << CONF
global
    chroot $HOME/jail
    user www-data
    group www-data
    nbthread 4
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend tls
    bind 127.0.0.1:$port ssl crt $HOME/certs/ec.pem crt $HOME/certs/rsa.pem
    http-request return status 200
CONF
say "a test of the configuration signs nothing"
haproxy -c -q -f haproxy.cfg
signed rsa 0
serve haproxy -W -db -f haproxy.cfg
for version in tls1_2 tls1_3; do
    handshake rsa -$version -sigalgs rsa_pss_rsae_sha256:RSA+SHA256
    signed rsa
    handshake ec -$version -sigalgs ecdsa_secp256r1_sha256
    signed ec
done
say "four threads of one worker, in the chroot"
worker=$(pgrep -P "$server")
[ "$(readlink "/proc/$worker/root")" = "$HOME/jail" ] || die "no chroot"
endures "$worker" 2000 8
signed ec "$endured"
stop
say "a reference to a key that is not here"
openssl asn1parse -genconf <(cat << ASN1
asn1 = SEQUENCE:reference
[reference]
version = UTF8:mesh key reference v1
uri = UTF8:mesh://MDIAW-ZJXCE-2VSMC-5B6RQ-AAAAA-BBBBB
ASN1
) -noout -out other.der
{ echo "-----BEGIN MESH KEY REFERENCE-----"; base64 other.der
  echo "-----END MESH KEY REFERENCE-----"; } > certs/rsa.pem.key
fails_with "rsa.pem" haproxy -c -f haproxy.cfg
