# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of this folder, which run inside tests/with-keyring.
. "$(dirname "$0")/../lib.sh"

# ends NUMBER COMMAND...: its exit status.
ends() {
    expected=$1 status=0
    shift
    "$@" > "$HOME/ends.out" 2>&1 || status=$?
    [ $status -eq "$expected" ] ||
        die "status $status instead of $expected: $*: $(cat "$HOME/ends.out")"
}
# finds LEVEL TEXT: doctor says so, and a problem makes it fail.
finds() {
    ends "$([ "$1" = problem ] && echo 1 || echo 0)" meshctl doctor
    grep -q "^$1 .*$2" ends.out || die "no '$1 $2': $(cat ends.out)"
}
# has TEXT COMMAND...: it succeeds, and TEXT is in its output.
has() {
    text=$1
    shift
    out=$("$@" 2>&1) || die "failed: $*: $out"
    case $out in
    *"$text"*) ;;
    *) die "no '$text' in the output of: $*: $out" ;;
    esac
}
# same A B
same() {
    [ "$1" = "$2" ] || die "'$1' is not '$2'"
}
# What is on the disk and in the key store.
state() {
    find "${1:-.cryptomesh}" -type f ! -name .lock -exec sha256sum {} + | sort
    find "${1:-.cryptomesh}" -mindepth 1 -type d | sort
    meshctl list --keys | grep ^key | sort
}
keys() {
    meshctl list --keys | grep -c ^key || true
}
