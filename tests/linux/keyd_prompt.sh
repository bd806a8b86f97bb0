#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unlocking: one prompt for all who wait; the end of a caller's patience does
# not end the prompt; nobody else is blocked meanwhile.
. "$(dirname "$0")/keyd_lib.sh"
[ -x "$MESH_BUILD/tests/mock_prompter" ] || {
    echo "needs gcr-base-3"
    exit 77
}
new_key one EC ec_paramgen_curve:P-256
new_key file EC ec_paramgen_curve:P-384
chmod 600 file.pem

# session ANSWERS FUNCTION: a bus with a keyring whose prompts are answered so
session() {
    rm -rf .local .cache prompter # the name is another one each time
    dbus-run-session --config-file="$here/../session-bus.conf" -- \
        bash -c '. "$0" && run "$@"' "$here/keyd_prompt.sh" "$@"
}
run() {
    "$MESH_BUILD/tests/mock_prompter" $1 > prompter &
    helpers=$!
    trap 'kill $helpers' EXIT
    eventually test -s prompter
    printf testpw | GNOME_KEYRING_TEST_PROMPTER=$(cat prompter) \
        gnome-keyring-daemon --unlock --foreground --components=secrets \
        > /dev/null 2>&1 &
    helpers="$helpers $!"
    gdbus wait --session --timeout 10 org.freedesktop.secrets
    start_keyd
    call import one.p8 > /dev/null
    call register "$PWD/file.pem" > /dev/null
    lock_collection
    eventually status_is cached=0
    export KEYD_CALL_PROMPT=at-use
    "$2"
    stop_keyd
}
unlocks() {
    say "one prompt unlocks for four who wait; key files need none"
    for i in 1 2 3 4; do
        digest | call sign one.pub > out.$i &
        waiting="${waiting-} $!"
    done
    signs file
    status_is locked=1
    for pid in $waiting; do
        wait "$pid" || die "not signed"
    done
    status_is locked=0
    signs one
}
dismissed() {
    say "a dismissed prompt is an error that says so"
    fails_with "could not be shown; unlock the keyring first" try_sign one
    status_is locked=1
}
too_late() {
    say "patience of one second, a prompt of three: it goes on"
    export KEYD_CALL_WAIT=1
    fails_with "prompt is still open" try_sign one
    fails_with "prompt is still open" try_sign one
    eventually status_is locked=0
    signs one
}
[ "${BASH_SOURCE[0]}" = "$0" ] && [ -z "${1-}" ] || return 0
session "delay:1000 ok:testpw" unlocks
session "cancel" dismissed
session "delay:3000 ok:testpw" too_late
