#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PKCS#12: key, certificate and chain from one file.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
echo "a passphrase" > pass
echo wrong > wrong
plain req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=authority \
    -out ca.crt
plain req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf \
    -out leaf.csr
plain x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
    -out leaf.crt
p12() {
    plain pkcs12 -export "$@" -inkey leaf.key -in leaf.crt -certfile ca.crt \
        -passout file:pass
}
say "with certificate and chain"
p12 -out leaf.p12
uri=$(meshctl import leaf.p12 --passphrase-file pass --role Leaf)
has "cert       CN=leaf" meshctl show "$uri"
has "chain      CN=authority" meshctl show "$uri"
say "with RC2, as older programs wrote it"
# The legacy provider is not in our folder of modules.
modules=$OPENSSL_MODULES
unset OPENSSL_MODULES
if p12 -legacy -out old.p12; then
    meshctl delete --yes "$uri"
    same "$(meshctl import old.p12 --passphrase-file pass)" "$uri"
fi
export OPENSSL_MODULES=$modules

say "what cannot be imported changes nothing"
before=$(state)
fails_with "wrong or missing passphrase" \
    meshctl import leaf.p12 --passphrase-file wrong
[ ! -s old.p12 ] || fails_with "provider, which is not in $OPENSSL_MODULES" \
    meshctl import old.p12 --passphrase-file pass
fails_with "holds no private key" meshctl import ca.crt
same "$(state)" "$before"
