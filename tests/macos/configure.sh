#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# CMake makes a build for macOS of the sources as they are: the module and
# meshctl with Apple's frameworks and no double, and tests that can run there.
# Nothing is compiled: clang's target is enough for CMake.
set -eu
command -v clang > /dev/null || exit 77
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cmake -S "${MESH_SOURCE:?is the source folder}" -B "$build" \
    -G "Unix Makefiles" -DCMAKE_SYSTEM_NAME=Darwin \
    -DCMAKE_SYSTEM_PROCESSOR=arm64 -DCMAKE_C_COMPILER=clang \
    -DCMAKE_C_COMPILER_TARGET=arm64-apple-macos13 \
    -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY > "$build/log" 2>&1 || {
    tail -20 "$build/log" >&2
    exit 1
}
fail() {
    echo "FAILED: $1" >&2
    exit 1
}
cd "$build"
module=CMakeFiles/mesh.dir/link.txt
for word in -dynamiclib '-o mesh\.dylib' '-install_name .*mesh\.dylib' \
    -exported_symbols_list '-framework CoreFoundation' '-framework Security'; do
    grep -q -e "$word" $module || fail "the module is linked without $word"
done
grep -q -e '-framework Security' tools/CMakeFiles/meshctl.dir/link.txt \
    || fail "meshctl is linked without the Keychain"
! grep -rq --include=link.txt -e '-Wl,-z' . \
    || fail "an option that Apple's linker does not know"
[ ! -d tests/CMakeFiles/macos_double.dir ] || fail "a double on a Mac"
ctest -N > tests.list
grep -q 'macos/orphan$' tests.list || fail "no tests of macOS"
grep -q 'platform/files$' tests.list || fail "no tests of the platform"
