#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl signs and decrypts with keys of a device; plain OpenSSL verifies
# everything.  Usage: sign_and_decrypt.sh ALGORITHM config|provider
. "$(dirname "$0")/../lib.sh"
algorithm=$1
meshctl create device --algorithm "$algorithm"
activated_by "$2"
signed=$(used sign) decrypted=$(used decrypt)
echo "a message" > message
openssl pkey $by -in mesh://device/sign -pubout -out sign.pub
openssl pkey $by -in mesh://device/encrypt -pubout -out encrypt.pub

say "sign a message"
if [ "$algorithm" = ED25519 ]; then
    openssl pkeyutl $by -sign -rawin -inkey mesh://device/sign -in message \
        -out sig
    plain pkeyutl -verify -rawin -pubin -inkey sign.pub -in message -sigfile sig
else
    openssl dgst $by -sha256 -sign mesh://device/sign -out sig message
    plain dgst -sha256 -verify sign.pub -signature sig message
    openssl dgst $by -sha384 -sign mesh:device/sign -out sig message
    plain dgst -sha384 -verify sign.pub -signature sig message
    fails_with "Verification failure" \
        plain dgst -sha256 -verify sign.pub -signature sig message
    # The public half verifies in the provider, too.
    openssl dgst $by -sha384 -prverify mesh://device/sign -signature sig message
fi

say "PSS, where the key is RSA"
case $algorithm in RSA-*)
    for salt in digest max auto 0 20; do
        openssl dgst $by -sha256 -sign mesh://device/sign -out sig \
            -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$salt message
        plain dgst -sha256 -verify sign.pub -signature sig \
            -sigopt rsa_padding_mode:pss message
    done
    openssl dgst $by -sha256 -sign mesh://device/sign -out sig \
        -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1 message
    plain dgst -sha256 -verify sign.pub -signature sig \
        -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1 message
    fails_with "does not fit the key" \
        openssl dgst $by -sha256 -sign mesh://device/sign -out sig \
        -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:300 message ;;
esac

say "decrypt: PKCS#1, OAEP, OAEP with its parameters"
oaep="-pkeyopt rsa_padding_mode:oaep"
sha512="-pkeyopt rsa_oaep_md:sha512 -pkeyopt rsa_mgf1_md:sha1"
for options in "" "$oaep" "$oaep -pkeyopt rsa_oaep_md:sha256" \
    "$oaep $sha512 -pkeyopt rsa_oaep_label:6d657368"; do
    plain pkeyutl -encrypt -pubin -inkey encrypt.pub $options -in message \
        -out cipher
    openssl pkeyutl $by -decrypt -inkey mesh://device/encrypt $options \
        -in cipher -out clear
    cmp message clear
done
openssl pkeyutl $by -encrypt -inkey mesh://device/encrypt -in message \
    -out cipher
openssl pkeyutl $by -decrypt -inkey mesh://device/encrypt -in cipher -out clear
cmp message clear
head -c 256 /dev/zero | tr '\0' '\1' > cipher
fails_with "operation failed" openssl pkeyutl $by -decrypt -in cipher \
    -pkeyopt rsa_padding_mode:oaep -inkey mesh://device/encrypt
fails_with "PSS is for signatures; decryption takes oaep, pkcs1, none" \
    openssl pkeyutl $by -decrypt -in cipher -inkey mesh://device/encrypt \
    -pkeyopt rsa_padding_mode:pss

say "the key holder did it"
[ "$(used sign)" -gt "$signed" ] || die "it has not signed"
[ "$(used decrypt)" -ge $((decrypted + 6)) ] || die "it has not decrypted"
