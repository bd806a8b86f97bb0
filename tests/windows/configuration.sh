#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# openssl.cnf is the program's: the libcrypto in the module, which was built with
# a folder for one of its own, does not look for it.
. "$(dirname "$0")/words.sh"
meshctl create device --algorithm P-256 > /dev/null
openssl genpkey -algorithm EC -pkeyopt group:P-256 -out plain.key

# looks COMMAND...: how often openssl.cnf is opened, wherever it is.
looks() {
    WINEDEBUG=+file "${openssl[@]}" "$@" > /dev/null 2> files.log ||
        die "openssl $*"
    grep -c 'trace:file:CreateFileW.*openssl\.cnf"' files.log || :
}
say "it is read as often as without the module"
[ "$(looks pkey -in plain.key)" = 1 ] || die "Wine's trace has other words"
for command in 'pkey -in' 'storeutl -noout'; do
    [ "$(looks $command mesh://device/sign)" = 1 ] ||
        die "$command: $(grep 'CreateFileW.*openssl' files.log)"
done

say "nor is it looked for where the module was built for"
unset OPENSSL_CONF
pkey=(pkey -provider default -provider mesh -in)
[ "$(looks "${pkey[@]}" mesh://device/sign)" = \
    "$(looks "${pkey[@]}" plain.key)" ] ||
    die "$(grep 'CreateFileW.*openssl' files.log)"

# touches WORD COMMAND...: whether meshctl asks Windows for a file of that name.
touches() {
    local word=$1
    shift
    WINEDEBUG=+file meshctl "$@" > out 2> files.log || :
    grep -qi "trace:file:.*[\\\\/]$word" files.log
}
say "meshctl takes no module and no openssl.cnf from there, either"
touches 'legacy\.dll' import plain.key --role first ||
    die "Wine's trace has other words"
unset OPENSSL_MODULES
! touches 'legacy\.dll' import plain.key --role second ||
    die "$(grep -i 'legacy\.dll' files.log)"
! touches 'openssl\.cnf' doctor || die "$(grep 'openssl\.cnf' files.log)"
! grep -i 'trace:file:.*[\\/]mesh\.dll' files.log || die "a module was sought"
grep -q "OPENSSL_CONF names no file: programs must be told to use mesh" out ||
    die "$(cat out)"
grep -q "mesh.dll: OPENSSL_MODULES names no folder  -> set it to" out ||
    die "$(cat out)"
