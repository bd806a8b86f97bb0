#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The ZIP file of cpack: what is in it, and that it works where it is unpacked,
# as its README says.
here=$(realpath "$(dirname "$0")")
export MESH_WORDS=$here/words.sh
. "$here/../lib.sh"
build=${MESH_WINDOWS_BUILD%/bin}
cpack=$(sed -n 's/^CMAKE_CPACK_COMMAND:INTERNAL=//p' "$build/CMakeCache.txt")
objdump=x86_64-w64-mingw32-objdump
for tool in unzip $objdump; do
    command -v $tool > /dev/null || { echo "skipped: needs $tool"; exit 77; }
done
# same WANTED FOUND
same() {
    [ "$1" = "$2" ] || die "'$2' instead of '$1'"
}

say "what is in it"
"$cpack" --config "$build/CPackConfig.cmake" -G ZIP -B "$HOME/pack" \
    > cpack.out 2>&1 || die "$(cat cpack.out)"
zip=$(echo pack/mesh-provider-*-windows-*.zip)
program_files="$WINEPREFIX/drive_c/Program Files"
unzip -q "$zip" -d "$program_files"
mv "$program_files/$(basename "$zip" .zip)" "$program_files/Mesh"
folder="$program_files/Mesh"
same "LICENSE README-windows.md docs docs/mesh-profiles.5.md docs/mesh-uri.7.md \
docs/meshctl.1.md docs/provider-mesh.7.md mesh.dll meshctl.exe openssl.cnf.example " \
    "$(cd "$folder" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
        tr '\n' ' ')"
grep -q '^# The mesh provider on Windows' "$folder/README-windows.md"

say "the module: one export, DLLs of Windows alone, a version"
$objdump -p "$folder/mesh.dll" > headers
same "OSSL_provider_init" "$(sed -n '/Ordinal\/Name Pointer/,/^$/p' headers |
    sed -n 's/^\t\[ *[0-9]*\] \(+base.* \)\{0,1\}//p')"
windows='advapi32|bcrypt|crypt32|dnsapi|kernel32|msvcrt|ncrypt|ole32|shell32'
windows="$windows|user32|ws2_32"
for program in mesh.dll meshctl.exe; do
    $objdump -p "$folder/$program" | sed -n 's/.*DLL Name: //p' |
        LC_ALL=C sort -f > dlls
    grep -qix ncrypt.dll dlls || die "$program: no key store: $(cat dlls)"
    ! grep -vixE "($windows)\.dll" dlls ||
        die "$program: not part of every Windows"
done
version=$(echo "$zip" | sed 's/.*provider-\([0-9.]*\)-windows.*/\1/')
x86_64-w64-mingw32-strings -el "$folder/mesh.dll" > texts
grep -A 1 -x ProductVersion texts | grep -qFx "$version" || die "$(cat texts)"

say "openssl.exe with it"
cp "$MESH_WINDOWS_BUILD/ncrypt.dll" "$folder" # (the double, for meshctl)
export OPENSSL_MODULES='C:\Program Files\Mesh'
export OPENSSL_CONF='C:\Program Files\Mesh\openssl.cnf.example'
in_folder() {
    wine "$folder/meshctl.exe" "$@"
}
same "meshctl $version" "$(in_folder --version)"
in_folder doctor > doctor.out || die "$(cat doctor.out)"
grep -q 'module C:\\Program Files\\Mesh.mesh.dll loads' doctor.out ||
    die "$(cat doctor.out)"
in_folder create device > uri
openssl storeutl -noout mesh: > list
grep -q "Name: $(cat uri)" list || die "$(cat list)"
seq 1 99 > letter.txt
openssl dgst -sha256 -sign mesh://device/sign -out letter.sig letter.txt
openssl pkey -in mesh://device/sign -pubout -out sign.pub
plain dgst -sha256 -verify sign.pub -signature letter.sig letter.txt > verified
openssl pkey -in mesh://device/encrypt -pubout -out encrypt.pub
plain pkeyutl -encrypt -pubin -inkey encrypt.pub -in uri -out letter.enc
openssl pkeyutl -decrypt -inkey mesh://device/encrypt -in letter.enc > clear
cmp clear uri
openssl req -x509 -key mesh://device/auth -subj /CN=localhost -out auth.crt
plain x509 -in auth.crt -noout -checkhost localhost > checked

say "a wrong setting: openssl knows no mesh:, and meshctl doctor says why"
export OPENSSL_MODULES='C:\elsewhere'
fails_with "scheme=mesh" openssl storeutl -noout mesh:
fails_with "mesh.dll not found  -> install it there, or set OPENSSL_MODULES" \
    in_folder doctor
export OPENSSL_MODULES='C:\Program Files\Mesh'
export OPENSSL_CONF='C:\none.cnf'
fails_with "scheme=mesh" openssl storeutl -noout mesh:
in_folder doctor > doctor.out
grep -qF 'C:\none.cnf cannot be read: programs must be told' doctor.out ||
    die "$(cat doctor.out)"
