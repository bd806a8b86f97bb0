#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A clock that is wrong by years: which version is the newest is decided by what
# they say and by their order, and the user is told.
. "$(dirname "$0")/lib.sh"
command -v python3 > /dev/null || { echo "skipped: needs python3"; exit 77; }
craft=$(dirname "$0")/../store/craft.py
# dated TIME: the latest copy as a device would have made it at that time.
dated() {
    python3 "$craft" "$file" mesh://device/sign \
        "import re
payload = re.sub('(\"Updated\": *\")[^\"]*', r'\g<1>$1', payload)"
}
updated() {
    meshctl show mesh://device --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["updated"])'
}
# told COMMAND...: it succeeds with the note about the clock, or without.
told() {
    has "but the clock of this computer shows 20" "$@"
}
untold() {
    out=$("$@" 2>&1) || die "failed: $*: $out"
    case $out in
    *clock*) die "a note: $*: $out" ;;
    esac
}
device=$(meshctl create device | sed 's|mesh://||') # RSA, for craft.py
file=.cryptomesh/$device/$device.mmm
cp -p "$file" first.mmm

say "the clock is right, or a few hours off"
sleep 1
dated "$(date -u -d '+ 20 hours' +%FT%TZ)" > hours.mmm
untold meshctl adopt hours.mmm
untold meshctl describe device hours
untold meshctl doctor

say "a version from the future is taken, with a note"
dated 2099-05-06T07:08:59Z > future.mmm
told meshctl adopt future.mmm
has "a newer version, entered" echo "$out"
same "$(updated)" 2099-05-06T07:08:59Z
finds warning "profile $device was updated 2099-.*, the clock shows 20"
say "the next ones follow by a second each"
told meshctl describe device one
told meshctl describe device two
same "$(updated)" 2099-05-06T07:09:01Z
cp -p "$file" newest.mmm
say "the older ones do not come back"
fails_with "older than what is here" meshctl archive device first.mmm
dated 2099-05-06T09:09:00+02:00 > offset.mmm # a second before, in UTC
fails_with "was updated 2099-05-06T09:09:00+02:00; here is" \
    meshctl adopt offset.mmm
fails_with "2099-05-06T07:09:01Z" meshctl adopt hours.mmm
cmp "$file" newest.mmm
told meshctl repair device
told meshctl archive device
say "without a latest copy the archive's newest is used, whatever its time"
touch -d 2001-01-01 ".cryptomesh/$device/$device.all.mmm"
rm "$file"
MESH_PROVIDER_TRACE=$HOME/trace \
    openssl pkey -in mesh://device/sign -pubout > pub
grep -q "updated 2099-05-06T07:09:01Z, but the clock" trace ||
    die "$(cat trace)"
told meshctl repair device
has "as of 2099-05-06T07:09:01Z" echo "$out"
say "and so is one that was put back with a new time of its file"
cp first.mmm "$file"
told meshctl repair device
same "$(updated)" 2099-05-06T07:09:01Z
say "at the end of time the order alone decides"
dated 9999-12-31T23:59:59Z > last.mmm
told meshctl adopt last.mmm
told meshctl describe device three
told meshctl describe device four
same "$(updated)" 9999-12-31T23:59:59Z
rm "$file"
has "four" meshctl show mesh://device
told meshctl repair device
has "four" meshctl show mesh://device
meshctl verify mesh://device
