#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Certificates, requests and CMS with keys of a device.
# Usage: certificates.sh ALGORITHM config|provider
. "$(dirname "$0")/../lib.sh"
algorithm=$1
meshctl create device --algorithm "$algorithm"
signer=$(meshctl reference mesh://device/sign)
activated_by "$2"

say "a self-signed certificate, by the key's own fingerprint"
openssl req $by -x509 -key "${signer/\/\//}" -subj /CN=localhost -days 2 \
    -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:TRUE -out sign.crt
plain verify -CAfile sign.crt sign.crt
plain x509 -in sign.crt -noout -text | grep "Signature Algorithm"
say "a request"
openssl req $by -new -key mesh://device/sign -subj /CN=request -out sign.csr
# It ends 0 even if the signature is wrong: what counts is what it says.
plain req -in sign.csr -verify -noout 2>&1 | grep "verify OK"
openssl req $by -in sign.csr -verify -noout 2>&1 | grep "verify OK"
say "certificates for others"
openssl req -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf \
    -out leaf.csr 2> /dev/null
openssl x509 $by -req -in leaf.csr -CA sign.crt -CAkey mesh://device/sign \
    -CAcreateserial -days 1 -out leaf.crt
plain verify -CAfile sign.crt leaf.crt
case $algorithm in RSA-*)
    openssl req $by -x509 -key mesh://device/sign -subj /CN=pss -out pss.crt \
        -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
    plain verify -CAfile pss.crt pss.crt
    plain x509 -in pss.crt -noout -text | grep -q rsassaPss ;;
esac

say "CMS: sign and verify"
echo "a message" > message
# cms_sign ARGUMENT...: to signed.cms
cms_sign() {
    openssl cms $by -sign -in message -nodetach -out signed.cms "$@"
    plain cms -verify -in signed.cms -CAfile sign.crt -purpose any -out clear
    cmp <(tr -d '\r' < clear) message
}
can_sign=yes
if [ "$algorithm" = ED25519 ]; then
    # OpenSSL 3.0 cannot sign CMS with Ed25519 keys of files either.
    plain req -x509 -newkey ed25519 -nodes -keyout file.key -subj /CN=file \
        -out file.crt 2> /dev/null
    plain cms -sign -in message -signer file.crt -inkey file.key \
        -out signed.cms 2> /dev/null || can_sign=no
    [ $can_sign = yes ] || echo "left out: this OpenSSL cannot, with any key"
fi
[ $can_sign = no ] || cms_sign -signer sign.crt -inkey mesh://device/sign
say "CMS: decrypt"
openssl req $by -x509 -key mesh://device/encrypt -subj /CN=encrypt \
    -days 2 -out encrypt.crt
plain cms -encrypt -aes256 -in message -out encrypted.cms encrypt.crt
openssl cms $by -decrypt -in encrypted.cms -recip encrypt.crt \
    -inkey mesh://device/encrypt -out clear
cmp <(tr -d '\r' < clear) message

say "a certificate of the profile is found beside its key"
meshctl certificate mesh://device/sign sign.crt
openssl x509 $by -in mesh://device/sign -noout -subject | grep localhost
openssl storeutl $by -noout -certs mesh://device/sign | grep "Total found: 1"
[ $can_sign = no ] || cms_sign -signer mesh://device/sign
