#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No part of a private key stays in mesh-keyd's memory after it was told to
# forget, the keyring was locked, or the key's time was over; nor a passphrase.
# The same search finds them before, so it works.  Needs root: even the user
# himself may not read that memory, which is tested, too.
. "$(dirname "$0")/keyd_lib.sh"
[ "$(id -u)" = 0 ] || { echo "needs root to read another process"; exit 77; }
command -v python3 > /dev/null || { echo "needs python3"; exit 77; }

new_key rsa RSA rsa_keygen_bits:2048
new_key ec EC ec_paramgen_curve:P-256
new_key ed ED25519
new_key pss RSA-PSS
new_key x X25519
new_key peer X25519
new_key file EC ec_paramgen_curve:P-384
more=
if new_key dsa ML-DSA-44 2> log; then # OpenSSL 3.5
    new_key slh SLH-DSA-SHA2-128f
    new_key kem ML-KEM-512
    openssl pkeyutl -encap -pubin -inkey kem.pub -out sealed \
        -secret kem.secret
    more="dsa slh kem"
fi
openssl pkey -in file.pem -aes256 -passout pass:tortoise-stove -out sealed.pem
chmod 600 sealed.pem
keys="rsa ec ed pss x $more file"
found() {
    "$here/search_memory.py" "$keyd" --text tortoise-stove \
        $(printf '%s.pem ' $keys)
}
use() {
    case $1 in
    x) call derive x.pub peer.pub > x.secret ;;
    kem) call decapsulate kem.pub < sealed | cmp - kem.secret ;;
    *) signs "$1" ;;
    esac
}
use_all() {
    for key in $keys; do
        use $key || die "$key cannot be used"
    done
    found > found.out || die "the search finds nothing"
    say "in use, $(wc -l < found.out) places with parts of keys are found"
    for key in $keys; do
        grep -q "^$key.pem" found.out || die "the search does not find $key"
    done
}
forgotten() {
    say "$1: nothing is found"
    ! found || die "in memory"
}
start_keyd
for key in ${keys% file}; do
    call import $key.p8 > /dev/null
done
call register "$PWD/sealed.pem" secret-service tortoise-stove > /dev/null
forgotten "after import"
use_all
call lock
forgotten "after lock"
stop_keyd

start_keyd --idle-timeout 4
use_all
# with a connection that stays open
"$MESH_BUILD/tests/keyd_call" hold 60 > /dev/null &
hold=$!
eventually status_is cached=0
forgotten "after the idle time"
kill $hold
use_all
lock_collection
eventually status_is cached=0
forgotten "after the keyring was locked"
stop_keyd
