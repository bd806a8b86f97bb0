#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# commands.sh SCRIPT ARGUMENT...: a script of tests/commands with the words of
# Windows; then no private half was asked for, and no handle is left.
here=$(realpath "$(dirname "$0")")
. "$here/lib.sh"
MESH_WORDS=$here/words.sh "$here/../commands/$1.sh" "${@:2}"
no_private_export
# (servers are killed)
[ "$1" = tls ] || no_leaked_handle
