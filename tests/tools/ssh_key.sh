#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A public key as OpenSSH reads it; ssh-keygen is openssh-client's.
. "$(dirname "$0")/lib.sh"
command -v ssh-keygen > /dev/null || {
    say "skipped: no ssh-keygen"
    exit 77
}
meshctl create device --algorithm P-256 --description "my device"
say "keys that a file has, too: the same line, the same fingerprint"
ssh-keygen() { # its libcrypto needs none of ours
    OPENSSL_CONF=/dev/null command ssh-keygen "$@"
}
# like TYPE NAME OPTION...: ssh-keygen's own view of a key of openssl's making.
like() {
    type=$1 name=$2
    shift 2
    plain genpkey "$@" -out "$name.pem"
    chmod 600 "$name.pem"
    meshctl import "$name.pem" --role "$name" 2> /dev/null
    meshctl ssh-key "mesh://device/$name" > "$name.pub"
    same "$(cut -d' ' -f1 "$name.pub")" "$type"
    same "$(cut -d' ' -f3- "$name.pub")" "my device"
    bits=$(ssh-keygen -l -f "$name.pub") || die "not read: $(cat "$name.pub")"
    has "my device" ssh-keygen -l -f "$name.pub"
    [ "$type" = ssh-ed25519 ] || # of which OpenSSH reads no PKCS#8
        same "$(cut -d' ' -f1-2 "$name.pub")" \
            "$(ssh-keygen -y -f "$name.pem" | cut -d' ' -f1-2)"
    say "$name: $bits"
}
like ssh-rsa rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
like ssh-rsa rsa3072 -algorithm RSA -pkeyopt rsa_keygen_bits:3072
for curve in 256 384 521; do
    like ecdsa-sha2-nistp$curve p$curve -algorithm EC \
        -pkeyopt ec_paramgen_curve:P-$curve
done
like ssh-ed25519 ed -algorithm ED25519
say "Ed25519: the octets of the key itself"
same "$(cut -d' ' -f2 ed.pub | base64 -d | tail -c 32 | base64)" \
    "$(plain pkey -in ed.pem -pubout -outform DER | tail -c 32 | base64)"
say "of a profile: its key sign; the URI of the key where nothing describes it"
same "$(meshctl ssh-key mesh://device)" "$(meshctl ssh-key mesh://device/sign)"
meshctl create personal --algorithm P-256
ssh=$(meshctl create application ssh --algorithm ED25519)
has "ssh-ed25519 AAAA" meshctl ssh-key mesh://ssh
meshctl describe device ""
has " mesh://$(meshctl default device)/" meshctl ssh-key mesh://device/sign
say "a line stays one line"
meshctl describe device $'one\nssh-rsa AAAA two'
same "$(meshctl ssh-key mesh://device/ed | wc -l)" 1

say "keys that SSH has no form for"
for algorithm in RSA-PSS-2048 ED448 secp256k1; do
    meshctl --home "$HOME/$algorithm" create device --algorithm $algorithm
    fails_with "is $algorithm; SSH has public keys of RSA" \
        meshctl --home "$HOME/$algorithm" ssh-key mesh://device
done
meshctl create application mail
fails_with "no key 'sign'; name one of its keys" meshctl ssh-key mesh://mail
has "ssh-rsa AAAA" meshctl ssh-key mesh://mail/encrypt
fails_with "no key 'nosuch'" meshctl ssh-key mesh://device/nosuch
ends 2 meshctl ssh-key
