#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be imported changes nothing, and each has its reason.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
echo "a passphrase" > pass
plain genpkey -algorithm RSA -out rsa.pem
meshctl import rsa.pem
before=$(state)
fails_with "key is there already" meshctl import rsa.pem
echo wrong > wrong
plain genpkey -algorithm ED25519 -aes-256-cbc -pass file:pass -out other.pem
fails_with "wrong or missing passphrase" \
    meshctl import other.pem --passphrase-file wrong
[[ $out != *PKCS#12* ]] || die "$out"
fails_with "holds no private key" meshctl import pass
fails_with "No such file" meshctl import missing.pem
fails_with "No such file" meshctl import other.pem --passphrase-file missing
plain genpkey -algorithm ED25519 -out new.pem
cat rsa.pem new.pem > two.pem
fails_with "more than one private key" meshctl import two.pem
fails_with "means something else" \
    meshctl import new.pem --role DeviceSignatureKey
fails_with "means something else" meshctl import new.pem --role sign
fails_with "letters and digits" meshctl import new.pem --role ../x
fails_with "no default profile" meshctl import new.pem --profile web
fails_with "unknown portal account" \
    meshctl import new.pem --profile nobody@example.net
say "keys that no program could use"
for key in "RSA -pkeyopt rsa_keygen_bits:512" "SM2" \
    "EC -pkeyopt ec_paramgen_curve:secp224r1"; do
    (umask 077 && plain genpkey -algorithm $key -out odd.pem)
    fails_with "unknown algorithm: odd.pem: ${key%% *}" meshctl import odd.pem
    fails_with "what can be used is RSA-2048, RSA-3072, RSA-4096, P-256" \
        meshctl import odd.pem --in-place
    [[ $out == *"other RSA keys of 1024 bits and more" ]] || die "$out"
done
say "standard input cannot be two things"
ends 2 meshctl import - --passphrase-file - < other.pem
ends 2 meshctl import - --in-place < other.pem
fails_with "holds no private key" meshctl import - < pass
ends 2 meshctl import new.pem --passphrase secret
ends 2 meshctl import new.pem --keep-passphrase
head -c 2000000 /dev/zero > large
fails_with "file too large" meshctl import large
same "$(state)" "$before"
