#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the module links, and what loading it does.
. "$(dirname "$0")/../lib.sh"
[ -z "${MESH_PRELOAD:-}" ] || {
    echo "skipped: a sanitizer is a library more, and opens things itself"
    exit 77
}
say "libraries: libcrypto, jansson, libc with its loader"
libraries=$(readelf -d "$MESH_BUILD/mesh.so" \
    | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' | grep -v ^ld-linux \
    | sort | xargs)
[ "$libraries" = "libc libcrypto libjansson" ] || die "it has $libraries"
say "loading the module alone opens and starts nothing, and says nothing"
strace -f -e trace=socket,connect,clone,fork,vfork,clone3 -o strace.out \
    openssl list -providers > providers.out 2> stderr.out
grep -q "Mesh provider" providers.out || die "it is not loaded"
[ ! -s stderr.out ] || die "$(cat stderr.out)"
! grep "socket\|clone\|fork" strace.out || die "it did"
