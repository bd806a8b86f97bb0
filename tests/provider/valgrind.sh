#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The loader and signatures under valgrind: no error, nothing lost.
. "$(dirname "$0")/../lib.sh"
command -v valgrind > /dev/null || { echo "valgrind is missing"; exit 77; }
[ -z "${MESH_PRELOAD:-}" ] || { echo "not with a sanitizer"; exit 77; }
meshctl create device
meshctl create device --algorithm P-256 --default
echo "a message" > message

# checked COMMAND...: under valgrind, which ends with 9 if it finds anything.
checked() {
    say "$*"
    status=0
    valgrind --quiet --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite,indirect,possible \
        --log-file=valgrind.out openssl "$@" > out 2>&1 || status=$?
    [ "$status" != 9 ] || die "$(cat valgrind.out)"
    [ "$status" = "${expected:-0}" ] || die "status $status: $(cat out)"
}
# The function openssl() of lib.sh is not what valgrind runs: no preload here.
checked storeutl -noout mesh:
checked storeutl -noout mesh://device
checked pkey -in mesh://device/sign -pubout -out sign.pub
checked dgst -sha256 -sign mesh://device/sign -out sig message
checked dgst -sha256 -prverify mesh://device/sign -signature sig message
checked req -x509 -key mesh://device/sign -subj /CN=test -out cert.pem
checked pkeyutl -encrypt -inkey mesh://device/encrypt -in message -out cipher
checked pkeyutl -decrypt -inkey mesh://device/encrypt -in cipher -out clear
checked cms -sign -in message -signer cert.pem -inkey mesh://device/sign \
    -out signed.cms
ed25519=$(meshctl create device --algorithm ED25519)
checked pkeyutl -sign -rawin -inkey "$ed25519/sign" -in message -out sig
say "failures lose nothing either"
expected=1
checked dgst -sha256 -sign mesh://device/nosuch message
checked dgst -sha256 -sign mesh:MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA message
checked pkey -in mesh://a/b/c -pubout
checked pkeyutl -decrypt -inkey mesh://device/sign -in message
