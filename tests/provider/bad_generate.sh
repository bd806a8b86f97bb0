#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be made is refused by name, and whatever fails on the way leaves
# key store and profiles as they were.
. "$(dirname "$0")/../tools/lib.sh"
genpkey() {
    openssl genpkey -propquery '?provider=mesh' -out key.pem "$@" 2>&1
}
# refused TEXT ARGUMENT...: with this text, and nothing has changed.
refused() {
    fails_with "$1" genpkey "${@:2}"
    same "$(state)" "$before"
}
meshctl create device --algorithm P-256
before=$(state)

say "what the key store cannot make"
refused "RSA of 1024 bits" -algorithm RSA -pkeyopt rsa_keygen_bits:1024 \
    -pkeyopt role:vpn
refused '"e"' -algorithm RSA -pkeyopt rsa_keygen_pubexp:3 -pkeyopt role:vpn
refused '"primes"' -algorithm RSA -pkeyopt rsa_keygen_bits:4096 \
    -pkeyopt rsa_keygen_primes:3 -pkeyopt role:vpn
refused "group:P-256 names one" -algorithm EC -pkeyopt role:vpn
refused "EC, secp224r1: the key store makes P-256" -algorithm EC \
    -pkeyopt group:secp224r1 -pkeyopt role:vpn
refused '"encoding"' -algorithm EC -pkeyopt group:P-256 \
    -pkeyopt ec_param_enc:explicit -pkeyopt role:vpn
! grep -q "generate.*program=.*openssl" use.log || die "one was made"

say "names that name nothing"
refused "no default profile" -algorithm ED25519 -pkeyopt profile:web
refused "unknown portal account" -algorithm ED25519 \
    -pkeyopt profile:nobody@example.net
refused "unknown fingerprint" -algorithm ED25519 \
    -pkeyopt profile:MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
refused "does not name a profile alone" -algorithm ED25519 \
    -pkeyopt profile:mesh://device/sign
refused "means something else" -algorithm ED25519 -pkeyopt role:sign
refused "means something else" -algorithm ED25519 -pkeyopt role:Names
refused "letters and digits" -algorithm ED25519 -pkeyopt role:../x

say "whoever has only default gets no software key by mistake"
fails_with "role" openssl genpkey -algorithm ED25519 -pkeyopt role:vpn \
    -out key.pem
fails_with "role" openssl genpkey -propquery '?provider=mesh' -genparam \
    -algorithm EC -pkeyopt group:P-256 -pkeyopt role:vpn -out key.pem

say "interrupted while the Secret Service takes its time"
service=$(gdbus call --session -d org.freedesktop.DBus -o / \
    -m org.freedesktop.DBus.GetConnectionUnixProcessID \
    org.freedesktop.secrets | tr -dc '0-9 ' | sed 's/.* //')
given_up() {
    used "generate: interrupted: whoever asked"
}
for wait in 0.3 1 3; do # until it has come so far
    kill -STOP "$service"
    env LD_PRELOAD="${MESH_PRELOAD:-}" openssl genpkey -out key.pem \
        -propquery '?provider=mesh' -algorithm ED25519 -pkeyopt role:vpn & pid=$!
    sleep $wait
    kill $pid
    wait $pid || true
    kill -CONT "$service"
    for _ in {1..40}; do
        [ "$(given_up)" = 0 ] || break 2
        sleep 0.05
    done
done
[ "$(given_up)" = 1 ] || die "it had not begun"
same "$(state)" "$before"

say "a profile that this device cannot sign"
meshctl delete --yes mesh://device/sign
before=$(state)
made=$(used generate)
refused "none of the 1 sign keys of device profile" -algorithm ED25519 \
    -pkeyopt role:vpn
same "$(used generate)" "$made"

say "a locked key store, with nobody to ask"
meshctl create device --algorithm P-256 --default
before=$(state)
meshctl lock
gdbus call --session -d org.freedesktop.secrets -o /org/freedesktop/secrets \
    -m org.freedesktop.Secret.Service.Lock \
    "['/org/freedesktop/secrets/collection/login']" > /dev/null
fails_with "mesh:" genpkey -algorithm ED25519 -pkeyopt role:vpn
grep -q "locked\|refused\|no Secret" <<< "$out" || die "$out"
same "$(find .cryptomesh -type f ! -name .lock -exec sha256sum {} + | sort)" \
    "$(grep -E '^[0-9a-f]{64} ' <<< "$before")"
