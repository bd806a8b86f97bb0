#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Key files are tried; with them no Secret Service is needed.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
mkdir -m 700 keys
key() {
    (umask 077 && plain genpkey -algorithm "$2" -out "keys/$1.pem")
}
for algorithm in RSA ED25519; do
    key $algorithm $algorithm
    meshctl import keys/$algorithm.pem --in-place --role $algorithm
done
finds ok "key file of M.* is usable"
same "$(grep -c "key file of M.* is usable" ends.out)" 2
grep -q "^ok .*all 5 private keys" ends.out

say "a file that holds another key, is open to others, or is gone"
cp -p keys/ED25519.pem kept.pem
key ED25519 ED25519
meshctl lock
finds problem "key file of M.*: key store has another key under this name"
cp -p kept.pem keys/ED25519.pem
chmod 644 keys/ED25519.pem
meshctl lock
finds problem "key file of M.*: unsafe file"
rm keys/ED25519.pem
finds problem "key file of M.*: file error: .*No such file"
cp -p kept.pem keys/ED25519.pem
finds ok "all 5 private keys"

say "a server: no Secret Service"
bus=$DBUS_SESSION_BUS_ADDRESS
export MESH_KEYD_SOCKET=$HOME/server/keyd.sock DBUS_SESSION_BUS_ADDRESS=
mkdir -m 700 server
finds warning "no Secret Service answers  -> it needs the session bus"
same "$(grep -c "key file of M.* is usable" ends.out)" 2
grep "^warning  3 of the 5 private keys" ends.out | grep "KEY FILES"
say "where there is a session bus that this mesh-keyd does not know: a problem"
holder=$(sed -n 's/.*key holder .* process //p' ends.out)
DBUS_SESSION_BUS_ADDRESS=$bus finds problem \
    "mesh-keyd, process $holder, was started without a session bus.*; end that"
openssl dgst -sha256 -sign mesh://device/RSA -out sig kept.pem
say "nor key files: a problem"
for role in RSA ED25519; do
    meshctl delete --yes mesh://device/$role
done
finds problem "no Secret Service answers"
same "$(grep -c ^problem ends.out)" 1
