#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# BIND 9.20: dnssec-keyfromlabel and dnssec-signzone with the URIs of keys
. "$(dirname "$0")/lib.sh"
needs_openssl 3.5
needs bind9-utils
cat > zone << 'ZONE'
$TTL 3600
example.com. SOA ns.example.com. admin.example.com. 1 3600 600 86400 3600
example.com. NS ns.example.com.
ns.example.com. A 192.0.2.1
ZONE
label="dnssec-keyfromlabel -a"
sign="dnssec-signzone -S -o example.com -f signed zone"
while read -r name algorithm; do
    say "$name"
    key ksk "$algorithm"
    key zsk "$algorithm"
    ksk=$($ours $label $name -f KSK -l "$(cat ksk.uri)" example.com)
    zsk=$($ours $label $name -l "$(cat zsk.uri)" example.com)
    grep -q ^Label: "$ksk.private"
    ! grep -q "^Private[A-Z]" "$ksk.private" "$zsk.private" || die "private numbers"
    $ours $sign > out 2>&1 || die "$(cat out)"
    dnssec-verify -o example.com signed > out 2>&1 || die "$(cat out)"
    signed ksk
    signed zsk 2+
    sed '/^ns.*\bA\b/s/192.0.2.1/192.0.2.2/' signed > changed
    fails_with "" dnssec-verify -o example.com changed
    say "$name: a key that is held no more"
    meshctl delete --yes "$(cat zsk.uri)" > /dev/null
    fails_with "crypto failure" $ours $sign
    rm K*
done << KEYS
RSASHA256 RSA-2048
ECDSAP256SHA256 P-256
ECDSAP384SHA384 P-384
KEYS
say "a key of another algorithm, an unknown one"
fails_with "fatal: " $ours $label RSASHA256 -l "$(cat ksk.uri)" example.com
fails_with "fatal: " $ours $label RSASHA256 -l mesh://device/none example.com
say "Ed25519: BIND wants the private number in its file"
key ed Ed25519
fails_with "failed to write key" $ours $label ED25519 -l "$(cat ed.uri)" \
    example.com
