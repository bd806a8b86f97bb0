#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What meshctl.exe writes to the registry: the keys, values and types of the
# Mesh's platform draft; what others have there stays.
here=$(realpath "$(dirname "$0")")
export MESH_WORDS=$here/words.sh
. "$here/../lib.sh"
root='HKEY_CURRENT_USER\Software\CryptoMesh'
folder='C:\users\'$(id -un)'\AppData\Roaming\CryptoMesh'

# layout: each line is KEY|VALUE|TYPE|DATA of the registry, sorted.
layout() {
    wine reg query "$root" /s 2> /dev/null | tr -d '\r' | awk -v root="$root" '
        index($0, root) == 1 { key = substr($0, length(root) + 2) }
        /^    / { gsub(/^    |    $/, ""); gsub(/    /, "|"); print key "|" $0 }
    ' | LC_ALL=C sort
}
# is LINE...: that is all there is.
is() {
    layout > found
    printf '%s\n' "$@" | LC_ALL=C sort | diff - found || die "(< wanted, > found)"
}
# file UDF [ENDING]
file() {
    echo "$folder\\$1\\$1${2-}.mmm"
}
add() {
    wine reg add "$root\\$1" /v "$2" /t "$3" /d "$4" /f > /dev/null
}

say "a device"
one=$(meshctl create device --algorithm P-256)
one=${one#mesh://}
is "DeviceProfiles|(Default)|REG_SZ|$one" \
    "DeviceProfiles|$one|REG_SZ|$(file "$one")"
[ -f "$(wine winepath -u "$(file "$one")" | tr -d '\r')" ] || die "no file"
say "another one; the first stays the default"
two=$(meshctl create device --algorithm P-256)
two=${two#mesh://}
is "DeviceProfiles|(Default)|REG_SZ|$one" \
    "DeviceProfiles|$one|REG_SZ|$(file "$one")" \
    "DeviceProfiles|$two|REG_SZ|$(file "$two")"

say "default sets and removes the key's own value"
meshctl default device "$two"
layout | grep -qFx "DeviceProfiles|(Default)|REG_SZ|$two" || die "$(layout)"
meshctl default device --none
! layout | grep "DeviceProfiles|(Default)" || die "a default"
meshctl default device "$one"

say "a person: a key, with accounts in their order; a type of applications"
me=$(meshctl create personal --algorithm P-256 --portal zoe@example.net \
    --portal alice@example.com)
me=${me#mesh://}
ssh=$(meshctl create application ssh)
ssh=${ssh#mesh://}
device=("DeviceProfiles|(Default)|REG_SZ|$one"
    "DeviceProfiles|$one|REG_SZ|$(file "$one")")
second="DeviceProfiles|$two|REG_SZ|$(file "$two")"
person=("PersonalProfiles|(Default)|REG_SZ|$me"
    "PersonalProfiles\\$me|(Default)|REG_SZ|$(file "$me")"
    "PersonalProfiles\\$me|Archive|REG_SZ|$(file "$me" .all)"
    "PersonalProfiles\\$me|Portals|REG_MULTI_SZ|zoe@example.net\\0alice@example.com")
is "${device[@]}" "$second" "${person[@]}" \
    "ApplicationProfiles|SSH|REG_SZ|$ssh" \
    "ApplicationProfiles|$ssh|REG_SZ|$(file "$ssh")"

say "values of others stay, whatever is changed"
add DeviceProfiles Colour REG_DWORD 7
add "PersonalProfiles\\$me" Note REG_EXPAND_SZ '%PATH%'
add Elsewhere Data REG_BINARY 00ff
others=("DeviceProfiles|Colour|REG_DWORD|0x7" "Elsewhere|Data|REG_BINARY|00FF")
person+=("PersonalProfiles\\$me|Note|REG_EXPAND_SZ|%PATH%")
meshctl default ssh --none
is "${device[@]}" "$second" "${person[@]}" "${others[@]}" \
    "ApplicationProfiles|$ssh|REG_SZ|$(file "$ssh")"
meshctl delete "mesh://$ssh" --yes 2> /dev/null
is "${device[@]}" "$second" "${person[@]}" "${others[@]}"
meshctl delete "mesh://$two" --keys --yes 2> /dev/null
is "${device[@]}" "${person[@]}" "${others[@]}"
meshctl delete "mesh://$me" --keys --yes 2> /dev/null
is "${device[@]}" "${others[@]}"

say "values of another type, and names that nobody has, are passed over"
openssl pkey -in mesh://device -pubout -out pub
add DeviceProfiles "$one" REG_DWORD 1
fails_with "no default for" openssl pkey -in mesh://device -pubout
add DeviceProfiles "$one" REG_EXPAND_SZ '%APPDATA%\CryptoMesh\'"$one\\$one.mmm"
openssl pkey -in mesh://device -pubout -out pub
wine reg add "$root\\DeviceProfiles" /ve /d nobody /f > /dev/null
fails_with "no default for" openssl pkey -in mesh://device -pubout

say "another root"
meshctl --home 'SOFTWARE\Elsewhere' create device --algorithm P-256 > other
wine reg query 'HKCU\SOFTWARE\Elsewhere\DeviceProfiles' > query
grep -q "$(tr -d '\r' < other | sed 's|mesh://||')" query || die "$(cat query)"
fails_with "below HKEY_CURRENT_USER is wanted" meshctl --home 'HKEY_LOCAL_MACHINE\SOFTWARE' list
