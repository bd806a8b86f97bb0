# SPDX-License-Identifier: Apache-2.0
# Sourced by the keyd_*.sh scripts, which run inside tests/with-keyring with
# MESH_BUILD set: a mesh-keyd of their own and words for checks.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)
export MESH_KEYD="$MESH_BUILD/mesh-keyd" KEYD_CALL_PROMPT=never
use_log=$HOME/use.log

call() {
    "$MESH_BUILD/tests/keyd_call" "$@"
}
# Starts mesh-keyd with these options, and waits until it serves.
start_keyd() {
    mkfifo ready
    "$MESH_KEYD" --foreground --log "$use_log" --ready-fd 9 "$@" 9> ready &
    keyd=$!
    head -c 1 ready | grep -q R || die "mesh-keyd does not start"
    rm ready
}
stop_keyd() {
    kill "$keyd"
    wait "$keyd" || die "mesh-keyd ended with $?"
}
# eventually COMMAND...: it succeeds within five seconds.
eventually() {
    for _ in $(seq 100); do
        ! "$@" 2> /dev/null || return 0
        sleep 0.05
    done
    die "did not come true: $*"
}
secrets() {
    method=$1
    shift
    gdbus call --session -d org.freedesktop.secrets \
        -o /org/freedesktop/secrets \
        -m "org.freedesktop.Secret.Service.$method" "$@"
}
service_pid() {
    gdbus call --session -d org.freedesktop.DBus -o / \
        -m org.freedesktop.DBus.GetConnectionUnixProcessID \
        org.freedesktop.secrets | tr -dc '0-9 ' | cut -d' ' -f2
}
lock_collection() {
    secrets Lock "['/org/freedesktop/secrets/collection/login']" > /dev/null
}
status_is() {
    call status | grep -qx "$1"
}
# new_key NAME ALGORITHM OPTION...: NAME.pem, NAME.p8 (DER), NAME.pub
new_key() {
    openssl genpkey -out "$1.pem" -algorithm "$2" ${3:+-pkeyopt "$3"} \
        2> /dev/null
    openssl pkcs8 -topk8 -nocrypt -in "$1.pem" -outform DER -out "$1.p8"
    openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}
digest() {
    printf %s "${1-text}" | openssl dgst -sha256 -binary
}
try_sign() {
    digest > digest.bin
    call sign "$1.pub" < digest.bin > "$1.sig"
}
# What the key signs verifies with libcrypto alone.
signs() {
    try_sign "$1" || return 1
    case $(openssl pkey -in "$1.pem" -noout -text | head -n 1) in
    ED25519* | ED448* | ML-DSA* | SLH-DSA*) openssl pkeyutl -verify -rawin -in digest.bin -inkey "$1.pub" \
        -pubin -sigfile "$1.sig" > /dev/null ;;
    *) openssl dgst -sha256 -verify "$1.pub" -signature "$1.sig" \
        <(printf %s text) > /dev/null ;;
    esac
}
