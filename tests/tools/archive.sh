#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The archive: a latest copy that is missing, damaged or old is healed from it.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256 | sed 's|mesh://||')
file=.cryptomesh/$device/$device.mmm archive=.cryptomesh/$device/$device.all.mmm
cp -p "$file" first.mmm
plain genpkey "${spare[@]}" -out key.pem
meshctl import key.pem --role extra > uri
cp -p "$file" second.mmm
echo "a message" > message

# uses KEY...: the provider finds these keys, and changes nothing.
uses() {
    before=$(state)
    for key; do
        openssl pkey -in "mesh://device/$key" -pubout -out pub ||
            die "no $key"
    done
    same "$(state)" "$before"
}
# heals TEXT: what the provider does without being told, repair writes back.
heals() {
    say "$1"
    uses sign extra
    has "written back from its archive" meshctl repair mesh://device
    case $out in
    *"; it was: "*"$1"*) ;;
    *) die "$out" ;;
    esac
    cmp <(plain_json < "$file") <(plain_json < second.mmm) ||
        die "not the last version"
    has "$device: good" meshctl repair device
}
plain_json() {
    python3 -c 'import json, sys; print(json.load(sys.stdin))'
}
say "every version is there, one on a line, the newest shown first"
same "$(wc -l < "$archive")" 2
same "$(meshctl log mesh://device | grep -c DeviceProfile)" 2
has "keys: 4, signed by $device, latest copy" meshctl log "$device"
same "$(meshctl log device --json | plain_json | grep -o "'latest': True" |
    wc -l)" 1
has "$device: good" meshctl repair --all

rm "$file"
heals "no such file"
truncate -s 400 "$file"
heals "truncated"
sed -i 's/payload": "../payload": "AA/' "$file"
heals "the payload is not the one that was signed"
for time in 2020-01-01 '1 minute'; do # as it was, and put back later
    cp first.mmm "$file"
    touch -d "$time" "$file"
    heals "older"
done
truncate -s 17M "$file"
heals "octets, at most"
mv "$file" elsewhere
ln -s "$PWD/elsewhere" "$file"
heals "symbolic link"
chmod g+w "$file"
heals "others may write it"

say "the newest that is good, where the last lines are torn or not ours"
meshctl --home "$HOME/other" create device --algorithm P-256 > /dev/null
cat other/*/*.all.mmm >> "$archive"
sed 's/"payload":"../"payload":"AA/' "$archive" | tail -1 >> "$archive"
printf '{"Signed' >> "$archive"
rm "$file"
heals "no such file"
same "$(meshctl log device | grep -c "no good version")" 2
same "$(meshctl log device | grep -c "latest copy")" 1

say "without an archive there is no help, and then one from now on"
rm "$archive"
fails_with "'meshctl repair ${device#mesh://}' begins an archive" \
    meshctl log device
truncate -s 400 "$file"
fails_with "truncated" openssl pkey -in mesh://device/sign -pubout -out pub
fails_with "truncated; its archive has no good version: get one by 'meshctl" \
    meshctl repair device
cp second.mmm "$file"
has "its archive did not have it" meshctl repair device
same "$(meshctl log device | wc -l)" 1

say "by hand: only what is not older, and of this profile"
has "archived already" meshctl archive device
has "archived already" meshctl archive device second.mmm
fails_with "here is the one of" meshctl archive device first.mmm
fails_with "profile of another name" meshctl archive device other/M*/M*[A-Z0-9].mmm
ends 2 meshctl repair
ends 2 meshctl repair device --all
fails_with 'no default for "web"' meshctl log mesh://web
fails_with "is no profile of this device" \
    meshctl log MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
