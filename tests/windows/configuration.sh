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
