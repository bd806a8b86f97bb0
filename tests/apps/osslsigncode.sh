#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# osslsigncode: signs a program for Windows
. "$(dirname "$0")/lib.sh"
needs osslsigncode gcc-mingw-w64-x86-64
key signer RSA-2048 -addext extendedKeyUsage=codeSigning
echo 'int main(void) { return 0; }' > program.c
x86_64-w64-mingw32-gcc -o program.exe program.c
say "sign and verify"
osslsigncode sign -certs signer.crt -key signer.key -in program.exe \
    -out signed.exe
signed signer
osslsigncode verify -CAfile ca.crt -in signed.exe > verified
grep -q "Number of verified signatures: 1\|Succeeded" verified ||
    die "$(cat verified)"
say "one octet later it is no longer signed"
printf X | dd of=signed.exe bs=1 seek=1500 conv=notrunc status=none
fails_with "MISMATCH" osslsigncode verify -CAfile ca.crt -in signed.exe
say "a damaged reference"
sed -i 2d signer.key
fails_with "Failed to read key" osslsigncode sign -certs signer.crt -key signer.key \
    -in program.exe -out none.exe
