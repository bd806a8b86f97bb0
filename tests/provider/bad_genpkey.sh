#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A key whose reference cannot be written goes again; what OpenSSL does not tell
# us stays where it can be found.
. "$(dirname "$0")/../tools/lib.sh"
version=$(plain version)
by='-propquery ?provider=mesh'
genpkey="genpkey $by -algorithm ED25519 -pkeyopt role:vpn"
meshctl create device --algorithm P-256
before=$(state)
# The keys and roles there were; the profile was signed again.
same_keys() {
    same "$(state | grep -v -e '\.mmm$')" "$(grep -v -e '\.mmm$' <<< "$before")"
    ! meshctl show mesh://device | grep vpn || die "the profile has it"
    meshctl verify mesh://device > /dev/null
}
say "a reference is not encrypted"
fails_with "cannot be encrypted" openssl $genpkey -aes256 -pass pass:abcd \
    -out key.pem
same_keys
fails_with "cannot be encrypted" openssl req $by -new -newkey rsa:2048 \
    -pkeyopt role:vpn -passout pass:abcd -keyout key.pem -subj /CN=x -out csr
same_keys
same "$(used delete)" 2

say "what openssl refuses before"
before=$(state)
fails_with "outform" openssl $genpkey -outform nosuch -out key.pem
fails_with "aes512" openssl $genpkey -aes512 -out key.pem
same "$(state)" "$before"

say "a full disk"
openssl $genpkey -out /dev/full 2> error || status=$?
case $version in
"OpenSSL 3.0"*)
    same "${status-0}" 1
    grep -q "file error" error || die "$(cat error)"
    same_keys
    ;;
*) # it writes into memory first, and passes over that it cannot write
    openssl pkey -in mesh://device/vpn -out key.pem
    grep -q "MESH KEY REFERENCE" key.pem
    ;;
esac
say "no folder"
before=$(state)
openssl ${genpkey/vpn/lost} -out nosuch/key.pem 2> error || status=$?
grep -q "nosuch/key.pem" error || die "$(cat error)"
case $version in
"OpenSSL 3.0"*) same "$(state)" "$before" ;; # it opens the file first
*) openssl pkey -in mesh://device/lost -out key.pem ;;
esac
say "req opens its file when the key is there"
fails_with "nosuch/key.pem" openssl req $by -new -newkey rsa:2048 -noenc \
    -pkeyopt role:www -keyout nosuch/key.pem -subj /CN=x -out csr
openssl req -new -key mesh://device/www -subj /CN=x -out csr
meshctl delete --yes mesh://device/www
