#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# meshctl.exe publishes and refreshes at the portal of tests/tools, and says
# what is wrong with a bad one.
here=$(realpath "$(dirname "$0")")
export MESH_WORDS=$here/words.sh
. "$here/../tools/lib.sh"
. "$here/../tools/portal_lib.sh"
folder=$WINEPREFIX/drive_c/users/$(id -un)/AppData/Roaming
unset SSL_CERT_FILE
ca=$(windows_path ca.crt)
# alice COMMAND..., bob COMMAND...: each with a layout of his own.
alice() {
    unix meshctl "$@"
}
bob() {
    unix meshctl --home 'SOFTWARE\Bob' "$@"
}
# state: what Alice has.
state() {
    find "$folder/CryptoMesh" -type f ! -name '*lock*' -exec sha256sum {} + |
        sort
    wine reg query 'HKCU\SOFTWARE\CryptoMesh' /s
}
for name in alice bob; do
    $name create device --algorithm P-256 > /dev/null
    $name create personal --algorithm P-256 --description $name \
        --portal $name@$good > $name.uri
done
alice=$(cat alice.uri) bob=$(cat bob.uri)

say "whose certificate is by nobody that Windows trusts, or that we say"
before=$(state)
fails_with "its TLS certificate is not accepted" alice publish
fails_with "its TLS certificate is not accepted" \
    alice publish --cacert "$(windows_path stranger.crt)"
fails_with "ca.missing: No such file" alice publish --cacert 'C:\ca.missing'
say "published and found, with --cacert and with the environment's file"
for name in alice bob; do
    has "published at $good" $name publish --cacert "$ca"
done
ends 3 alice refresh --cacert "$ca"
grep -qx "$alice: unchanged" ends.out || die "$(cat ends.out)"
export SSL_CERT_FILE=$ca
ends 3 alice refresh
same "$(state)" "$before"

say "another person: added, followed, by the registry"
has "$bob: added" alice refresh bob@$good
wine reg query "HKCU\\SOFTWARE\\CryptoMesh\\PersonalProfiles\\${bob#mesh://}" \
    > query
grep -q "Portals *REG_MULTI_SZ *bob@$good" query || die "$(cat query)"
openssl pkey -in "mesh://bob@$good/sign" -pubout -out bob.pub
sleep 1 # versions differ by seconds
bob create application ssh > /dev/null
bob publish > published
ends 0 alice refresh --all
same "$(sort ends.out)" "$(printf "$alice: unchanged\n$bob: changed" | sort)"
cmp "$folder"/{CryptoMesh,Bob}/"${bob#mesh://}/${bob#mesh://}.mmm"

say "a server of files"
cp "$folder/Bob/${bob#mesh://}/${bob#mesh://}.mmm" files/.well-known/mmm/
ends 3 bob refresh --portal $files
fails_with "HTTP status 403: no portal" bob publish --portal $files

# refuses TEXT [OPTION...]: refresh fails with it, and nothing changes.
refuses() {
    say "$1"
    fails_with "$1" alice refresh "$alice" "${@:2}"
    same $status 1
    same "$(state)" "$before"
}
before=$(state)
refuses "(error 10061)" --portal $closed # WSAECONNREFUSED
refuses "no-such-host.invalid: DNS does not have this name" \
    --portal no-such-host.invalid
refuses "SSL: no alternative certificate subject" --portal $wrong
refuses "certificate has expired" --portal $old
answers status 503
refuses "$good: HTTP status 503"
answers html
refuses "$good answers with an HTML page instead of JSON"
answers refused
refuses "$good: status 403 (closed?[2J for today)"
answers endless
refuses "$good: the answer is longer than 16 MiB"
answers mute
refuses "portal $good: Operation timed out after 1" --timeout 1
answers redirect $plain/.well-known/mmm/
refuses "$good redirects to $plain/.well-known/mmm/, which is not https"
python3 -c 'import json, sys
print(json.dumps([json.load(open(sys.argv[1]))]))' \
    files/.well-known/mmm/*.mmm > entries
answers entries "$HOME/entries"
refuses "profile of another name: ${alice#mesh://}: portal $good: "
no_private_export
