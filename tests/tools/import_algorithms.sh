#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of every algorithm come in from files, and sign as they did there.
. "$(dirname "$0")/lib.sh"
meshctl create device > log
head -c 60000 /dev/urandom > message # more than a message to mesh-keyd holds
plain dgst -sha256 -binary -out digest message

# signs NAME GENPKEY-ARGUMENT...: an imported key, its signature verified by
# plain openssl with the file; of a digest, or of a message if $raw says so.
imported() {
    name=$1
    shift
    plain genpkey -out key.pem -algorithm "$@" 2> log || {
        say "$name: this OpenSSL has none"
        return 1
    }
    n=$((n + 1))
    uri=$(meshctl import key.pem --role "Key$n" 2> log)
    has "$name  ${uri#mesh://}  held: yes" meshctl show "$uri"
    plain pkey -in key.pem -pubout -out key.pub
    say "$name: $uri"
}
signs() {
    imported "$@" || return 0
    "$MESH_BUILD/tests/keyd_call" sign key.pub < "$signed" > signature
    plain pkeyutl -verify -pubin -inkey key.pub -sigfile signature -in "$signed" \
        $how > log
    grep -q "Verified Successfully" log
}
n=0 signed=digest how="-pkeyopt digest:sha256"
signs RSA-2048 RSA
signs RSA RSA -pkeyopt rsa_keygen_bits:1536
for curve in secp256k1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1; do
    signs $curve EC -pkeyopt ec_paramgen_curve:$curve
done
how="$how -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32"
signs RSA-PSS-2048 RSA-PSS
signs RSA-PSS-2048 RSA-PSS -pkeyopt rsa_pss_keygen_md:sha256 \
    -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:20
signed=message how=-rawin
for algorithm in ED25519 ED448 ML-DSA-44 ML-DSA-65 ML-DSA-87 \
    SLH-DSA-SHA2-128f SLH-DSA-SHAKE-256f; do
    signs $algorithm $algorithm
done

say "keys that agree on secrets alone"
for algorithm in X25519 X448 ML-KEM-512 ML-KEM-768 ML-KEM-1024; do
    imported $algorithm $algorithm || continue
    fails_with "sign with a key of type $algorithm" \
        "$MESH_BUILD/tests/keyd_call" sign key.pub < message
done

say "restrictions of RSA-PSS keys are kept"
imported RSA-PSS-2048 RSA-PSS -pkeyopt rsa_pss_keygen_md:sha512 \
    -pkeyopt rsa_pss_keygen_saltlen:64
fails_with "sign PSS: digest SHA2-256: digest not allowed" \
    "$MESH_BUILD/tests/keyd_call" sign key.pub < digest
imported RSA-PSS-2048 RSA-PSS -pkeyopt rsa_pss_keygen_md:sha256 \
    -pkeyopt rsa_pss_keygen_saltlen:33
fails_with "sign PSS: saltlen: pss saltlen too small: Should be more than 33" \
    "$MESH_BUILD/tests/keyd_call" sign key.pub < digest
