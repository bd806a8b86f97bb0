#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several at once: no change is lost.
. "$(dirname "$0")/lib.sh"
# at_once COUNT COMMAND...: so many of it at the same time, each must succeed.
at_once() {
    count=$1 pids=()
    shift
    for ((i = 1; i <= count; i++)); do
        "$@" "$i" & pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || die "one of $count failed: $*"
    done
}
device() {
    meshctl create device --algorithm P-256 --description "device $1"
}
application_and_key() {
    meshctl create application web --algorithm P-256
    plain genpkey -algorithm ED25519 -out "key$1.pem"
    meshctl import "key$1.pem"
}
say "the first profiles"
at_once 6 device
same "$(meshctl list | wc -l)" 6
same "$(meshctl list | grep -c default)" 1
say "changes of the same profiles"
meshctl create personal --algorithm P-256
at_once 6 application_and_key
same "$(meshctl show mesh://personal | grep -c ^application)" 6
same "$(meshctl show mesh://device | grep -c ^key)" 9
meshctl verify $(meshctl list | awk '{ print "mesh://" $2 }')
