#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The disk is full, read-only, or a folder is: the error names the file, nothing
# on the disk has changed, and no temporary file is left.  Root mounts a tiny
# disk for the first two and becomes somebody else for the last.
test=$(realpath "$0")
nobody=65534
case ${1-} in
"")
    [ "$(id -u)" = 0 ] && unshare --mount true 2> /dev/null || {
        echo "not root: a read-only folder alone"
        exec "$test" folder
    }
    unshare --mount "$test" disk || exit
    command -v setpriv > /dev/null &&
        setpriv --reuid $nobody --regid $nobody --clear-groups \
            test -x "$MESH_BUILD/mesh-keyd" -a -r "$test" || {
        echo "the rest is skipped: user $nobody cannot see this build"
        exit 0
    }
    exec setpriv --reuid $nobody --regid $nobody --clear-groups \
        "$(dirname "$test")/../with-keyring" "$test" folder
    ;;
esac
. "$(dirname "$test")/lib.sh"
. "$(dirname "$test")/portal_lib.sh"
make_good() { :; }
# That must be done for with-keyring to remove it; then the servers end.
finish() {
    status=$?
    make_good
    (exit $status) && end_servers || end_servers
}
trap finish EXIT
mkdir -m 700 small
[ "$1" = folder ] || mount -t tmpfs -o size=160k,mode=700 none small
export CRYPTOMESH_HOME=$HOME/small
device=$(meshctl create device --algorithm P-256 | sed 's|mesh://||')
personal=$(meshctl create personal --algorithm P-256 --portal a@$good |
    sed 's|mesh://||')
meshctl publish
file=small/$device/$device.mmm archive=small/$device/$device.all.mmm
cp -p "$file" old.mmm
sleep 1 # versions differ by seconds
meshctl describe device newer
cp -p "$file" new.mmm
# One of another home, and a newer one of ours at the portal.
other=$(meshctl --home "$HOME/other" create device --algorithm P-256 |
    sed 's|mesh://||')
cp -rp small kept
meshctl describe personal newer
meshctl publish
cp -p "small/$personal/$personal.mmm" newer-personal.mmm
restore() {
    rm -rf small/*
    cp -rp kept/. small/
}
# Each command, what was done before, and the profile that it cannot write.
lose() { rm "$file"; }
behind() {
    cp -p old.mmm "$file"
    head -n 1 "$archive" > one
    cat one > "$archive"
}
unarchived() { rm "$archive"; }
whole() { :; }
cases=(
    "whole|describe device other|$device"
    "lose|repair device|$device"
    "unarchived|repair device|$device"
    "unarchived|archive device|$device"
    "behind|archive device new.mmm|$device"
    "behind|adopt new.mmm|$device"
    "whole|adopt newer-personal.mmm|$personal"
    "whole|refresh|$personal"
    "whole|adopt other/$other/$other.mmm|$other"
)
files() {
    find small -type f ! -name fill ! -name .lock -exec sha256sum {} + | sort
    find small ! -name fill ! -name .lock -printf '%p %m %s\n' | sort
}
# refused REASON: what each command says, with the disk as make_bad has it.
refused() {
    local reason=$1 prepare words name before
    for row in "${cases[@]}"; do
        IFS='|' read -r prepare words name <<< "$row"
        make_good
        restore
        $prepare
        make_bad
        before=$(files)
        fails_with "$reason" meshctl $words
        case $out in
        *"/small/$name/$name."*mmm*) ;;
        *"/small/$name: cannot make the folder"*) ;;
        *"/small/.lock: cannot open the lock"*) ;; # before anything else
        *) die "$words: '$name' is not named: $out" ;;
        esac
        same "$(files)" "$before"
        ! find small -name '.tmp-*' | grep . || die "$words: a temporary file"
        make_good
        meshctl $words > again 2>&1 || die "$words: then: $(cat again)"
    done
}
case $1 in
disk)
    say "full"
    make_bad() {
        dd if=/dev/zero of=small/fill bs=1024 2> /dev/null || true
    }
    make_good() { rm -f small/fill; }
    refused "No space left on device"
    say "read-only"
    make_bad() { mount -o remount,ro small; }
    make_good() { mount -o remount,rw small; }
    refused "Read-only file system"
    ;;
folder)
    say "folders that nobody may write"
    # appending alone needs a file that may be written, and no folder
    make_bad() {
        chmod 500 small small/M*
        [[ $words != archive* || ! -f $archive ]] || chmod 400 "$archive"
    }
    make_good() { chmod -R u+w small; }
    refused "Permission denied"
    ;;
esac
