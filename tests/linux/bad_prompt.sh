#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The keyring is locked, and nobody may be asked, can be asked, or answers: no
# signature is made, openssl says why, and in time.
. "$(dirname "$0")/../bad_input.sh"
keyrings=$HOME/.local/share/keyrings
lock() {
    gdbus call --session -d org.freedesktop.secrets \
        -o /org/freedesktop/secrets -m org.freedesktop.Secret.Service.Lock \
        "['/org/freedesktop/secrets/collection/login']" > /dev/null
    before=$(state "$keyrings")
}
unchanged() {
    [ "$(state "$keyrings")" = "$before" ] || die "files have changed"
}
if [ "${1-}" = no-answer ]; then # in a session of its own, started below
    "$MESH_BUILD/tests/mock_prompter" delay:60000 ok:testpw > prompter &
    helpers=$!
    trap 'kill $helpers' EXIT
    until [ -s prompter ]; do sleep 0.1; done
    printf testpw | GNOME_KEYRING_TEST_PROMPTER=$(cat prompter) \
        gnome-keyring-daemon --unlock --foreground --components=secrets \
        > /dev/null 2>&1 &
    helpers="$helpers $!"
    gdbus wait --session --timeout 10 org.freedesktop.secrets
    lock
    sed -i "/^keyd-path/a prompt-timeout = 3" openssl.cnf
    in_time 8 "time limit exceeded" "the keyring was not unlocked in time"
    unchanged
    exit
fi
meshctl create device --algorithm P-256
signs mesh://device/auth
lock
sed -i "/^keyd-path/a prompt = never" openssl.cnf
in_time 5 "key store locked" "nobody may be asked to unlock it"
sed -i "s/^prompt = never/prompt-timeout = 3/" openssl.cnf
in_time 5 "unlocking was refused" \
    "was dismissed, or could not be shown; unlock the keyring first"
unchanged
say "public work needs no key store"
openssl pkey -in mesh://device/auth -pubout -out pub
[ -x "$MESH_BUILD/tests/mock_prompter" ] || {
    echo "skipped: a prompt that is not answered needs gcr-base-3"
    exit 77
}
export XDG_RUNTIME_DIR=$HOME/run
mkdir -m 700 run
dbus-run-session --config-file="$tests/session-bus.conf" -- "$self" no-answer
