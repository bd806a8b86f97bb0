#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Twenty programs at once need a mesh-keyd that does not run: each is served,
# and all by the same one.  Three times; each time the last one was killed.
. "$(dirname "$0")/keyd_lib.sh"

for round in 1 2 3; do
    pids=()
    for i in {1..20}; do
        call status > "status.$i" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || die "round $round: a program was not served"
    done
    keyd=$(sed -n 's/^pid[ =]*//p' status.* | sort -u)
    [[ $keyd =~ ^[0-9]+$ ]] || die "round $round: not one mesh-keyd: $keyd"
    [[ $(tr '\0' ' ' < "/proc/$keyd/cmdline") == *"--ready-fd 3 " ]] ||
        die "round $round: process $keyd is not what was started"
    say "round $round: all by process $keyd"
    kill -KILL "$keyd"
done
