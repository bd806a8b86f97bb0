#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl dgst, pkeyutl, rsautl: raw signatures, encryption, agreement.
. "$(dirname "$0")/lib.sh"
by_dgst() { plain dgst $digest -verify public.pem -signature out $options message; }
by_pkeyutl() { plain pkeyutl -verify -pubin -inkey public.pem -sigfile out \
    -in hash $options; }
clear() { cmp out message; }
say "dgst"
options=
for digest in -sha1 -sha256 -sha384 -sha512 -sha3-256 -sha3-512; do
    good by_dgst dgst $digest -sign KEY -out out message
    cp out sig
    for form in $forms; do
        ours $form dgst $digest -prverify KEY -signature sig message > /dev/null
    done
    fails_with "Verification failure" ours mesh://device/test \
        dgst $digest -prverify KEY -signature sig file.pem
done
digest=-sha256
if [ "$type" = RSA ]; then
    same dgst -sha256 -sign KEY -out out message # PKCS#1: the same octets
    for salt in digest max 0 20; do
        options="-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$salt"
        good by_dgst dgst -sha256 -sign KEY -out out $options message
    done
fi
say "pkeyutl: sign, verify"
options="-pkeyopt digest:sha256"
plain dgst -sha256 -binary -out hash message
good by_pkeyutl pkeyutl -sign -inkey KEY -in hash $options -out out
cp out sig
good by_pkeyutl pkeyutl -sign -rawin -digest sha256 -inkey KEY -in message \
    -out out
for form in $forms; do
    ours $form pkeyutl -verify -inkey KEY -in hash -sigfile sig $options
    fails_with "Verification Failure" ours $form pkeyutl -verify -inkey KEY \
        -in hash -sigfile hash
done
say "pkeyutl: $([ "$type" = RSA ] && echo recover, encrypt, decrypt || echo derive)"
if [ "$type" = RSA ]; then
    same pkeyutl -verifyrecover -inkey KEY -in sig -out out
    for options in "" "-pkeyopt rsa_padding_mode:oaep" \
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"; do
        plain pkeyutl -encrypt -pubin -inkey public.pem -in message $options \
            -out cipher
        good clear pkeyutl -decrypt -inkey KEY -in cipher $options -out out
        for form in $forms; do
            ours $form pkeyutl -encrypt -inkey KEY -in message $options -out out
            plain pkeyutl -decrypt -inkey file.pem -in out $options -out back
            cmp back message
        done
    done
    same rsautl -sign -inkey KEY -in message -out out
    plain rsautl -encrypt -pubin -inkey public.pem -in message -out cipher \
        2> /dev/null
    good clear rsautl -decrypt -inkey KEY -in cipher -out out
else
    plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out peer.key
    plain pkey -in peer.key -pubout -out peer.pem
    same pkeyutl -derive -inkey KEY -peerkey peer.pem -out out
    plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out peer.key
    plain pkey -in peer.key -pubout -out peer.pem
    refused "not of the type and curve" pkeyutl -derive -inkey KEY \
        -peerkey peer.pem -out out
fi
