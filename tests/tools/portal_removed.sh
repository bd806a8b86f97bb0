#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a removed key signed comes from a portal: it is refused, with a text of
# its own, and nothing changes, however new it is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/portal_lib.sh"
first=$(meshctl create device --algorithm P-256)
personal=$(meshctl create personal --portal alice@$good)
web=$(meshctl create application web --algorithm P-256)
second=$(meshctl create device --algorithm P-256)
meshctl add device "$second" --admin
meshctl publish
meshctl publish web
# A copy is lost, with the online key, which the key store keeps after rollover.
cp -a .cryptomesh lost
old=$(meshctl reference mesh://personal/online | sed 's,.*/,,')
name=${personal#mesh://}
sleep 1 # versions differ by seconds
new=$(meshctl rollover mesh://personal/online)
meshctl default device "${second#mesh://}"
meshctl remove device "$first"
before=$(state)
# refuses URI TEXT: refresh fails with it; nothing changed, all is of use.
refuses() {
    fails_with "$2" meshctl refresh "$1"
    same $status 1
    same "$(state)" "$before"
    has "signed by ${new#mesh://}" meshctl verify mesh://personal
    has "signed by ${second#mesh://}" meshctl verify mesh://web
}
# lost PROFILE: it is changed there, often enough to be the newest, each change
# being a second later than the one before; and sent to the portal.
lost() {
    for i in {1..5}; do meshctl --home "$HOME/lost" describe "$1" "$i"; done
    meshctl --home "$HOME/lost" publish "$1"
}
say "the removed online key signs with the master profile that listed it"
lost personal
has "signed by $old" meshctl --home "$HOME/lost" verify mesh://personal
refuses personal "$old may be a key that was removed"
refuses personal "older than what is here: $name: portal $good: its master"
say "by hand it does not get into the archive either"
fails_with "may be a key that was removed" \
    meshctl archive personal "lost/$name/$name.mmm"
same "$(state)" "$before"
say "and with the one that does not"
CRYPTOMESH_HOME=$HOME/lost "$tests/../store/craft.py" \
    ".cryptomesh/$name/$name.mmm" "mesh://$old" \
    "signature['header']['kid'] = '$old'" > forged
echo "[$(cat forged)]" > entries
answers entries "$HOME/entries"
refuses personal "signed by $old, which is none of its master profile's"
say "the removed device signs an application"
answers good
lost web
has "signed by ${first#mesh://}" meshctl --home "$HOME/lost" verify mesh://web
refuses web "signed by ${first#mesh://}, which is no device of personal profile \
$name, or no more"
say "what the owner signs next is taken"
cp -a .cryptomesh other
meshctl describe personal mine
meshctl publish
has "$personal: changed" meshctl --home "$HOME/other" refresh personal
