#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Something is wrong with what the Secret Service holds, or there is none: no
# signature is made, and openssl says why.
. "$(dirname "$0")/../bad_input.sh"
keyrings=$HOME/.local/share/keyrings
if [ "${1-}" = no-service ]; then # started below, with the profiles
    cp -a "$2" .cryptomesh
    in_time 5 "no Secret Service" "org.freedesktop.secrets"
    exit
fi
meshctl create device --algorithm P-256
key=mesh://device/auth
udf=$(fingerprint auth)
spki=$(openssl pkey -in $key -pubout -outform DER | sha256sum | cut -d' ' -f1)
plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem
# put FILE: one more item for the key, with what the file holds.
put() {
    "$MESH_BUILD/tests/put_secret" "$1" org.cryptomesh.PrivateKey \
        udf="$udf" spki-sha256="$spki" > /dev/null
}
# refuses REASON DETAIL: and nothing has changed.
refuses() {
    before=$(state "$keyrings")
    in_time 5 "$1" "$2"
    [ "$(state "$keyrings")" = "$before" ] || die "files have changed"
}
signs $key
say "the item of the key twice"
meshctl lock
put other.pem
refuses "key found more than once" "the Secret Service has 2 items for"
[[ $out == *"$udf"* ]] || die "for which key? $out"
say "no item, another key's, what is no key"
meshctl delete --yes $key
refuses "private key not held by this device" "DeviceAuthenticationKey, $udf"
put other.pem
refuses "key store has another key under this name" \
    "$udf: the secret-service has another private key"
meshctl delete --yes $key
put openssl.cnf
refuses "malformed key" "$udf: its item in the Secret Service holds no private"
say "the other keys are as good as before"
signs mesh://device/sign

say "a session bus without a Secret Service"
"$tests/with-keyring" --no-secret-service "$self" no-service \
    "$HOME/.cryptomesh"
say "no session bus"
unset DBUS_SESSION_BUS_ADDRESS
export XDG_RUNTIME_DIR=$HOME/run # so there is no mesh-keyd either
mkdir -m 700 run
refuses "no Secret Service" "session bus"
