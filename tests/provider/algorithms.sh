#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pkeyutl with a key of every algorithm in the key store; the other side is
# plain OpenSSL with the same key in a file.
# Usage: algorithms.sh sign|derive|decapsulate config|provider
. "$(dirname "$0")/../lib.sh"
meshctl create device > log
activated_by "$2"
n=0
echo "a message" > message
plain dgst -sha256 -binary -out digest message

# key ALGORITHM GENPKEY-OPTION...: key.pem, key.pub, and in the key store $uri;
# fails, with a word, if this OpenSSL has no such algorithm.  Whoever asks that
# switches set -e off in here, so every command has its own "or die".
key() {
    case $1 in
    ML-* | SLH-*) # of newer ones; the others are in every OpenSSL 3
        plain list -key-managers | grep -qw "$1" || {
            say "$*: not in this OpenSSL, skipped"
            return 1
        } ;;
    esac
    say "$*"
    plain genpkey -algorithm "$@" -out key.pem 2> log ||
        die "genpkey $*: $(cat log)"
    plain pkey -in key.pem -pubout -out key.pub || die "no public key: $*"
    n=$((n + 1))
    uri=$(meshctl import key.pem --role "Key$n" 2> log) ||
        die "import $*: $(cat log)"
}

# signs INPUT OPTION...: pkeyutl, there and back
signs() {
    in=$1
    shift
    openssl pkeyutl $by -sign -inkey "$uri" -in "$in" -out sig "$@"
    plain pkeyutl -verify -pubin -inkey key.pub -in "$in" -sigfile sig "$@" > log
    plain pkeyutl -sign -inkey key.pem -in "$in" -out sig "$@"
    openssl pkeyutl $by -verify -inkey "$uri" -in "$in" -sigfile sig "$@" > log
}
newer() { # it is OpenSSL 3.5
    plain list -signature-algorithms | grep -q ML-DSA-65
}
sign() {
    pss="-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:max"
    if key RSA; then
        for md in sha1 sha256 sha512 sha3-384; do
            signs message -rawin -digest $md
            signs message -rawin -digest $md $pss
        done
        signs message
        signs digest -pkeyopt digest:sha256
    fi
    key RSA-PSS && signs message -rawin -digest sha384 $pss
    if key RSA-PSS -pkeyopt rsa_pss_keygen_md:sha256 \
        -pkeyopt rsa_pss_keygen_mgf1_md:sha256 \
        -pkeyopt rsa_pss_keygen_saltlen:32; then
        signs message -rawin
        while read -r bad text; do
            fails_with "$text" openssl pkeyutl $by -sign -rawin -inkey "$uri" \
                -in message -out sig ${bad/=/ }
        done << BAD
-digest=sha384 digest not allowed
-pkeyopt=rsa_pss_saltlen:31 pss saltlen too small
-pkeyopt=rsa_mgf1_md:sha1 digest not allowed
-pkeyopt=rsa_padding_mode:pkcs1 PKCS#1 padding not allowed
BAD
    fi
    for curve in P-256 P-384 P-521 secp256k1 brainpoolP384r1; do
        key EC -pkeyopt ec_paramgen_curve:$curve || continue
        signs digest
        signs message -rawin -digest sha3-256
        ! newer || signs message -rawin -digest sha256 -pkeyopt nonce-type:1
    done
    for edwards in ED25519 ED448; do
        key $edwards || continue
        signs message -rawin
        # by us, or from 3.5 on by pkeyutl itself
        fails_with "digest" openssl pkeyutl $by -sign -rawin \
            -digest sha256 -inkey "$uri" -in message -out sig
        ! newer || signs message -rawin -pkeyopt instance:${edwards}ph \
            -pkeyopt context-string:text
    done
    for algorithm in ML-DSA-44 ML-DSA-65 ML-DSA-87 SLH-DSA-SHA2-128f; do
        key $algorithm || continue
        signs message -rawin
        signs message -rawin -pkeyopt hexcontext-string:00ff \
            -pkeyopt deterministic:1
        signs message -rawin -pkeyopt message-encoding:0
        fails_with "test-entropy" openssl pkeyutl $by -sign -rawin \
            -inkey "$uri" -in message -out sig -pkeyopt hextest-entropy:00
    done
}

# derives ALGORITHM GENPKEY-OPTION...
derives() {
    key "$@" || return 0
    plain genpkey -algorithm "$@" -out peer.pem
    plain pkey -in peer.pem -pubout -out peer.pub
    openssl pkeyutl $by -derive -inkey "$uri" -peerkey peer.pub -out ours
    plain pkeyutl -derive -inkey peer.pem -peerkey key.pub -out theirs
    cmp ours theirs
    # the public half of ours is a peer for a file's key
    openssl pkeyutl $by -derive -inkey peer.pem -peerkey "$uri" -out ours
    cmp ours theirs
}
derive() {
    plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.pem
    plain pkey -in other.pem -pubout -out other.pub
    for curve in P-256 P-521 secp256k1 brainpoolP256r1; do
        derives EC -pkeyopt ec_paramgen_curve:$curve
        fails_with "is not of the type and curve" openssl pkeyutl $by -derive \
            -inkey "$uri" -peerkey other.pub -out ours
    done
    derives X25519
    derives X448
    say "a peer of small order"
    { printf '\060\052\060\005\006\003\053\145\156\003\041'
      head -c 33 /dev/zero; } > zero.der
    derives X25519
    fails_with "small order" openssl pkeyutl $by -derive -inkey "$uri" \
        -peerform DER -peerkey zero.der -out ours
}

# encapsulated OPTION...: there and back
encapsulated() {
    plain pkeyutl -encap -pubin -inkey key.pub -out cipher -secret theirs "$@"
    openssl pkeyutl $by -decap -inkey "$uri" -in cipher -secret ours "$@"
    cmp ours theirs
    openssl pkeyutl $by -encap -inkey "$uri" -out cipher -secret ours "$@"
    plain pkeyutl -decap -inkey key.pem -in cipher -secret theirs "$@"
    cmp ours theirs
}
decapsulate() {
    newer || { say "pkeyutl -encap came with OpenSSL 3.5, skipped"; exit 77; }
    for algorithm in ML-KEM-512 ML-KEM-768 ML-KEM-1024 X25519 X448; do
        key $algorithm && encapsulated
    done
    key EC -pkeyopt ec_paramgen_curve:P-256 && encapsulated
    key RSA && encapsulated -kemop RSASVE
    say "of another length"
    echo >> cipher
    fails_with "257 octets" openssl pkeyutl $by -decap -inkey "$uri" \
        -in cipher -secret ours -kemop RSASVE
}

before=$(used .)
$1
[ "$(used "$1")" -gt 5 ] || die "the key holder did nothing"
[ "$(used .)" -gt "$before" ]
