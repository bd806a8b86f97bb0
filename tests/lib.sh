# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of the folders, which run inside tests/with-keyring
# with MESH_BUILD set: an openssl.cnf that activates default, then mesh, and a
# few words for checks.
set -eu
# What is another system's has the same words in a file of its own.
. "${MESH_WORDS:-$(dirname "${BASH_SOURCE[0]}")/linux/words.sh}"

# activated_by config|provider: by openssl.cnf alone, or by $by in each command.
activated_by() {
    by=
    [ "$1" = provider ] || return 0
    sed -i "/^openssl_conf/d" openssl.cnf
    by="-provider mesh -provider default"
}
# openssl without it.
plain() {
    OPENSSL_CONF=/dev/null command openssl "$@"
}
say() {
    echo "-- $*"
}
die() {
    echo "FAILED: $*" >&2
    [ ! -f "$HOME/use.log" ] || tail -n 5 "$HOME/use.log" >&2
    exit 1
}
# fails_with TEXT COMMAND...: it ends with an error, and TEXT is in its output.
# A crash is no error: only may_crash TEXT COMMAND... lets it pass.
fails_with() {
    may_crash "$@"
    # (some programs exit with -1, which is 255: that is no signal)
    [ $status -lt 128 ] || [ $status -gt 192 ] ||
        die "ended by signal $((status - 128)): ${*:2}: $out"
    case $out in
    *"ERROR: AddressSanitizer"* | *": runtime error: "*)
        die "the sanitizer ended: ${*:2}: $out" ;;
    esac
}
may_crash() {
    local text=$1
    shift
    status=0
    out=$("$@" 2>&1) || status=$?
    [ $status != 0 ] || die "succeeded: $*"
    case $out in
    *"$text"*) ;;
    *) die "no '$text' in the output of: $*: $out" ;;
    esac
}
