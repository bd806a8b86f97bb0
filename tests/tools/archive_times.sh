#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The latest copy is written after its archive whatever command did that, so
# that a load need not read the archive; but for one that has a newer version.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256 | sed 's|mesh://||')
file=.cryptomesh/$device/$device.mmm archive=.cryptomesh/$device/$device.all.mmm
# loads with|without: the archive.
loads() {
    # (a sanitizer's runtime is not what strace can preload for openssl alone)
    if [ -z "${MESH_PRELOAD:-}" ] && command -v strace > /dev/null; then
        strace -f -qq -o calls -e trace=openat,open,openat2 openssl pkey \
            -in mesh://device/sign -pubout -out pub
        grep -q "$device\.mmm" calls || die "no latest copy was opened"
        opened=without
        ! grep -q "all.mmm" calls || opened=with
    else # they say the same
        opened=with
        [ "$archive" -nt "$file" ] || [ "$(($(stat -c %Y "$file") \
            - $(stat -c %Y "$archive")))" -gt 5 ] || opened=without
    fi
    same $opened "$1"
}
loads without
cp -p "$file" first.mmm
say "a version is archived by hand"
rm "$archive"
sleep 0.1
has ": archived" meshctl archive device
loads without
cmp "$file" first.mmm
say "it is archived already, but one of the files has another time"
for time in '1 hour ago' '1 hour'; do
    touch -d "$time" "$file"
    loads with
    has "archived already" meshctl archive device
    loads without
    touch -d "$time" "$file"
    has "good; each load read its archive: written again" meshctl repair device
    loads without
    cmp "$file" first.mmm
done
same "$(meshctl repair device)" "$device: good"
say "repair archives it"
rm "$archive"
sleep 0.1
has "good; its archive did not have it" meshctl repair device
loads without
say "a newer version is found in the archive"
cp -p "$archive" first.all.mmm
sleep 1 # versions differ by seconds
meshctl describe device newer
loads without
cp -p "$file" newer.mmm
cp -p first.mmm "$file"
cp -p first.all.mmm "$archive"
sleep 0.1
has ": archived" meshctl archive device newer.mmm
cmp "$file" first.mmm
loads with
has newer meshctl show mesh://device
has "written back from its archive" meshctl repair device
cmp "$file" newer.mmm
loads without
