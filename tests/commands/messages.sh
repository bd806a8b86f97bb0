#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl cms, smime: messages.
. "$(dirname "$0")/lib.sh"
trust="-CAfile cert.pem -purpose any"
clear() { cmp <(tr -d '\r' < out) message; }
signed_cms() { plain cms -verify $trust -in out -out clear; }
signed_smime() { plain smime -verify $trust -in out -out clear; }
say "sign"
good signed_cms cms -sign -in message -signer cert.pem -inkey KEY -out out
good signed_cms cms -sign -in message -nodetach -md sha384 -signer cert.pem \
    -inkey KEY -out out
good signed_smime smime -sign -in message -signer cert.pem -inkey KEY -out out
[ "$type" != RSA ] ||
    good signed_cms cms -sign -in message -signer cert.pem -inkey KEY -out out \
        -keyopt rsa_padding_mode:pss
say "sign, with the certificate of the profile"
good signed_cms cms -sign -in message -signer mesh://device/test -out out
say "sign once more"
plain req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=other \
    -out other.pem 2> /dev/null
plain cms -sign -in message -nodetach -signer other.pem -inkey other.key \
    -out once
twice() { plain cms -verify -noverify -in out -out clear &&
    plain cms -cmsout -print -in out | grep -c "d.issuerAndSerial" | grep -qx 2; }
good twice cms -resign -in once -signer cert.pem -inkey KEY -out out
say "decrypt"
plain cms -encrypt -aes256 -in message -out secret cert.pem
good clear cms -decrypt -in secret -recip cert.pem -inkey KEY -out out
good clear cms -decrypt -in secret -inkey KEY -out out
case $type in
RSA)
    plain smime -encrypt -aes256 -in message -out secret cert.pem
    good clear smime -decrypt -in secret -recip cert.pem -inkey KEY -out out
    plain cms -encrypt -in message -out secret -recip cert.pem \
        -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
    good clear cms -decrypt -in secret -recip cert.pem -inkey KEY -out out ;;
EC)
    plain cms -encrypt -in message -out secret -recip cert.pem \
        -keyopt ecdh_kdf_md:sha384 -keyopt ecdh_cofactor_mode:1
    good clear cms -decrypt -in secret -recip cert.pem -inkey KEY -out out ;;
esac
say "a message for somebody else cannot be decrypted"
plain cms -encrypt -aes256 -in message -out secret other.pem
refused "" cms -decrypt -in secret -recip cert.pem -inkey KEY -out out
