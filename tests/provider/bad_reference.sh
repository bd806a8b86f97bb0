#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every key-reference file that is not one has an error of its own, and openssl
# says it, of PEM and of DER.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
meshctl reference mesh://device/sign --out good.pem
uri=$(meshctl reference mesh://device/sign)

# to_pem: the DER in bad.der as bad.pem
to_pem() {
    { echo "-----BEGIN MESH KEY REFERENCE-----"
        openssl base64 -in bad.der
        echo "-----END MESH KEY REFERENCE-----"; } > bad.pem
}
# write FIELD...: a sequence of these, as openssl-asn1parse(1) spells them
write() {
    { printf 'asn1 = SEQUENCE:fields\n[fields]\n'
        local i=0
        for field; do echo "f$((i += 1)) = $field"; done; } > conf
    plain asn1parse -genconf conf -noout -out bad.der
    to_pem
}
# refused TEXT: neither form is a key, and openssl says TEXT.
refused() {
    fails_with "$1" openssl pkey -in bad.pem -noout
    fails_with "$1" openssl dgst -sha256 -sign bad.pem -out sig conf
    fails_with "$1" openssl pkeyutl -sign -inkey "$PWD/bad.pem" -in conf
}
version="UTF8:mesh key reference v1"

say "as written here it is good"
write "$version" "UTF8:$uri"
cmp bad.pem good.pem

say "format"
write "UTF8:mesh key reference v2" "UTF8:$uri"
refused "another version; this provider reads v1"
write "UTF8:some other key" "UTF8:$uri"
refused "malformed key reference"
write "$version" "UTF8:$uri" "UTF8:more"
refused "truncated or damaged"
write "$version" "IA5:$uri"
refused "truncated or damaged"
write "$version"
refused "truncated or damaged"
write "$version" "UTF8:$uri"
echo more >> bad.der
to_pem
refused "octets follow"
head -c -7 bad.der > short.der
mv short.der bad.der
to_pem
refused "truncated or damaged"
for lines in 1 2; do
    head -n $lines good.pem > bad.pem
    refused "PEM is truncated or damaged"
done

say "URI"
for other in "file:$PWD/good.pem" "$PWD/good.pem" pkcs11:object=key; do
    write "$version" "UTF8:$other"
    refused "malformed mesh: URI"
done
write "$version" "UTF8:mesh:$(printf 'a%.0s' {1..2000})"
refused "longer than 1024 octets"
write "$version" "UTF8:$(head -c 100000 /dev/zero | tr '\0' a)"
refused "too long"
write "$version" "UTF8:mesh://MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
refused "unknown fingerprint"
auth=$(meshctl reference mesh://device/auth)
write "$version" "UTF8:${auth%/*}/MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
refused "no such key"
for other in mesh: mesh://device mesh://device/sign "${auth%/*}/auth" \
    "mesh://device/${auth##*/}" mesh://alice@example.net; do
    write "$version" "UTF8:$other"
    refused "its URI is not one of fingerprints"
done
write "$version" "UTF8:$uri?type=cert"
refused "not what the program asks for"
[ ! -s sig ] || die "something was signed"
