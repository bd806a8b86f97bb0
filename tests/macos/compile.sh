#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is only macOS's compiles for it, as far as a compiler can tell without
# its libraries: clang for arm64, with the double's headers for Apple's and this
# system's for C's and OpenSSL's.  platform/posix/portable.c is not among them:
# it wants Apple's own.
set -eu
cd "${MESH_SOURCE:?is the source folder}"
command -v clang > /dev/null || exit 77
mapfile -t warnings < <(grep -oE -e '-W[a-z][a-z0-9=-]+' cmake/hardening.cmake)
[ ${#warnings[@]} -gt 10 ] # as in the build, where they are errors
flags=(-target arm64-apple-macos13 -std=c11 -fsyntax-only "${warnings[@]}"
    -DMESH_PLATFORM_MACOS -DMESH_MESHCTL_PATH='"/usr/local/bin/meshctl"'
    -DMESH_MODULE_FILE='"mesh.dylib"' -D_GNU_SOURCE -I. -Itests/macos/include
    # the C library's headers are for the machine that they are on
    "-D__$(uname -m)__=1" -U__nonnull -Dst_mtimespec=st_mtim
    -Dst_ctimespec=st_ctim -isystem /usr/include
    -isystem "/usr/include/$(cc -print-multiarch)")
for file in platform/*.c platform/macos/*.c platform/posix/*.c keymgmt/*.c \
    store/*.c provider/*.c tools/*.c tools/posix/*.c tools/macos/*.c \
    tests/platform/*.c tests/macos/test_orphan.c; do
    [ $file != platform/posix/portable.c ] || continue
    clang "${flags[@]}" "$file" || { echo "FAILED: $file" >&2; exit 1; }
done
# and it is not that anything would do
! clang "${flags[@]}" -DMESH_PLATFORM_MACOS -x c - 2> /dev/null << 'C' ||
#include "platform/macos/keychain.h"
int f(SecKeyRef key) { return SecKeyCopyPublicKey(key, 1) != NULL; }
C
    { echo "FAILED: a call that is wrong compiles" >&2; exit 1; }
