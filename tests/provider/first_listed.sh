#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With our provider listed first, openssl makes keys of files as it always did,
# and uses them without the key holder.
. "$(dirname "$0")/../lib.sh"
activated_by provider
say "genpkey, with its progress"
openssl genpkey $by -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem \
    2> dots
grep -q '[.+]' dots || die "no progress: $(cat dots)"
plain pkey -in rsa.pem -noout -check
openssl genpkey $by -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec.pem
plain pkey -in ec.pem -noout -text | grep P-384
say "req -newkey"
openssl req $by -x509 -newkey rsa:2048 -nodes -keyout new.pem -subj /CN=new \
    -out new.crt 2> /dev/null
plain verify -CAfile new.crt new.crt
say "sign with a file"
for key in rsa ec; do
    openssl dgst $by -sha256 -sign $key.pem -out sig dots
    plain pkey -in $key.pem -pubout -out $key.pub
    plain dgst -sha256 -verify $key.pub -signature sig dots
done
say "what cannot be made fails"
fails_with "curve" openssl genpkey $by -algorithm EC \
    -pkeyopt ec_paramgen_curve:nosuch -out none.pem
[ ! -e use.log ] || die "the key holder was asked"
