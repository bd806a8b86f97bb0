# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of this folder, which run in tests/windows/with-wine
# with MESH_WINDOWS_BUILD and MESH_WINDOWS_PREFIX set.
set -eu
umask 022
: "${MESH_WINDOWS_BUILD:?is the build folder of tests/windows}"
: "${MESH_WINDOWS_PREFIX:?is what tests/windows/dependencies prints}"
cd "$HOME"

say() {
    echo "-- $*"
}
die() {
    echo "FAILED: $*" >&2
    exit 1
}
# windows_path FILE: as Windows programs name it.
windows_path() {
    local path
    path=$(realpath -m "$1")
    echo "Z:${path//\//\\}"
}
# log_calls: the double writes its log to $HOME/ncrypt.log from now on.
log_calls() {
    export NCRYPT_DOUBLE_LOG
    NCRYPT_DOUBLE_LOG=$(windows_path "$HOME/ncrypt.log")
    : > "$HOME/ncrypt.log"
}
# calls FUNCTION [STATUS]: how often it was called, and answered so.
calls() {
    grep -cE "^[0-9]+ $1 ${2-}" "$HOME/ncrypt.log" || :
}
# no_private_export: nobody has asked for a private half.
no_private_export() {
    ! grep ' private-export ' "$HOME/ncrypt.log" >&2 ||
        die "a private half was asked for"
}
# no_leaked_handle: each handle and buffer was freed by the process that had it.
no_leaked_handle() {
    awk '$2 == "+" { held[$1 " " $3 " " $4] = 1; seen = 1 }
        $2 == "-" { delete held[$1 " " $3 " " $4] }
        END {
            for (h in held) { print "not freed (process, kind): " h; bad = 1 }
            if (!seen) { print "nothing was ever opened"; bad = 1 }
            exit bad
        }' "$HOME/ncrypt.log" >&2 || die "handles were not freed"
}
# fails WORD COMMAND...: in a shell of its own, so that a check that ends the
# script can be checked; WORD is in what it says.
fails() {
    local word=$1 out
    shift
    if out=$( ("$@") 2>&1); then
        die "succeeded: $*"
    fi
    [[ $out == *"$word"* ]] || die "'$word' is not in: $out"
}
