#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A program without the double beside it does not start: Wine's own CNG would
# make and export keys that Windows would not.
. "${BASH_SOURCE%/*}/lib.sh"

mkdir alone
cp "$MESH_WINDOWS_BUILD/cng-conformance.exe" alone
say "without the double"
status=0
out=$(cd alone && wine cng-conformance.exe) || status=$?
[ $status != 0 ] || die "it ran with another CNG"
[ -z "$out" ] || die "it said: $out"

say "with it"
cp "$MESH_WINDOWS_BUILD/ncrypt.dll" alone
(cd alone && wine cng-conformance.exe)
