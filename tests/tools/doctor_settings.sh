#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What openssl.cnf sets for the provider is what doctor looks at.
. "$(dirname "$0")/lib.sh"
meshctl create device --algorithm P-256
cp openssl.cnf good.cnf
# set_to LINE: it stands in the provider's section, alone of its name.
set_to() {
    sed -e "/^${1%% =*} =/d" -e "/^\[mesh_provider\]/a $1" good.cnf \
        > openssl.cnf
}
say "profiles elsewhere"
set_to "home = $HOME/other"
finds warning "home = $HOME/other for programs, meshctl uses $HOME/.cryptomesh"
grep -q "^warning  no profiles in $HOME/other" ends.out
fails_with "no default profile" openssl pkey -in mesh://device -pubout
meshctl --home "$HOME/.cryptomesh" doctor > found
grep -q "^warning .*home = $HOME/other .*checked below is meshctl's" found
grep -q "^ok .*profiles in $HOME/.cryptomesh: 1" found
say "another key holder"
meshctl() {
    "$MESH_BUILD/tools/meshctl" "$@"
}
set_to "keyd-path = /nowhere/mesh-keyd"
finds warning "keyd-path = /nowhere/mesh-keyd for programs"
grep -q "^warning  /nowhere/mesh-keyd, which will be started" ends.out
set_to "keyd-socket = $HOME/none/keyd.sock"
sed -i "s|^keyd-path = .*|keyd-path = /nowhere/mesh-keyd|" openssl.cnf
finds problem "key holder: cannot start the key holder: .*/nowhere/mesh-keyd"
grep -q "^warning .*keyd-socket = $HOME/none/keyd.sock" ends.out

say "the meshctl that a missing profile is got by, if that is wanted"
set_to "meshctl-path = /nowhere/meshctl"
finds ok "activates default, then mesh"
! grep -q /nowhere ends.out || die "nobody would start it"
sed -i '/^\[mesh_provider\]/a refresh = on-missing' openssl.cnf
finds problem "on-missing: meshctl cannot be started: /nowhere/meshctl"
cp "$MESH_BUILD/tools/meshctl" mine
sed -i "s|^meshctl-path = .*|meshctl-path = $HOME/mine|" openssl.cnf
for mode in 777 644; do
    chmod $mode mine
    finds problem "refresh = on-missing: meshctl is not started from $HOME/mine"
done
chmod 755 mine
finds ok "$HOME/mine, which gets missing profiles"

say "a name that nobody knows does nothing"
set_to "promt = never"
finds warning "\[mesh_provider\] of openssl.cnf: 'promt' is no setting of mesh"
say "a value that does not fit, the provider refuses"
for setting in "prompt = sometimes" "prompt-timeout = 0" "home = relative" \
    "refresh = always"; do
    set_to "$setting"
    finds problem "\[mesh_provider\] of openssl.cnf: $setting: "
    same "$(grep -c ^problem ends.out)" 1
    ! openssl pkey -in mesh://device -pubout > /dev/null 2>&1 || die "it works"
done
say "names of OpenSSL's own, and good values"
set_to "prompt = never"
printf '%s\n' "[mesh_provider]" "identity = mesh" "2.activate = 1" \
    "prompt-timeout = 5" "refresh = never" "keystore = auto" >> openssl.cnf
finds ok "activates default, then mesh"
! grep -v "^ok" ends.out | grep -v keyd-path || die "not all is well"
