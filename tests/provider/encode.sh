#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What openssl writes of a key: text, the public half, in place of the private
# one a reference; and no other form.  Usage: encode.sh ALGORITHM config|provider
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm "$1" > device
activated_by "$2"
key=mesh://device/sign
meshctl reference $key --out sign.pem
openssl base64 -d -in <(grep -v -e ---- sign.pem) -out sign.der
case $1 in RSA*) type=rsa ;; P-*) type=ec ;; *) type=pkey ;; esac

say "a reference"
openssl pkey $by -in $key | cmp - sign.pem
openssl $type $by -in $key | cmp - sign.pem
openssl pkey $by -in sign.pem -outform DER | cmp - sign.der
openssl storeutl $by -keys sign.pem > listing
grep -q "MESH KEY REFERENCE" listing

say "text: the public numbers as ever, and what the key is"
openssl pkey $by -in $key -pubout -out sign.pub
plain pkey -pubin -in sign.pub -text_pub -noout > public.txt
for source in $key sign.pem; do
    openssl pkey $by -in $source -text -noout > text
    grep -qx "Private-Key: stays with $holder" text
    grep -qx "URI: $(cat device)/sign" text
    grep -qx "Fingerprint: $(sed 's|mesh://||' device)" text
    grep -v -e ^Private-Key -e ^URI -e ^Fingerprint text | cmp - public.txt
done
openssl storeutl $by -noout -text $key > listing
grep -q "stays with $holder" listing

say "the public half, as plain OpenSSL writes it"
openssl pkey $by -in $key -pubout -outform DER -out sign.pub.der
plain pkey -pubin -in sign.pub -pubout -outform DER | cmp - sign.pub.der
case $type in
rsa) for form in PEM DER; do
    openssl rsa $by -in $key -RSAPublicKey_out -outform $form -out pkcs1
    plain rsa -pubin -in sign.pub -RSAPublicKey_out -outform $form | cmp - pkcs1
done ;;
ec) openssl ec $by -in $key -param_out -out params.pem
    plain ecparam -in params.pem -noout -check
    fails_with "stays in its key store" openssl ec $by -in $key -aes256 \
        -passout pass:abcd -out refused ;;
esac

say "nothing else is written"
openssl req $by -x509 -key $key -subj /CN=test -out sign.crt
# refused TEXT COMMAND...: it says why, and writes nothing.
refused() {
    local text="stays in its key store:*$1"
    shift
    rm -f refused
    fails_with "stays in its key store" openssl "$@" $by -out refused
    [[ $out == *$text* ]] || die "no $text in: $out"
    [ ! -s refused ] || die "written: $*"
}
refused "cannot be encrypted" pkey -in $key -aes256 -passout pass:abcd
refused "" pkey -in $key -traditional
instead="mesh://*; \`openssl pkey -out\` writes a key-reference file"
refused "$instead" pkcs8 -topk8 -in sign.pem -nocrypt
refused "$instead" pkcs8 -topk8 -in sign.pem -passout pass:abcd
refused "$instead" pkcs8 -topk8 -in sign.pem -nocrypt -outform DER
refused "$instead" pkcs12 -export -inkey $key -in sign.crt -passout pass:abcd
[ $type != rsa ] || refused "$instead" rsa -in $key -traditional
