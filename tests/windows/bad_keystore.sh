#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a user of openssl is told when the key store does not do it, and when
# the registry names something that is no profile.
here=$(realpath "$(dirname "$0")")
export MESH_WORDS=$here/words.sh
. "$here/../bad_input.sh"
folder=$WINEPREFIX/drive_c/users/$(id -un)/AppData/Roaming/CryptoMesh
device=$(meshctl create device --algorithm RSA-2048)
device=${device#mesh://}
file=$folder/$device/$device.mmm
# in_the_registry PATH [TYPE]
in_the_registry() {
    wine reg add 'HKCU\Software\CryptoMesh\DeviceProfiles' /v "$device" \
        /t "${2-REG_SZ}" /d "$1" /f > added || die "$(cat added)"
}
# (bad_input.sh's looks at a Unix)
signs() {
    openssl dgst -sha256 -sign mesh://device/sign -out sig openssl.cnf
    openssl pkey -in mesh://device/sign -pubout -out pub
    plain dgst -sha256 -verify pub -signature sig openssl.cnf > /dev/null
}
signs

say "CNG refuses: the status, the reason, what to do"
while read -r function code reason; do
    NCRYPT_DOUBLE_FAIL="$function=$code" \
        cannot_sign "${reason%%: *}" "${reason#*: }" mesh://device/sign
    # (a key that is not there, or whose device is not, is none)
    [[ $out == *"status 0x$code)"* || $reason == *"holds no"* ]] ||
        die "no $code: $out"
done << 'TABLE'
NCryptSignHash 80090016 private key not held by this device: the key is not there
NCryptSignHash 80090010 operation failed: not permitted: the key belongs to another user
NCryptSignHash 8010006e unlocking was refused: refused by the user
NCryptSignHash 800704c7 unlocking was refused: refused by the user
NCryptSignHash 80090022 key store locked: set prompt = at-use, and use it in a session with a desktop
NCryptSignHash 80090030 operation failed: the device that holds the key was removed, or is not ready
NCryptSignHash 80100069 operation failed: the device that holds the key was removed
NCryptSignHash 8010006b wrong or missing passphrase: the PIN or password is wrong
NCryptSignHash 80280921 wrong or missing passphrase: it opens again by itself
NCryptSignHash 40290423 operation not supported: takes one of the digest's length
NCryptSignHash 80090029 operation not supported: cannot do this with this key
NCryptSignHash 80091234 operation failed: it failed
NCryptOpenKey 80090016 private key not held by this device: this device holds no private key for its DeviceSignatureKey
NCryptOpenKey 80090010 operation failed: not permitted
NCryptOpenKey 80090022 key store locked: set prompt = at-use
NCryptOpenStorageProvider 80090030 private key not held by this device: holds no private key
NCryptOpenStorageProvider 8009000e out of memory: Windows software key store
TABLE
signs

say "keystore = tpm: without one, and with one that has other keys"
cp openssl.cnf auto.cnf
sed -i 's/^\[mesh_provider\]/&\nkeystore = tpm/' openssl.cnf
cannot_sign "operation failed" "keystore = auto does without it" \
    mesh://device/sign
says "operation failed" "keystore = auto does without it" \
    meshctl --keystore tpm create device
export NCRYPT_DOUBLE_TPM=1
cannot_sign "private key not held by this device" "holds no private key" \
    mesh://device/sign
in_tpm=$(meshctl --keystore tpm create device --algorithm RSA-2048)
say "a TPM takes a salt of the digest's length"
openssl dgst -sha256 -sign "$in_tpm/sign" -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:digest -out sig openssl.cnf
rm sig
fails_with "takes one of the digest's length" openssl dgst -sha256 \
    -sign "$in_tpm/sign" -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:10 -out sig openssl.cnf
unset NCRYPT_DOUBLE_TPM
say "its key cannot be used when it is turned off, and the trace says so"
cp auto.cnf openssl.cnf
MESH_PROVIDER_TRACE=$(windows_path trace) \
    cannot_sign "private key not held by this device" "${in_tpm#mesh://}" \
    "$in_tpm/sign"
grep -q "TPM: status 0x80090030" trace || die "$(cat trace)"
signs

say "a file or folder that everybody may write"
chmod 666 "$file"
rm -f "${file%.mmm}.all.mmm"
cannot_sign "unsafe file" "Everyone may write it: icacls \"C:" mesh://device/sign
[[ $out == *"$device.mmm\" /remove:g *S-1-1-0"* ]] || die "no remedy: $out"
chmod 600 "$file"
chmod 777 "${file%/*}"
cannot_sign "unsafe file" "$device: Everyone may write it" mesh://device/sign
chmod 700 "${file%/*}"
signs

say "the registry names what is no profile on a drive of this machine"
while read -r path reason; do
    in_the_registry "$path"
    cannot_sign "${reason%%: *}" "${reason#*: }" mesh://device/sign
    [[ $out == *"$path"* ]] || die "no $path in: $out"
done << 'TABLE'
C:\windows unsafe file: is a folder, not a regular file
C:\windows\none.mmm profile missing: no such file
C:\windows\win.ini malformed profile: line 1, column
Q:\here.mmm file missing: there is no drive Q:
\\server\share\here.mmm unsafe path: on a network or a device; put the file on a drive
//server/share/here.mmm unsafe path: on a network or a device
\\?\C:\here.mmm unsafe path: on a network or a device
C:\windows\nul unsafe path: Windows takes it for a device
C:\windows\..\here.mmm unsafe path: ".." is not allowed
C:here.mmm unsafe path: an absolute path is wanted
C:\here.mmm:stream unsafe path: only a drive has a colon
TABLE
in_the_registry '%APPDATA%\CryptoMesh\'"$device\\$device.mmm" REG_EXPAND_SZ
signs
