#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The module is a guest: few libraries, one symbol, no threads, one socket.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
if [ -z "${MESH_PRELOAD:-}" ]; then
    say "libraries: libcrypto, jansson, libc with its loader"
    libraries=$(readelf -d "$MESH_BUILD/mesh.so" \
        | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' | grep -v ^ld-linux \
        | sort | xargs)
    [ "$libraries" = "libc libcrypto libjansson" ] || die "it has $libraries"
fi
say "one symbol"
symbols=$(nm -D --defined-only "$MESH_BUILD/mesh.so" | awk '{print $3}' | xargs)
[ "$symbols" = OSSL_provider_init ] || die "it exports $symbols"
say "never unloaded, no lazy binding, no executable stack"
readelf -d "$MESH_BUILD/mesh.so" | grep -q NODELETE || die "no NODELETE"
readelf -d "$MESH_BUILD/mesh.so" | grep -q NOW || die "no NOW"
readelf -lW "$MESH_BUILD/mesh.so" | grep GNU_STACK | grep -qv E || die "stack"
say "threads, descriptors, children, handlers"
LD_PRELOAD="${MESH_PRELOAD:-}" "$MESH_BUILD/tests/guest" mesh://device/sign
say "a key that is freed after libcrypto has cleaned up"
# (the provider then stays for ever, which is no leak)
ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="${MESH_PRELOAD:-}" \
    "$MESH_BUILD/tests/late_free" mesh://device/sign
meshctl lock
[ -z "${MESH_PRELOAD:-}" ] || exit 0
say "loading the module alone opens and starts nothing, and says nothing"
strace -f -e trace=socket,connect,clone,fork,vfork,clone3 -o strace.out \
    openssl list -providers > providers.out 2> stderr.out
grep -q "Mesh provider" providers.out || die "it is not loaded"
[ ! -s stderr.out ] || die "$(cat stderr.out)"
! grep "socket\|clone\|fork" strace.out || die "it did"
