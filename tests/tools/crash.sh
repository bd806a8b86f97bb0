#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# meshctl killed at each system call that writes: what was there is there, or
# what was to be, and nothing in between.
. "$(dirname "$0")/lib.sh"
command -v strace > /dev/null || { echo "skipped: no strace"; exit 77; }
[ -z "${MESH_PRELOAD:-}" ] || {
    echo "skipped: a sanitizer looks for leaks and strace at the same time"
    exit 77
}
# The system calls; sendmsg is how mesh-keyd is asked to make and delete keys.
writing="write pwrite64 fsync ftruncate rename renameat renameat2 unlink \
unlinkat mkdir mkdirat rmdir sendmsg fcntl"
device=$(meshctl create device --algorithm P-256)
profiles=$device
plain genpkey -algorithm ED25519 -out key.pem
meshctl import key.pem --role first > first.uri 2> /dev/null
cp -rp .cryptomesh good
meshctl certificate "$device/first" <(openssl req -x509 -key "$device/first" \
    -subj /CN=first) # a newer version, without a new key
cp -p .cryptomesh/M*/M*[A-Z0-9].mmm newer.mmm

# usable: the provider finds the profile and its keys, and so does meshctl.
usable() {
    meshctl verify --json $profiles > verified.json ||
        die "$1: $(cat verified.json)"
    openssl pkey -in "$device/first" -pubout -out pub ||
        die "$1: the key is gone"
    meshctl list > list.out || die "$1: $(cat list.out)"
    grep -q "${device#mesh://}" list.out || die "$1: $(cat list.out)"
    meshctl repair --all > repair.out || die "$1: $(cat repair.out)"
    ! find .cryptomesh -size 0 -name '*.[jm]*' ! -name '*.all.mmm' | grep . ||
        die "$1: empty files"
}
# swept: repair takes away what the dead left, but nothing young.
leftovers=0
swept() {
    local left
    left=$(find .cryptomesh -name '.tmp-*')
    [ -n "$left" ] || return 0
    leftovers=$((leftovers + 1))
    meshctl repair --all > repair.out || die "$1: $(cat repair.out)"
    [ "$(find .cryptomesh -name '.tmp-*')" = "$left" ] ||
        die "$1: a young file was taken away"
    touch -d '2 hours ago' $left
    meshctl repair --all > repair.out 2>&1 || die "$1: $(cat repair.out)"
    grep -q "temporary files of killed programs removed" repair.out ||
        die "$1: $(cat repair.out)"
    ! find .cryptomesh -name '.tmp-*' | grep . || die "$1: it is still there"
}
# survives COMMAND...: killed at each such call in turn, until none is left.
survives() {
    local call n status kills=0
    say "$*"
    for call in $writing; do
        for ((n = 1; ; n++)); do
            rm -rf .cryptomesh
            cp -rp good .cryptomesh
            $prepare
            status=0
            { strace -qq -o /dev/null -e trace="$call" \
                -e inject="$call:signal=KILL:when=$n" \
                "$MESH_BUILD/tools/meshctl" "$@" > out 2>&1; } 2> /dev/null ||
                status=$?
            [ $status -eq 137 ] || break
            kills=$((kills + 1))
            usable "$* killed at $call $n"
            swept "$* killed at $call $n"
        done
    done
    [ $status -eq 0 ] || die "it fails by itself: $(cat out)"
    echo "$kills times killed"
    [ $kills -ge "$least" ] || die "that is too seldom"
}
# Each import has a key of its own: it stays in the key store.
new_key() { plain genpkey -algorithm ED25519 -out new.pem; }
prepare=new_key least=15 survives import new.pem --role second
prepare='' least=10 survives adopt newer.mmm
prepare='' least=15 survives create device --algorithm P-256
lose() { rm .cryptomesh/M*/M*[A-Z0-9].mmm; }
prepare=lose least=5 survives repair device

say "several profiles in one change"
rm -rf .cryptomesh
cp -rp good .cryptomesh
personal=$(meshctl create personal --algorithm P-256)
web=$(meshctl create application web --algorithm P-256)
second=$(meshctl create device --algorithm P-256 --default)
meshctl add device "$second" --admin
rm -rf good
cp -rp .cryptomesh good
profiles="$device $personal $web $second"
prepare='' least=15 survives remove device "$device"
prepare='' least=15 survives rollover "$personal/online"
[ $leftovers -ge 10 ] || die "only $leftovers left a temporary file"
say "what is no such file, and what links point to, stays"
mkdir -m 700 elsewhere
touch elsewhere/.tmp-0123 .cryptomesh/.tmpx .cryptomesh/mine.tmp-1
ln -s "$HOME/elsewhere" .cryptomesh/link
ln -s "$HOME/elsewhere/.tmp-0123" .cryptomesh/.tmp-link
touch -h -d '2 hours ago' elsewhere/.tmp-0123 .cryptomesh/.tmp* \
    .cryptomesh/mine.tmp-1 .cryptomesh/link
meshctl repair --all > repair.out 2>&1
! grep removed repair.out || die "$(cat repair.out)"
same "$(ls -d elsewhere/.tmp* .cryptomesh/.tmp* .cryptomesh/mine* | wc -l)" 4
