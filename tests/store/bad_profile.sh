#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A profile's file with something wrong in it: openssl and meshctl say what, no
# key of it is used, and the file stays as it is.
craft=$(realpath "$(dirname "$0")/craft.py")
. "$(dirname "$0")/../lib.sh"
udf() {
    meshctl "$@" | sed 's|mesh://||'
}
device=$(udf create device)
other=$(udf --home "$HOME/other" create device)
file=$HOME/.cryptomesh/$device/$device.mmm
plain genpkey -algorithm RSA -out stolen.key
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
# refuses REASON DETAIL [URI]: all do, and nothing has changed.  Then the good
# files are put back.
refuses() {
    uri=${3-mesh://device}
    say "$1: $2"
    before=$(state)
    rm -f sig pub
    says "$1" "$2" openssl dgst -sha256 -sign $uri/sign -out sig openssl.cnf
    says "$1" "$2" openssl pkey -in $uri/sign -pubout -out pub
    says "$1" "$2" meshctl verify $uri
    [ ! -s sig ] && [ ! -s pub ] || die "something was made"
    [ "$(state)" = "$before" ] || die "files have changed"
    rm -rf .cryptomesh
    cp -a good .cryptomesh
}

rm "$file"
refuses "profile missing" "$file: no such file"
truncate -s 1000 "$file"
refuses "malformed profile" "$file: line 9, column 765: the text is truncated"
echo "no JSON" > "$file"
refuses "malformed profile" "$file: line 1, column 1: "
python3 -c 'print("[" * 10000 + "]" * 10000)' > "$file"
refuses "malformed profile" "$file: line 1, column 66: nested too deeply"
truncate -s 100M "$file"
refuses "file too large" "$file has 104857600 octets, at most 16777216 are read"
sed -i s/DeviceProfiles/PersonalProfiles/ .cryptomesh/profiles.json
refuses "wrong kind of profile" \
    "$file: a DeviceProfile where the layout has personal" mesh://personal
cat "other/$other/$other.mmm" > "$file"
refuses "profile of another name" \
    "$file: the profile is $other, the layout says $device"

# crafted SIGNER CHANGE [FILE]: a profile with this change, signed so.
crafted() {
    "$craft" "${3-good/$device/$device.mmm}" "$1" "$2" > made
    cat made > "$file"
}
bit='payload = payload.replace("Description", "Eescription")'
crafted nobody "$bit"
refuses "payload changed" "$file: the payload is not the one that was signed"
say "val is right, the signature is not"
crafted digest "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
say "another key has signed, with our key's name, and with its own"
crafted stolen.key "$bit"
refuses "bad signature" "$file: the signature by $device is wrong"
crafted digest "signature['header']['kid'] = '$other'"
refuses "signed by the wrong key" "$file: the signature by $other, another key"
say "a profile that is right in itself, but for its name"
own="mesh://device/sign"
CRYPTOMESH_HOME=$HOME/other crafted $own "
payload = payload.replace('\"Identifier\":\"$other', '\"Identifier\":\"$device')
signed['Identifier'] = '$device'" "other/$other/$other.mmm"
refuses "profile of another name" \
    "$file: Identifier $device is not the fingerprint of a DeviceSignatureKey"
auth=$(meshctl show $own/auth)
