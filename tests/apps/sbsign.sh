#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sbsign: signs a program for UEFI Secure Boot
. "$(dirname "$0")/lib.sh"
needs sbsigntool systemd-boot-efi
key signer RSA-2048 -addext extendedKeyUsage=codeSigning
program=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
say "sign and verify"
sbsign --key signer.key --cert signer.crt --output signed.efi "$program"
signed signer
sbverify --cert signer.crt signed.efi
say "not with another certificate"
file_key other
fails_with "verification failed" sbverify --cert other.crt signed.efi
say "a damaged reference"
sed -i 2d signer.key
fails_with "malformed key reference" sbsign --key signer.key --cert signer.crt --output none.efi \
    "$program"
[ ! -e none.efi ] || die "it wrote something"
