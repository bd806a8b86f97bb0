#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Deleting asks, and deletes what was named and no more.
. "$(dirname "$0")/lib.sh"
first=$(meshctl create device --algorithm P-256)
second=$(meshctl create device --algorithm P-256)

say "without a terminal and without --yes nothing is deleted"
before=$(state)
for uri in mesh://device mesh://device/auth; do
    fails_with "use --yes" meshctl delete $uri < /dev/null
    fails_with "use --yes" meshctl delete $uri <<< yes
done
ends 1 meshctl delete mesh://device < /dev/null
say "what is not there"
fails_with "unknown fingerprint" \
    meshctl delete --yes mesh://MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
fails_with "no default profile" meshctl delete --yes mesh://web
say "the folder that was searched is named"
fails_with "on this device (in $HOME/.cryptomesh)" \
    meshctl delete --yes mesh://MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
fails_with "on this device (in $HOME/other)" \
    meshctl --home "$HOME/other" show mesh://device
fails_with "on this device (in $HOME/.cryptomesh)" \
    meshctl show mesh://nobody@example.net
fails_with "no such key" meshctl delete --yes mesh://device/nosuch
ends 2 meshctl delete --yes
say "type= narrows what is found, not what would be deleted"
fails_with "leave out type=" meshctl delete --yes "mesh://device?type=cert"
same "$(state)" "$before"

if command -v expect > /dev/null; then
    say "on a terminal it asks"
    cat > delete.exp <<'EXPECT'
set timeout 30
spawn -noecho $env(MESH_BUILD)/tools/meshctl delete {*}[lrange $argv 1 end]
expect "Type yes: "
send "[lindex $argv 0]\r"
expect eof
exit [lindex [wait] 3]
EXPECT
    fails_with "nothing was deleted" expect delete.exp no mesh://device/auth
    fails_with "nothing was deleted" expect delete.exp y mesh://device/auth
    say "it says what goes with it"
    fails_with "signs device profile ${first#mesh://}, which can never be" \
        expect delete.exp no mesh://device/sign
    fails_with "3 private keys of device profile ${first#mesh://} are here: they \
stay" expect delete.exp no mesh://device
    fails_with "are here: they go, too" expect delete.exp no mesh://device --keys
    same "$(state)" "$before"
    personal=$(meshctl create personal --algorithm P-256)
    fails_with "personal profile ${personal#mesh://} contains this device" \
        expect delete.exp no mesh://device
    fails_with "signs the master profile in personal profile" \
        expect delete.exp no mesh://personal/master
    meshctl delete --yes --keys "$personal"
    same "$(state)" "$before"
    expect delete.exp yes mesh://device/auth
else
    meshctl delete --yes mesh://device/auth
fi
say "a key: its private half alone"
has "held: no" meshctl show mesh://device/auth
same "$(keys)" 5
fails_with "private key not held" meshctl delete --yes mesh://device/auth

say "a role is free again when its key is gone"
genpkey() {
    openssl genpkey -propquery '?provider=mesh' -algorithm ED25519 \
        -pkeyopt role:rot -out rot.pem "$@"
}
genpkey
fails_with "or take another role" genpkey
meshctl delete --yes mesh://device/rot
genpkey
openssl pkey -noout -in mesh://device/rot
meshctl verify mesh://device
say "also that of a key whose private half is gone already"
cp -r .cryptomesh before
meshctl delete --yes mesh://device/rot
rm -r .cryptomesh
mv before .cryptomesh
has "held: no" meshctl show mesh://device/rot
meshctl delete --yes mesh://device/rot
fails_with "no such key" meshctl show mesh://device/rot
has "1 of the 3 private keys" meshctl doctor
say "where the profile cannot be signed the public half stays, which is said"
genpkey
meshctl delete --yes mesh://device/sign
has "still has the public one" meshctl delete --yes mesh://device/rot
has "held: no" meshctl show mesh://device/rot
same "$(keys)" 4

say "a profile: its files and its default; its keys stay, unless --keys"
touch ".cryptomesh/${first#mesh://}/${first#mesh://}.all.mmm"
meshctl delete --yes mesh://device
same "$(meshctl list | wc -l)" 1
same "$(meshctl default)" ""
same "$(keys)" 4
[ ! -e ".cryptomesh/${first#mesh://}" ] || die "its folder is still there"
meshctl delete --yes --keys "$second"
same "$(meshctl list)" ""
same "$(keys)" 1

say "keys that no profile has, by their fingerprint"
for udf in $(meshctl list --keys | awk '{ print $2 }'); do
    meshctl delete --yes "mesh://$udf"
done
same "$(keys)" 0

say "a profile that does not verify any more"
uri=$(meshctl create device --algorithm P-256)
echo broken > ".cryptomesh/${uri#mesh://}/${uri#mesh://}.mmm"
fails_with "its keys are not known" meshctl delete --yes --keys "$uri"
say "nor the keys of another one whose file lies in its place"
other=$(meshctl create device --algorithm P-256)
cp ".cryptomesh/${other#mesh://}/${other#mesh://}.mmm" \
    ".cryptomesh/${uri#mesh://}/${uri#mesh://}.mmm"
before=$(keys)
fails_with "profile of another name" meshctl delete --yes --keys "$uri"
same "$(keys)" "$before"
meshctl delete --yes --keys "$other"
same "$(keys)" "$((before - 3))"
has "${uri#mesh://}" meshctl list
meshctl delete --yes "$uri"
same "$(meshctl list)" ""
