#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# HOME is missing, long or not ASCII: the whole way from a key that is made to
# one that signs, or an error that says why not.
. "$(dirname "$0")/lib.sh"
base=$HOME
mkdir files
echo message > files/message
# all: create, list, sign, verify, refresh; refresh has nobody to ask.
all() {
    cd "$base/files"
    meshctl create device --algorithm P-256 > uri ||
        die "no device"
    meshctl create personal --algorithm P-256 --portal a@localhost:1 > personal
    has "${1-$(sed "s|mesh://||" uri)}" meshctl list --json
    has "all 3 private keys of the default device are here" meshctl doctor
    openssl dgst -sha256 -sign mesh://device/sign -out sig message
    openssl pkey -in "$(cat uri)/sign" -pubout -out pub
    plain dgst -sha256 -verify pub -signature sig message
    fails_with "localhost:1 cannot be reached" meshctl refresh
    openssl genpkey -propquery '?provider=mesh' -algorithm ED25519 \
        -out key.pem 2> /dev/null || die "no genpkey"
    openssl pkey -in key.pem -pubout > pub
    cd "$base"
}
# A key holder for each HOME: sockets of their own.
fresh() {
    runs=$((${runs-0} + 1))
    export XDG_RUNTIME_DIR=$base/run$runs
    mkdir -p -m 700 "$XDG_RUNTIME_DIR"
}
long=$(printf 'x%.0s' {1..140})
long=$base/$long/$long
say "HOME of more than 300 characters, which no socket's address has room for"
mkdir -p "$long"
[ ${#long} -gt 300 ]
fresh
HOME=$long all "$long/.cryptomesh/M"
say "so has a runtime folder, and a socket"
fresh
XDG_RUNTIME_DIR=$long
chmod 700 "$long"
CRYPTOMESH_HOME=$long/other all "$long/other/M"
fresh
mkdir -m 700 "$long/socket"
MESH_KEYD_SOCKET=$long/socket/s CRYPTOMESH_HOME=$long/third all "$long/third/M"
[ -S "$long/socket/s" ] || die "another socket was used"

say "HOME is not ASCII, has spaces and a quote"
odd=$base/"Zoë Ünïcödé 漢字 it's"
mkdir "$odd"
fresh
HOME=$odd all
[ -f "$odd/.cryptomesh/profiles.json" ] || die "not there"
fresh
CRYPTOMESH_HOME="$odd/ключи" all "ключи"
say "nor even UTF-8, which JSON has no way to say"
bad=$base/$'\xff\xfe'
mkdir "$bad"
fresh
export CRYPTOMESH_HOME=$bad
meshctl create device --algorithm P-256 > files/uri
openssl dgst -sha256 -sign mesh://device/sign -out sig files/message
has "device" meshctl list
has '/??/M' meshctl list --json
has "/??: 1, closed" meshctl doctor
has "/??: 1, closed" meshctl doctor --json
chmod 777 "$bad"
fails_with "has mode 0777" meshctl list
fails_with '/?? has mode 0777' meshctl doctor --json
chmod 700 "$bad"
meshctl verify mesh://device
unset CRYPTOMESH_HOME

say "longer than any path may be"
fresh
huge=/$(printf 'y%.0s' {1..5000})
HOME=$huge fails_with "5001 octets are more than a path can" \
    meshctl create device
HOME=$huge fails_with "5001 octets are more than a path can" \
    openssl pkey -in mesh://device/sign -pubout
CRYPTOMESH_HOME=$huge fails_with "5001 octets are more" meshctl list
CRYPTOMESH_HOME=relative fails_with "an absolute path is wanted" meshctl list

say "HOME is missing, CRYPTOMESH_HOME is not"
fresh
export CRYPTOMESH_HOME=$base/homeless
(
    unset HOME
    HOME='' # for the words of lib.sh; a program takes that for none
    all "$CRYPTOMESH_HOME/M"
)
unset CRYPTOMESH_HOME
[ "$(id -u)" = 0 ] && command -v setpriv > /dev/null || {
    echo "the rest is skipped: needs root and setpriv"
    exit 0
}
say "neither, and the user has no home"
none="env -u HOME -u XDG_RUNTIME_DIR setpriv --reuid 54321 --regid 54321 \
    --clear-groups $MESH_BUILD/tools/meshctl"
fails_with "no home directory: set HOME or CRYPTOMESH_HOME" $none list
fails_with "neither XDG_RUNTIME_DIR nor HOME names a folder" $none create device
say "the one of the user, by the system's list"
home=$(getent passwd 0 | cut -d: -f6)
case $MESH_BUILD:$(realpath "$0"):$base in
*"$home"/* | /:*) echo "skipped: $home is in use" && exit 0 ;;
esac
export -f meshctl die has same say 2> /dev/null
unshare --mount bash -euc "
    mount -t tmpfs -o mode=700 none '$home'
    unset HOME
    '$MESH_BUILD/tools/meshctl' --keyd-path '$MESH_BUILD/mesh-keyd' list
    '$MESH_BUILD/tools/meshctl' --keyd-path '$MESH_BUILD/mesh-keyd' \
        --keyd-socket '$XDG_RUNTIME_DIR/mesh/keyd.sock' create device \
        --algorithm P-256
    test -f '$home/.cryptomesh/profiles.json'" || die "no way without HOME"
