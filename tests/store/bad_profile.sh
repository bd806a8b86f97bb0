#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A profile's file with something wrong in it: openssl and meshctl say what, no
# key of it is used, and the file stays as it is.
craft=$(realpath "$(dirname "$0")/craft.py")
. "$(dirname "$0")/../lib.sh"
command -v python3 > /dev/null || { echo "skipped: needs python3"; exit 77; }
device=$(meshctl create device | sed 's|mesh://||')
other=$(meshctl --home "$HOME/other" create device | sed 's|mesh://||')
file=$HOME/.cryptomesh/$device/$device.mmm
key=mesh://device/sign
auth=$(meshctl show mesh://device | sed -n 's/^key  *auth  RSA-2048  \(M[^ ]*\).*/\1/p')
encrypt=$(meshctl show mesh://device | sed -n 's/^key  *encrypt  RSA-2048  \(M[^ ]*\).*/\1/p')
plain genpkey -algorithm RSA -out stranger.key 2> /dev/null
cp -a .cryptomesh good
state() {
    find .cryptomesh -printf '%M %p %l\n' | sort
    find .cryptomesh -type f -exec sha256sum {} + | sort
}
# says REASON DETAIL COMMAND...: it fails, with both in its output.
says() {
    fails_with "$1:" "${@:3}"
    [[ $out == *"$2"* ]] || die "no '$2' in the output of: ${*:3}: $out"
}
# refuses REASON DETAIL [PROFILE]: nothing is made, nothing has changed.  Then
# the good files are put back.
refuses() {
    say "$1: ${2#"$file: "}"
    uri=mesh://${3-device}/sign
    before=$(state)
    rm -f sig pub
    says "$1" "$2" openssl dgst -sha256 -sign "$uri" -out sig openssl.cnf
    says "$1" "$2" openssl pkey -in "$uri" -pubout -out pub
    says "$1" "$2" meshctl verify "${uri%/sign}"
    [ ! -s sig ] && [ ! -s pub ] || die "something was made"
    [ "$(state)" = "$before" ] || die "files have changed"
    rm -rf .cryptomesh
    cp -a good .cryptomesh
}

rm "$file"
refuses "profile missing" "$file: no such file"
truncate -s 1000 "$file"
refuses "malformed profile" "$file: line 8, column 841: the text is truncated"
echo "no JSON" > "$file"
refuses "malformed profile" "$file: line 1, column 3: "
python3 -c 'print("[" * 10000 + "]" * 10000)' > "$file"
refuses "malformed profile" "$file: line 1, column 66: nested too deeply"
truncate -s 100M "$file"
refuses "file too large" "$file has 104857600 octets, at most 16777216 are read"
sed -i s/DeviceProfiles/PersonalProfiles/ .cryptomesh/profiles.json
refuses "wrong kind of profile" \
    "$file: a DeviceProfile where the layout has personal profiles" personal
cat "other/$other/$other.mmm" > "$file"
refuses "profile of another name" \
    "$file: the profile is $other, the layout says $device"

# crafted SIGNER CHANGE [FILE]: a changed profile in its place.
crafted() {
    "$craft" "${3-good/$device/$device.mmm}" "$1" "$2" > changed.mmm
    cat changed.mmm > "$file"
}
bit='payload = payload.replace("Description", "Eescription")' # D is 44, E is 45
crafted none "$bit"
refuses "payload changed" "$file: the payload is not the one that was signed"
say "the digest of the payload is right, the signature is of the old one"
crafted digest "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
say "signed by another key: in our key's name, and in its own"
crafted stranger.key "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
crafted stranger.key "signature['header']['kid'] = '$other'"
refuses "signed by the wrong key" "$file: the signature is by $other, another key"
say "the other device's profile, right but for its name"
as_ours="outer['Identifier'] = '$device'
payload = payload.replace('Identifier\":\"$other', 'Identifier\":\"$device')"
CRYPTOMESH_HOME=$HOME/other crafted $key "$as_ours" "other/$other/$other.mmm"
refuses "profile of another name" \
    "$file: Identifier $device is not the fingerprint of a DeviceSignatureKey"
say "well signed by our key, but a key has the fingerprint of another one"
crafted $key "payload = payload.replace('$auth', '$encrypt')"
refuses "key does not have its fingerprint" \
    "$file: $encrypt is not the fingerprint of the DeviceAuthenticationKey"
say "a change that is signed by our key is none to refuse"
crafted $key "$bit"
meshctl verify mesh://device
openssl dgst -sha256 -sign $key -out sig openssl.cnf
