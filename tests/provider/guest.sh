#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The module is a guest: one symbol, no threads, one socket.
. "$(dirname "$0")/../lib.sh"
meshctl create device --algorithm P-256
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
