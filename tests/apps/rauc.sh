#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rauc: signs an update of a device
. "$(dirname "$0")/lib.sh"
needs rauc squashfs-tools
key signer RSA-2048
mkdir bundle
head -c 65536 /dev/urandom > bundle/rootfs.img
cat > bundle/manifest.raucm << CONF
[update]
compatible=test
version=1
[bundle]
format=plain
[image.rootfs]
filename=rootfs.img
CONF
say "make a signed bundle, and verify it"
rauc bundle --cert=signer.crt --key=signer.key bundle update.raucb
signed signer 1+
rauc info --keyring=ca.crt update.raucb > info
grep -q "Compatible.*test" info || die "$(cat info)"
say "a damaged one"
printf X | dd of=update.raucb bs=1 seek=2000 conv=notrunc status=none
fails_with "signature verification failed" rauc info --keyring=ca.crt update.raucb
say "a damaged reference"
sed -i 2d signer.key
fails_with "truncated or damaged" rauc bundle --cert=signer.crt --key=signer.key bundle none.raucb
[ ! -e none.raucb ] || die "it wrote something"
