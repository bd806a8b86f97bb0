# SPDX-License-Identifier: Apache-2.0
# Sourced by the bad_*.sh scripts: each wrong thing has an error text of its
# own, and neither makes nor changes anything.
self=$(realpath "$0") tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$tests/lib.sh"
command -v python3 > /dev/null || { echo "skipped: needs python3"; exit 77; }
state() {
    find .cryptomesh "$@" ! -name .lock -printf '%M %p %l\n' | sort
    find .cryptomesh "$@" -type f ! -name .lock -exec sha256sum {} + | sort
}
# says REASON DETAIL COMMAND...: it fails, with both in its output.
says() {
    fails_with "$1:" "${@:3}"
    [[ $out == *"$2"* ]] || die "no '$2' in the output of: ${*:3}: $out"
}
# cannot_sign REASON DETAIL URI: openssl says so.  What it opened before it
# looked for the key is empty.
cannot_sign() {
    rm -f sig
    says "$1" "$2" openssl dgst -sha256 -sign "$3" -out sig openssl.cnf
    [ ! -s sig ] || die "there is a signature"
}
# in_time SECONDS REASON DETAIL: the device's key cannot be used, for this
# reason, and this is known no later.
in_time() {
    say "$2: $3"
    start=$SECONDS
    cannot_sign "$2" "$3" mesh://device/auth
    [ $((SECONDS - start)) -le "$1" ] || die "after $((SECONDS - start)) s"
}
signs() {
    openssl dgst -sha256 -sign "$1" -out sig openssl.cnf
    openssl pkey -in "$1" -pubout -out pub
    plain dgst -sha256 -verify pub -signature sig openssl.cnf > /dev/null
}
# fingerprint ROLE: of the device's key.
fingerprint() {
    meshctl reference "mesh://device/$1" | sed "s|.*/||"
}
# Some threads have a stack of 128 KiB; a sanitizer needs more itself.
small_stack() {
    [ -n "${MESH_PRELOAD:-}" ] || (ulimit -s 128 && "$@")
}
