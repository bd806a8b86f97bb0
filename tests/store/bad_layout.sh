#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Something is wrong with profiles.json or its folder: nothing is listed, signed
# or made.
. "$(dirname "$0")/../bad_input.sh"
json=$HOME/.cryptomesh/profiles.json
create="meshctl create device --algorithm P-256"
# lists_nothing WORDS...: but says them, in this order.
lists_nothing() {
    out=$(openssl storeutl -noout mesh: 2>&1) || true # 3.0: 0 after errors
    [[ $out != *"Name: mesh://"* ]] || die "it lists: $out"
    for word in "$@"; do
        [[ $out == *"$word"* ]] || die "no '$word' in the listing: $out"
        out=${out#*"$word"}
    done
}
# refuses REASON DETAIL: then the good files are put back.
refuses() {
    say "$1: ${2#"$json"}"
    before=$(state)
    cannot_sign "$1" "$2" mesh://device/sign
    cannot_sign "$1" "$2" "mesh://$key"
    lists_nothing "$1:" "$2"
    for command in "meshctl list" "$create" "meshctl default device $device"; do
        says "$1" "$2" $command
    done
    [ "$(state)" = "$before" ] || die "files have changed"
    rm -rf .cryptomesh
    cp -a good .cryptomesh
}
say "absent: empty listings, which make nothing"
lists_nothing
[[ $(openssl storeutl -noout mesh: 2>&1) != *rror* ]] || die "an error"
[ -z "$(meshctl list)" ] || die "something is listed"
cannot_sign "no default profile" 'no default for "device" on this device' \
    mesh://device/sign
[ ! -e .cryptomesh ] || die "a folder was made"

device=$($create | sed 's|mesh://||')
key=$(fingerprint auth)
cp -a .cryptomesh good
truncate -s 100 "$json"
refuses "malformed profiles.json" "$json, line 4, column 31: premature end"
echo '["DeviceProfiles"]' > "$json"
refuses "malformed profiles.json" "$json, line 1, column 1: an object is wanted"
sed -i 's/M[^"]*": {/device": {/' "$json"
refuses "malformed profiles.json" \
    "$json: \"device\" in DeviceProfiles is no fingerprint"
python3 -c 'print("{\"a\":" * 10000 + "1" + "}" * 10000)' > "$json"
refuses "malformed profiles.json" "$json"
truncate -s 100M "$json"
refuses "file too large" "$json has 104857600 octets, at most 67108864 are read"
rm "$json"
mkdir -m 700 "$json"
refuses "unsafe file" "$json is a folder, not a regular file"
for target in good/profiles.json missing.json; do
    ln -sf "$HOME/$target" "$json"
    refuses "unsafe file" "$json is a symbolic link, which is not followed"
done
[ ! -e missing.json ] || die "a file was made through the link"
chmod 0662 "$json"
refuses "unsafe file" "$json has mode 0662, others may write it: chmod go-w"
chmod 0770 .cryptomesh
refuses "unsafe file" "$HOME/.cryptomesh has mode 0770, others may write it"
for path in "../x.mmm" "$device/../../x.mmm" "/tmp/../x.mmm"; do
    sed -i "s|\"File\": \".*\"|\"File\": \"$path\"|" "$json"
    refuses "unsafe path" \
        "$path, the file of $device in $json: \"..\" is not allowed"
done

say "an ambiguous fingerprint: both are named, and each alone is another error"
name=RAAAA-AAAAA-AAAAA-AAAAA-AAAAA
two="\"$name-AAAAA\": {}, \"$name-AAAAB\": {}"
sed -i "1s/{/{ \"ApplicationProfiles\": { $two },/" "$json"
cannot_sign "ambiguous fingerprint" "$name may be $name-AAAAA or $name-AAAAB" \
    "mesh://$name"
cannot_sign "profile missing" "$name-AAAAB.mmm: no such file" "mesh://$name-AAAAB"

say "nothing was made in the key store, and the good files are good"
[ "$(meshctl list --keys | grep -c ^key)" = 3 ] || die "$(meshctl list --keys)"
signs mesh://device/sign

say "nested deeply, in a thread with a small stack"
python3 -c 'print("{\"a\":" * 10000 + "1" + "}" * 10000)' > "$json"
small_stack cannot_sign "malformed profiles.json" "$json" mesh://device
