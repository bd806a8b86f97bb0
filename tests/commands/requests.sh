#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl req, x509, ca, crl, spkac: requests and certificates.
. "$(dirname "$0")/lib.sh"
request() { plain req -in out -verify -noout 2>&1 | grep "verify OK"; }
self_signed() { plain verify -check_ss_sig -CAfile out out; }
issued() { plain verify -partial_chain -CAfile cert.pem out; }
say "req"
good request req -new -key KEY -subj /CN=request -out out
mv out request.csr
[ "$(plain req -in request.csr -noout -pubkey)" = "$(cat public.pem)" ] ||
    die "the request is for another key"
good self_signed req -x509 -key KEY -subj /CN=self -out out
for form in $forms; do
    ours $form req -in request.csr -verify -noout -key KEY 2>&1 |
        grep -q "verify OK" || die "req -verify -key"
done
say "x509"
plain req -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf \
    -out leaf.csr 2> /dev/null
good issued x509 -req -in leaf.csr -CA cert.pem -CAkey KEY -out out
good issued req -x509 -newkey rsa:2048 -nodes -keyout new.key -subj /CN=new \
    -CA cert.pem -CAkey KEY -out out
good self_signed x509 -req -in request.csr -signkey KEY -out out
good request x509 -x509toreq -in cert.pem -signkey KEY -out out
good self_signed x509 -new -subj /CN=new -key KEY -out out
openssl x509 $query -in mesh://device/test -noout -subject | grep -q "test"
say "ca"
mkdir -p new
cat > ca.cnf <<'CNF'
[ca]
default_ca = ca_default
[ca_default]
database = index.txt
serial = serial
new_certs_dir = new
default_md = sha256
default_days = 2
default_crl_days = 1
policy = policy
unique_subject = no
[policy]
commonName = supplied
CNF
touch index.txt
echo 01 > serial
revoked() { plain crl -in out -CAfile cert.pem -noout 2>&1 | grep "verify OK"; }
ca() { ours "$form" ca -config ca.cnf -cert cert.pem -batch "$@"; }
for form in $forms; do
    ca -keyfile KEY -in leaf.csr -out out 2> errors ||
        die "$form: $(cat errors)"
    issued || die "ca: $form"
    ca -keyfile KEY -gencrl -out out 2> errors || die "$form: $(cat errors)"
    revoked || die "ca -gencrl: $form"
done
say "spkac"
spkac() { plain spkac -in out -verify -noout 2>&1 | grep "OK"; }
good spkac spkac -digest sha256 -key KEY -challenge hello -out out
