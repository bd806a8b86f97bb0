#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the first applications of the Mesh left on a Windows: keys in containers
# of CryptoAPI, their names and files in the registry as they wrote them.  No
# double is here: registry, containers and certificates are Wine's own.
here=$(realpath "$(dirname "$0")")
export MESH_WORDS=$here/words.sh
. "$here/../lib.sh"
folder=$WINEPREFIX/drive_c/users/$(id -un)/AppData/Roaming/CryptoMesh
root='HKCU\Software\CryptoMesh'

# enter KEY VALUE TEXT [TYPE]: into the registry; VALUE "" is the key's own.
enter() {
    local value=(/ve)
    [ -z "$2" ] || value=(/v "$2")
    wine reg add "$root\\$1" "${value[@]}" /t "${4-REG_SZ}" /d "$3" /f \
        > entered 2>&1 || die "$(cat entered)"
}
# octets: of hexadecimal digits, as JOSE writes them.
octets() {
    tr -d '\r\n' | tr a-f A-F | basenc --base16 -d | basenc --base64url -w0 |
        tr -d =
}
# public NAME: the key as a profile has it.
public() {
    local n
    n=$(plain rsa -in "$1.pem" -noout -modulus | sed 's/.*=//' | octets)
    cat << JSON
{"UDF": "$(cat "$1.udf")", "PublicParameters": {"PublicKeyRSA": {
    "kid": "$(cat "$1.udf")", "n": "$n", "e": "AQAB"}}}
JSON
}
# signed KIND IDENTIFIER SIGNER: the payload on stdin, in Signed…Profile.
signed() {
    cat > payload
    cat > unsigned << JSON
{"Signed$1": {"Identifier": "$2", "SignedData": {"unprotected": {"dig": "S512"},
    "payload": "", "signatures": [{"header": {"kid": "$(cat "$3.udf")"}}]}}}
JSON
    OPENSSL_CONF=/dev/null "$here/../store/craft.py" unsigned "$3.pem" \
        'payload = open("payload").read()'
}
untagged() {
    python3 -c 'import json, sys
print(json.dumps(*json.load(open(sys.argv[1])).values()))' "$1"
}

say "keys in containers of their own names, the first with a certificate"
for name in sign auth encrypt master online; do
    plain genpkey -algorithm RSA -outform DER -out $name.der 2> /dev/null
    plain pkey -in $name.der -out $name.pem
    plain pkey -in $name.pem -pubout -out $name.pub
done
plain req -x509 -key sign.pem -subj /CN=alice -days 9 -outform DER -out my.crt
wine "$MESH_WINDOWS_BUILD/make_container.exe" sign.der my.crt > sign.udf
for name in auth encrypt master online; do
    wine "$MESH_WINDOWS_BUILD/make_container.exe" $name.der > $name.udf
done
sed -i 's/\r$//' ./*.udf
sign=$(cat sign.udf) master=$(cat master.udf)
rm -- *.der

say "their profiles, in the registry of 2017"
mkdir -p "$folder"
signed DeviceProfile "$sign" sign > "$folder/old.mmmd" << JSON
{"DeviceProfile": {"Identifier": "$sign", "Updated": "2017-05-04T03:02:01Z",
    "DeviceSignatureKey": $(public sign),
    "DeviceAuthenticationKey": $(public auth),
    "DeviceEncryptiontionKey": $(public encrypt)}}
JSON
signed MasterProfile "$master" master > master << JSON
{"MasterProfile": {"Identifier": "$master", "Updated": "2017-05-04T03:02:01Z",
    "MasterSignatureKey": $(public master),
    "OnlineSignatureKeys": [$(public online)]}}
JSON
signed PersonalProfile "$master" online > "$folder/old.mmmp" << JSON
{"PersonalProfile": {"Identifier": "$master", "Updated": "2017-05-04T03:02:01Z",
    "SignedMasterProfile": $(untagged master),
    "Devices": [$(untagged "$folder/old.mmmd")], "Applications": []}}
JSON
enter ThisDevice "" "$sign"
enter ThisDevice "$sign" "$(windows_path "$folder/old.mmmd")"
enter PersonalProfiles "" "$master"
enter "PersonalProfiles\\$master" "" "$(windows_path "$folder/old.mmmp")"
enter "PersonalProfiles\\$master" Archive TBS
enter "PersonalProfiles\\$master" Portals 'alice@example.com\0alice@example.net' \
    REG_MULTI_SZ

say "found by default, fingerprint of profile and key, account"
seq 1 99 > message
signs() {
    openssl dgst "-${3-sha256}" -sign "$1" -out sig message
    plain dgst "-${3-sha256}" -verify "$2.pub" -signature sig message > verified
}
for uri in mesh:device mesh://device/sign "mesh:$sign"; do
    signs "$uri" sign
done
signs "mesh:$(cat auth.udf)" auth
signs "mesh://$master/online" online
signs mesh://alice@example.com/master master
signs mesh://alice@example.net/master master
openssl storeutl -noout -text mesh://device > text
grep -q "^Private-Key: stays with $holder" text || die "$(cat text)"
grep -q "Name: mesh://$sign/encrypt" text || die "$(cat text)"
meshctl verify mesh://personal mesh://device > verified || die "$(cat verified)"

say "signs with each digest of CryptoAPI"
for digest in sha1 md5 sha256 sha384 sha512; do
    signs mesh://device/auth auth $digest
done
fails_with "CryptoAPI does not have the digest" \
    openssl dgst -sha3-256 -sign mesh://device/auth -out sig message
say "no PSS"
fails_with "sign PSS" openssl dgst -sha256 -sign mesh://device/auth \
    -sigopt rsa_padding_mode:pss -out sig message
[[ $out == *"move the key to CNG with meshctl import"* ]] || die "$out"

say "decrypts"
for padding in pkcs1 oaep; do
    plain pkeyutl -encrypt -pubin -inkey encrypt.pub -in encrypt.udf \
        -pkeyopt rsa_padding_mode:$padding -out cipher
    rm -f clear
    openssl pkeyutl -decrypt -inkey mesh://device/encrypt -in cipher \
        -pkeyopt rsa_padding_mode:$padding -out clear
    cmp clear encrypt.udf
    fails_with "cannot be decrypted" openssl pkeyutl -decrypt -in cipher \
        -inkey mesh://device/auth -pkeyopt rsa_padding_mode:$padding -out clear
done
plain pkeyutl -encrypt -pubin -inkey encrypt.pub -in encrypt.udf -out cipher \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
fails_with "OAEP with SHA1" openssl pkeyutl -decrypt -out clear -in cipher \
    -inkey mesh://device/encrypt -pkeyopt rsa_padding_mode:oaep \
    -pkeyopt rsa_oaep_md:sha256

say "the certificate of the MY store is the key's"
openssl storeutl -certs mesh://device/sign > certs
plain x509 -in certs -outform DER | cmp - my.crt
openssl cms -sign -signer mesh://device/sign -inkey mesh://device/sign \
    -in message -out mail
plain cms -verify -in mail -CAfile certs -purpose any -out read 2> verified ||
    die "$(cat verified)"
openssl storeutl -certs mesh://device/auth > none
! grep CERTIFICATE none || die "the other key has one, too"

say "a container that is gone"
meshctl delete mesh://device/auth --yes > deleted 2>&1 || die "$(cat deleted)"
fails_with "$(cat auth.udf)" \
    openssl dgst -sha256 -sign mesh://device/auth -out sig message
