#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A locked keyring with nobody to ask: nothing is made, and a public listing
# still works.
. "$(dirname "$0")/lib.sh"
collection() {
    gdbus call --session -d org.freedesktop.secrets \
        -o /org/freedesktop/secrets \
        -m "org.freedesktop.Secret.Service.$1" \
        "['/org/freedesktop/secrets/collection/login']" > /dev/null
}
meshctl create device --algorithm P-256
meshctl lock
plain genpkey -algorithm ED25519 -out key.pem
before=$(state)
collection Lock

say "nothing can be made or imported"
for command in "create device" "create personal" "import key.pem"; do
    # The prompter of a desktop is missing here, so the prompt is dismissed.
    ends 1 meshctl $command
    grep -q "^meshctl: \(key store locked\|unlocking was refused\|no Secret\)" \
        ends.out || die "$command: $(cat ends.out)"
done
say "what needs no private key works"
has "default" meshctl list
has "ok (DeviceProfile" meshctl verify mesh://device
has "mesh://" meshctl reference mesh://device/auth
has "warning  the Secret Service's collection is locked  -> the first use" \
    meshctl doctor
sed -i '/^keyd-path/a prompt = never' openssl.cnf
has "locked  -> unlock it: with prompt = never" meshctl doctor
same "$(find .cryptomesh -name '*.mmm' ! -name '*.all.mmm' | wc -l)" 1
