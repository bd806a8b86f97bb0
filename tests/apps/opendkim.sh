#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# opendkim: Ed25519 works; RSA cannot, opendkim wants the private numbers
. "$(dirname "$0")/lib.sh"
needs opendkim python3-dkim python3-nacl
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
Canonicalization relaxed/relaxed
KeyFile $HOME/$1
SignatureAlgorithm $2
UserID $(id -un)
RequireSafeKeys no
Syslog no
CONF
    $ours opendkim -x opendkim.conf -vv -t mail > result 2>&1
}
verify() {
    OPENSSL_CONF=/dev/null /usr/bin/python3 -c 'import base64, dkim, sys
record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(sys.stdin.buffer.read())
mail = open(sys.argv[1], "rb").read()
sys.exit(not dkim.verify(mail, dnsfunc=lambda name, timeout: record))' "$1" \
        < ed.raw
}
plain x509 -in ed.crt -noout -pubkey | plain pkey -pubin -outform DER |
    tail -c 32 > ed.raw
say "Ed25519"
sign ed.key ed25519-sha256
signed ed
sed -n "/hvalue='/,/'\$/{s/.*hvalue='/DKIM-Signature: /;s/'\$//;s/\$/\r/;p}" \
    result | cat - mail > signed_mail
verify signed_mail || die "bad signature: $(cat signed_mail)"
sed -i s/hello/Hello/ signed_mail
fails_with "" verify signed_mail
[ -z "$out" ] || die "not by the verification: $out"
say "RSA"
sign rsa.key rsa-sha256
grep -q "no signature added: EVP_PKEY_get1_RSA() failed" result ||
    die "$(cat result)"
signed rsa 0
