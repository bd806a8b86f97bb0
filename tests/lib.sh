# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of the folders, which run inside tests/with-keyring
# with MESH_BUILD set: an openssl.cnf that activates default, then mesh, and a
# few words for checks.
set -eu
umask 022 # mesh-keyd and ssh-like checks want no group that may write
: "${MESH_BUILD:?is the build folder}"
cd "$HOME"
export OPENSSL_MODULES="$MESH_BUILD" OPENSSL_CONF="$HOME/openssl.cnf"
cat > "$OPENSSL_CONF" <<CNF
openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_provider
mesh = mesh_provider
[default_provider]
activate = 1
[mesh_provider]
activate = 1
keyd-path = $MESH_BUILD/mesh-keyd
[req]
distinguished_name = dn
prompt = no
[dn]
CN = test
CNF
mkdir -p .config/mesh
echo "log = $HOME/use.log" > .config/mesh/keyd.conf
chmod 600 .config/mesh/keyd.conf

meshctl() {
    "$MESH_BUILD/tools/meshctl" --keyd-path "$MESH_BUILD/mesh-keyd" "$@"
}
# openssl with our module; a sanitizer's runtime must come first in it.
openssl() {
    LD_PRELOAD="${MESH_PRELOAD:-}" command openssl "$@"
}
# activated_by config|provider: by openssl.cnf alone, or by $by in each command.
activated_by() {
    by=
    [ "$1" = provider ] || return 0
    sed -i "/^openssl_conf/d" openssl.cnf
    by="-provider mesh -provider default"
}
# openssl without it.
plain() {
    OPENSSL_CONF=/dev/null command openssl "$@"
}
# used OPERATION: how often the key holder has done it, by its use log.
used() {
    grep -c " $1" "$HOME/use.log" || :
}
say() {
    echo "-- $*"
}
die() {
    echo "FAILED: $*" >&2
    [ ! -f "$HOME/use.log" ] || tail -n 5 "$HOME/use.log" >&2
    exit 1
}
# fails_with TEXT COMMAND...: it ends with an error, and TEXT is in its output.
# A crash is no error: only may_crash TEXT COMMAND... lets it pass.
fails_with() {
    may_crash "$@"
    # (some programs exit with -1, which is 255: that is no signal)
    [ $status -lt 128 ] || [ $status -gt 192 ] ||
        die "ended by signal $((status - 128)): ${*:2}: $out"
    case $out in
    *"ERROR: AddressSanitizer"* | *": runtime error: "*)
        die "the sanitizer ended: ${*:2}: $out" ;;
    esac
}
may_crash() {
    local text=$1
    shift
    status=0
    out=$("$@" 2>&1) || status=$?
    [ $status != 0 ] || die "succeeded: $*"
    case $out in
    *"$text"*) ;;
    *) die "no '$text' in the output of: $*: $out" ;;
    esac
}
