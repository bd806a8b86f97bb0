#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A profile's file with something wrong in it: no key of it is used.  A key with
# something wrong in it: that one is not.
. "$(dirname "$0")/../bad_input.sh"
device=$(meshctl create device | sed 's|mesh://||')
other=$(meshctl --home "$HOME/other" create device | sed 's|mesh://||')
auth=$(fingerprint auth) encrypt=$(fingerprint encrypt)
file=$HOME/.cryptomesh/$device/$device.mmm
plain genpkey -algorithm RSA -out stranger.key 2> /dev/null
rm .cryptomesh/*/*.all.mmm # no archive to take a good one from
cp -a .cryptomesh good
# refuses REASON DETAIL [PROFILE]: then the good files are put back.
refuses() {
    uri=mesh://${3-device}
    say "$1: ${2#"$file: "}"
    before=$(state)
    cannot_sign "$1" "$2" "$uri/sign"
    says "$1" "$2" openssl pkey -in "$uri/sign" -pubout -out pub
    [ ! -s pub ] || die "there is a public key"
    says "$1" "$2" meshctl verify "$uri"
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
small_stack cannot_sign "malformed profile" "nested too deeply" mesh://device
refuses "malformed profile" "$file: line 1, column 66: nested too deeply"
truncate -s 100M "$file"
refuses "file too large" "$file has 104857600 octets, at most 16777216 are read"
chmod 0646 "$file"
refuses "unsafe file" "$file has mode 0646, others may write it"
sed -i s/DeviceProfiles/PersonalProfiles/ .cryptomesh/profiles.json
refuses "wrong kind of profile" \
    "$file: a DeviceProfile where the layout has personal profiles" personal
cat "other/$other/$other.mmm" > "$file"
refuses "profile of another name" \
    "$file: the profile is $other, the layout says $device"

# crafted SIGNER CHANGE [FILE]: a changed profile in its place.
crafted() {
    "$tests/store/craft.py" "${3-good/$device/$device.mmm}" "$1" "$2" \
        > changed.mmm
    cat changed.mmm > "$file"
}
bit='payload = payload.replace("Description", "Eescription")' # 0x44, 0x45
crafted none "$bit"
refuses "payload changed" "$file: the payload is not the one that was signed"
say "the digest of the payload is right, the signature is that of the old one"
crafted digest "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
say "signed by another key: in our key's name, and in another's"
crafted stranger.key "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
crafted stranger.key "signature['header']['kid'] = '$other'"
refuses "signed by the wrong key" \
    "$file: the signature is by $other, another key"
say "the other device's, right but for the name"
CRYPTOMESH_HOME=$HOME/other crafted mesh://device/sign "
payload = payload.replace('Identifier\":\"$other', 'Identifier\":\"$device')
outer['Identifier'] = '$device'" "other/$other/$other.mmm"
refuses "profile of another name" \
    "$file: Identifier $device is not the fingerprint of a DeviceSignatureKey"
say "signed by our key, but one key has the fingerprint of another"
crafted mesh://device/sign "payload = payload.replace('$auth', '$encrypt')"
reason="key does not have its fingerprint"
detail="$file: $encrypt is not the fingerprint of the DeviceAuthenticationKey"
says "$reason" "$detail" meshctl verify mesh://device
says "$reason" "$detail" openssl pkey -in mesh://device/auth -pubout -out pub
[ ! -s pub ] || die "there is a public key"
cannot_sign "$reason" "$detail" mesh://device/auth
cannot_sign "unknown fingerprint" "${detail#"$file: "}" "mesh://$auth"
openssl pkey -in "mesh://$encrypt" -pubout > both
plain pkey -pubin -in both -outform DER > /dev/null || die "no key"
signs mesh://device/sign
say "signed by our key, and nothing is wrong"
crafted mesh://device/sign "$bit"
signs mesh://device/sign
