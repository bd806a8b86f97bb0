#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that can be wrong with the set-up is found, one thing at a time.
. "$(dirname "$0")/lib.sh"
# A sanitizer's module loads only where its runtime does: in meshctl it is.
say "a new machine: no problem, but a hint"
has "warning  no profiles" meshctl doctor
device=$(meshctl create device --algorithm P-256)
say "all is well"
meshctl doctor > found || die "$(cat found)"
! grep -v "^ok " found || die "not all is well"
for what in "activates default, then mesh" "module .* loads" \
    "profiles in $HOME/.cryptomesh: 1" "device profile .* verifies" \
    "default device profile" "session bus unix:.* answers" \
    "key holder mesh-keyd" "Secret Service answers" "all 3 private keys"; do
    grep -q "^ok .*$what" found || die "no '$what'"
done
meshctl doctor --json | grep -q '"status": "ok"'
! grep "guid=" found || die "more than an address"

say "openssl.cnf"
cp openssl.cnf good.cnf
sed -i '/^mesh = /d' openssl.cnf
finds warning "does not activate mesh"
sed '/^default = /d' good.cnf > openssl.cnf
finds problem "activates mesh but not default"
sed -e '/^default = /{h;d}' -e '/^mesh = /G' good.cnf > openssl.cnf
finds warning "activates mesh before default"
echo "[[[" > openssl.cnf
finds problem "line 1: malformed"
OPENSSL_CONF=$HOME/missing.cnf finds warning "cannot be read"
cp good.cnf openssl.cnf
say "the module"
OPENSSL_MODULES=$HOME finds problem "module $HOME/mesh.so not found"
echo nothing > mesh.so
OPENSSL_MODULES=$HOME finds problem "module $HOME/mesh.so does not load"
rm mesh.so
say "permissions and profiles"
chmod 777 .cryptomesh
finds problem "unsafe file"
chmod 700 .cryptomesh
file=.cryptomesh/${device#mesh://}/${device#mesh://}.mmm
cp "$file" good.mmm
head -c 200 good.mmm > "$file"
finds problem "malformed profile.*'meshctl repair --all' writes it back"
mv "${file%.mmm}.all.mmm" archive
finds problem "malformed profile.*-> get it by 'meshctl refresh'"
mv archive "${file%.mmm}.all.mmm"
cp good.mmm "$file"
meshctl describe device newer
cp "$file" newer.mmm
cp good.mmm "$file"
finds warning "is older than the newest in its archive.*meshctl repair"
cp newer.mmm "$file"
other=$(meshctl create device --algorithm P-256)
cp newer.mmm .cryptomesh/${other#mesh://}/${other#mesh://}.mmm
finds problem "profile of another name"
meshctl delete --yes "$other"
meshctl default device --none
finds warning "no default device"
meshctl default device "${device#mesh://}"
say "keys"
meshctl delete --yes mesh://device/auth
finds warning "1 of the 3 private keys"
say "the session and the key holder"
DBUS_SESSION_BUS_ADDRESS='' finds warning "no session bus"
for address in unix:path=/nonexistent unix:abstract=nonexistent; do
    DBUS_SESSION_BUS_ADDRESS=$address,guid=0 \
        finds warning "session bus $address: "
done
DBUS_SESSION_BUS_ADDRESS=tcp:host=localhost finds ok "which was not tried"
holder=$(sed -n 's/.*key holder .* process //p' ends.out)
kill -STOP "$holder"
finds problem "time limit exceeded.*-> end it"
kill -CONT "$holder"
meshctl() {
    "$MESH_BUILD/tools/meshctl" --keyd-path /nonexistent \
        --keyd-socket "$HOME/none/keyd.sock" "$@"
}
finds problem "key holder: cannot start the key holder"
