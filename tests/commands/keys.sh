#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl pkey, rsa, ec, storeutl: reading and writing keys.
. "$(dirname "$0")/lib.sh"
say "the public half"
same pkey -in KEY -pubout -out out
same pkey -in KEY -pubout -outform DER -out out
same pkey -in KEY -pubcheck -noout
case $type in
RSA)
    same rsa -in KEY -pubout -out out
    same rsa -in KEY -RSAPublicKey_out -out out
    same rsa -in KEY -modulus -noout ;;
EC)
    same ec -in KEY -pubout -out out
    same ec -in KEY -pubout -conv_form compressed -out out ;;
esac
say "text has the public numbers as ever, its name, and where the key is"
plain pkey -in file.pem -text_pub -noout > numbers
udf=$(meshctl reference mesh://device/test | sed 's|.*/||')
for form in $forms; do
    ours $form pkey -in KEY -text_pub -noout > text
    grep -q "^URI: mesh://.*/test$" text || die "$(cat text)"
    cmp <(sed "/^URI: /d; /^Fingerprint: $udf$/d" text) numbers
    for command in pkey ${type,,}; do
        ours $form $command -in KEY -noout -text | sed '/^read /d' > private
        cmp <(grep -v "^Private-Key: stays with $holder$" private) text
    done
    ours $form storeutl -keys -noout KEY > text
    grep -q "^0: P" text || die "$(cat text)"
done
say "the private half is written as a reference, and that can be used"
ours reference.pem pkey -in KEY -out out
ours mesh://device/test pkey -in KEY -out out
openssl dgst -sha256 -sign out -out sig message
plain dgst -sha256 -verify public.pem -signature sig message
say "not as itself"
refused "stays in its key store" pkey -in KEY -traditional -out out
refused "stays in its key store" pkey -in KEY -aes256 -passout pass:x -out out
refused "stays in its key store" pkcs12 -export -inkey KEY -in cert.pem \
    -passout pass:x -out out
fails_with "stays in its key store" ours reference.pem pkcs8 -topk8 -nocrypt \
    -in KEY -out out
