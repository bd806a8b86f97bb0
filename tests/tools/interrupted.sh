#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A signal in the middle of a change: it is undone, and meshctl ends by that
# signal.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
meshctl create personal --algorithm P-256
holder=$(meshctl doctor | sed -n 's/.*key holder .* process //p')

# start COMMAND...: in the background, where signals end it as they would a
# program in the foreground.
start() {
    env "${signals---default-signal=INT,TERM,HUP}" \
        "$MESH_BUILD/tools/meshctl" "$@" > result 2> note & pid=$!
}
# ended_by NUMBER: it is, and nothing is left of it.
ended_by() {
    status=0
    wait $pid || status=$?
    same $status $((128 + $1))
    same "$(state)" "$before"
    same "$(cat result)" ""
    grep -q "^meshctl: interrupted: " note || die "$(cat note)"
}
before=$(state)
for signal in 1 2 15; do
    say "signal $signal, while a key is made"
    kill -STOP "$holder"
    start create device --algorithm P-256
    until grep -q '^SigBlk:.*4003$' /proc/$pid/status; do # all three are held
        sleep 0.05
    done
    sleep 0.3
    kill -$signal $pid
    sleep 0.2
    kill -0 $pid || die "it ended before it could undo anything"
    kill -CONT "$holder"
    ended_by $signal
    cat note >> notes
done
grep -q "all that was done before was undone" notes || die "$(cat notes)"
say "at any moment: done as a whole or not at all"
for ms in 000 020 050 100 200 400 800; do
    for command in "create device" "create application web"; do
        before=$(state)
        start $command
        sleep 0.$ms
        kill -TERM $pid 2> /dev/null || true
        if wait $pid || [ -s result ]; then
            meshctl verify "$(cat result)"
        elif [ -s note ]; then
            ended_by 15
        else # before anything was begun
            same "$(state)" "$before"
        fi
    done
done
meshctl verify mesh://device mesh://personal
say "one that is ignored stays so"
kill -STOP "$holder" # so that it is in the middle
signals=--ignore-signal=HUP start create device
sleep 0.3
kill -HUP $pid
kill -CONT "$holder"
wait $pid
meshctl verify "$(cat result)"
