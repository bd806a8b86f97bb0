#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Archives full of rubbish: a load does not look at them if the latest copy is
# good, and else ends soon, in little memory.
. "$(dirname "$0")/lib.sh"
[ -z "${MESH_PRELOAD:-}" ] || {
    echo "skipped: a sanitizer has all addresses, however few may be had"
    exit 77
}
device=$(meshctl create device --algorithm P-256 | sed 's|mesh://||')
file=.cryptomesh/$device/$device.mmm archive=.cryptomesh/$device/$device.all.mmm
meshctl describe device second
cp -p "$file" good.mmm
cp -p "$archive" good.all.mmm
meshctl --home "$HOME/other" create device --algorithm P-256 > /dev/null

# little SECONDS COMMAND...: with 300 MB of addresses, and no longer than that.
little() {
    (
        ulimit -v 300000
        LD_PRELOAD="${MESH_PRELOAD:-}" exec timeout "$1" "${@:2}"
    )
}
tool=("$MESH_BUILD/tools/meshctl" --keyd-path "$MESH_BUILD/mesh-keyd")
loads() {
    little 5 openssl pkey -in mesh://device/sign -pubout -out pub
}
# as_good: as it was before, with the latest copy older than its archive.
as_good() {
    cp -p good.mmm "$file"
    cp -p good.all.mmm "$archive"
}
# append KIND: it is at the end of the archive.
append() {
    case $1 in
    "1 GB without a line")
        truncate -s "$(($(stat -c %s "$archive") + 1000000000))" "$archive" ;;
    "200 MB of lines")
        yes '{"SignedDeviceProfile":{"x":"rubbish"}}' |
            head -c 200000000 >> "$archive" ;;
    "a line of 100 MB")
        { printf '{"a":"'; yes | tr -d '\n' | head -c 100000000
            printf '"}\n'; } >> "$archive" ;;
    "a hundred profiles of others")
        for _ in {1..100}; do cat other/M*/M*.all.mmm; done >> "$archive" ;;
    esac
}
for kind in "1 GB without a line" "200 MB of lines" "a line of 100 MB" \
    "a hundred profiles of others"; do
    say "$kind"
    as_good
    append "$kind"
    touch "$file" # the latest copy is not older than its archive
    if command -v strace > /dev/null; then
        strace -f -qq -o calls -e trace=openat,open,openat2 openssl pkey \
            -in mesh://device/sign -pubout -out pub
        grep -q "$device.mmm" calls
        ! grep "all.mmm" calls || die "the archive was opened"
    fi
    loads || die "not loaded"
    say "older than its archive, it is compared and used"
    touch -d 2020-01-01 "$file"
    loads || die "not loaded"
    say "and without it"
    for bad in missing truncated; do
        rm -f "$file"
        [ $bad = missing ] || head -c 300 good.mmm > "$file"
        fails_with "nor is there a good version at the end of its archive" loads
        has "'meshctl repair' looks at all of it" echo "$out"
    done
    say "repair looks at all of it"
    has "written back" little 60 "${tool[@]}" repair device
    cmp "$file" good.mmm
    loads || die "not loaded"
    truncate -s 0 "$archive"
done
say "versions of another profile between ours, and one that does not verify"
as_good
rm "$archive"
cp good.mmm "$file"
meshctl archive device
for i in 1 2 3; do
    cat other/M*/M*.all.mmm >> "$archive"
    meshctl describe device "version $i"
done
cp "$file" newest.mmm
cat other/M*/M*.all.mmm >> "$archive"
sed 's/"payload":"../"payload":"AA/' "$archive" | tail -2 |
    head -1 >> "$archive"
rm "$file"
loads || die "not loaded"
has "version 3" "${tool[@]}" show mesh://device
has "written back" "${tool[@]}" repair device
cmp "$file" newest.mmm
