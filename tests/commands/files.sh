#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Keys of files, and making them, are not disturbed: the key holder is not even
# asked.
. "$(dirname "$0")/lib.sh"
before=$(asked)
file() { ours file.pem "$@"; }
say "made and written as ever"
file genpkey -algorithm RSA -out made.pem 2> /dev/null
plain pkey -in made.pem -check -noout
file genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out made.pem
plain pkey -in made.pem -check -noout
file genpkey -algorithm ED25519 -out made.pem
plain pkey -in made.pem -noout
file req -x509 -newkey rsa:2048 -keyout made.pem -passout pass:x -subj /CN=x \
    -out made.crt 2> /dev/null
plain pkey -in made.pem -passin pass:x -check -noout
for command in "pkey -in KEY" "pkey -in KEY -text" "pkey -in KEY -traditional" \
    "pkey -in KEY -outform DER" "${type,,} -in KEY" "${type,,} -in KEY -text"; do
    plain ${command//KEY/file.pem} > expected 2> /dev/null
    file $command > printed 2> /dev/null
    cmp printed expected || die "$command"
done
if [ "$type" = EC ]; then
    plain ec -in file.pem -conv_form compressed -pubout -out expected
    file ec -in KEY -conv_form compressed -pubout -out out
    cmp out expected
fi
file pkcs8 -topk8 -in KEY -passout pass:x -out out
plain pkey -in out -passin pass:x | cmp - file.pem
file pkcs12 -export -inkey KEY -in cert.pem -passout pass:x -out out
plain pkcs12 -in out -passin pass:x -nodes -nocerts | plain pkey | cmp - file.pem
say "used as ever"
file dgst -sha256 -sign KEY -out out message
plain dgst -sha256 -verify public.pem -signature out message
file cms -sign -in message -signer cert.pem -inkey KEY -out out
plain cms -verify -CAfile cert.pem -purpose any -in out -out clear 2> /dev/null
plain cms -encrypt -in message -out secret cert.pem
file cms -decrypt -in secret -inkey KEY -out out
[ "$(asked)" -eq "$before" ] || die "the key holder was asked"
