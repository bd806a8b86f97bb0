#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The double between processes: one keychain, what the environment asks for,
# what the report says.
set -eu
ulimit -c 0
use=$MESH_BUILD/tests/use_double
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/keychain"
export MACOS_DOUBLE_KEYCHAIN="$folder/keychain"
export MACOS_DOUBLE_REPORT="$folder/report"

# is EXPECTED WHAT COMMAND…: a command's output
is() {
    expected=$1 what=$2
    shift 2
    got=$("$@") || true
    [ "$got" = "$expected" ] || {
        echo "$what: $got, not $expected" >&2
        exit 1
    }
}

# Many at once: every key arrives, and none damages another.
for n in 1 2 3 4 5 6 7 8; do
    "$use" make "key $n" > "$folder/made.$n" &
done
wait
for n in 1 2 3 4 5 6 7 8; do
    is 0 "made $n" cat "$folder/made.$n"
    is 0 "sign $n" "$use" sign "key $n"
done
is -25300 "no such key" "$use" sign "key 9"
private=("$MACOS_DOUBLE_KEYCHAIN"/*.private)
[ ${#private[@]} -eq 8 ]

# The report has each call, and nothing else so far.
is 8 "signatures" grep -c '^call SecKeyCreateSignature$' "$folder/report"
is "" "no attempts, prompts, leaks" grep -v '^call ' "$folder/report"

# Another program; who answers its prompt.
export MACOS_DOUBLE_PROGRAM=/opt/program
is -25308 "no screen" "$use" sign "key 1"
is -25293 "denied" env MACOS_DOUBLE_PROMPT=deny "$use" sign "key 1"
is -128 "cancelled" env MACOS_DOUBLE_PROMPT=cancel "$use" sign "key 1"
is 0 "allowed" env MACOS_DOUBLE_PROMPT=allow "$use" sign "key 1"
is -25308 "allowed once" "$use" sign "key 1"
is 0 "always" env MACOS_DOUBLE_PROMPT=always "$use" sign "key 1"
is 0 "still" "$use" sign "key 1"
is 6 "prompts" grep -c '^prompt use$' "$folder/report"
unset MACOS_DOUBLE_PROGRAM

# Locked for all; unlocked by one.
: > "$folder/keychain/locked"
is -25308 "locked" "$use" sign "key 2"
is 0 "unlocked" env MACOS_DOUBLE_PROMPT=allow "$use" sign "key 2"
is 0 "unlocked before" "$use" sign "key 3"

# Failures on request.
MACOS_DOUBLE_FAIL="SecItemCopyMatching@2=-1,SecKeyCreateSignature=-34018"
export MACOS_DOUBLE_FAIL
is -34018 "asked for" "$use" sign "key 2"
unset MACOS_DOUBLE_FAIL
is -2147415840 "in hexadecimal" \
    env MACOS_DOUBLE_FAIL=SecItemCopyMatching=0x800108e0 "$use" sign "key 2"
is "no label" "the first object" env MACOS_DOUBLE_FAIL_ALLOC=1 "$use" sign a
before=$(grep -c SecKeyCreateSignature "$folder/report")
is -108 "a later object" env MACOS_DOUBLE_FAIL_ALLOC=3 "$use" sign "key 2"
is "$before" "not reached" grep -c SecKeyCreateSignature "$folder/report"

# Attempts at private bytes and leaks are in the report; of this leak a
# sanitizer need not tell.
is -25316 "not exportable" "$use" ask "key 2"
is 1 "attempts" \
    grep -c '^private bytes SecKeyCopyExternalRepresentation$' "$folder/report"
is 0 "a leak" env ASAN_OPTIONS=detect_leaks=0 "$use" leak "key 2"
is "leaked 1 SecKey " "reported" grep '^leaked' "$folder/report"
if MACOS_DOUBLE_LEAKS=abort "$use" leak "key 2" > /dev/null 2>&1; then
    echo "a leak did not end the process" >&2
    exit 1
fi

# Gone between two calls.
rm -rf "$folder/keychain"
is -25294 "gone" "$use" sign "key 2"

# Without a folder: one of its own, which goes with the process.
unset MACOS_DOUBLE_KEYCHAIN
mkdir "$folder/tmp"
is -25300 "an empty one" env TMPDIR="$folder/tmp" "$use" sign "key 2"
is "" "nothing stays" ls "$folder/tmp"
