#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# opendkim: Ed25519 works; RSA cannot, opendkim wants the private numbers
. "$(dirname "$0")/lib.sh"
needs opendkim
key ed Ed25519
key rsa RSA-2048
printf '%s\r\n' "From: alice@example.com" "To: bob@example.com" \
    "Subject: test" "Date: Thu, 1 Jan 2026 00:00:00 +0000" "" hello > mail
# sign KEY ALGORITHM: a mail of localhost
sign() {
    cat > opendkim.conf << CONF
Mode s
Domain example.com
Selector mesh
KeyFile $HOME/$1
SignatureAlgorithm $2
UserID $(id -un)
RequireSafeKeys no
Syslog no
CONF
    opendkim -x opendkim.conf -vv -t mail > result 2>&1
}
say "Ed25519"
sign ed.key ed25519-sha256
signed ed
sed -n "/hvalue='/,/'\$/{s/.*hvalue='/DKIM-Signature: /;s/'\$//;p}" result |
    sed -z 's/\n$//;s/\n/\r\n/g' > header
# the header fields and, without its value, the signature (RFC 6376, RFC 8463)
{ head -n 4 mail; sed -z 's/b=[^=;]*=*$/b=/' header; } |
    plain dgst -sha256 -binary > digest
sed -z 's/.*\tb=//;s/[ \r\n\t]//g' header | base64 -d > signature
plain x509 -in ed.crt -noout -pubkey > ed.pub
plain pkeyutl -verify -rawin -pubin -inkey ed.pub -in digest \
    -sigfile signature
say "RSA"
sign rsa.key rsa-sha256
grep -q "no signature added: EVP_PKEY_get1_RSA() failed" result ||
    die "$(cat result)"
signed rsa 0
