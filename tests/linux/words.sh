# SPDX-License-Identifier: Apache-2.0
# What tests/lib.sh needs of Linux: openssl.cnf, our programs, the use log.
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
openssl=(env LD_PRELOAD="${MESH_PRELOAD:-}" openssl)
openssl() {
    "${openssl[@]}" "$@"
}
holder=mesh-keyd # what keeps the private keys
key_source=secret-service # where those are that meshctl has made
# A type that every key holder takes, as genpkey has it and as meshctl has it,
# of which no script makes keys otherwise.
spare=(-algorithm ED25519) spare_name=ED25519
# nobody_answers: from now on meshctl reaches nothing that holds private keys,
# and says $unreachable.
nobody_answers() {
    unreachable="see 'meshctl doctor'"
    meshctl() {
        "$MESH_BUILD/tools/meshctl" --keyd-path /nonexistent \
            --keyd-socket "$HOME/none/keyd.sock" "$@"
    }
}
# asked: how often it was asked for anything.
asked() {
    wc -l < "$HOME/use.log"
}
# used OPERATION: how often the key holder has done it, by its use log.
used() {
    grep -c " $1" "$HOME/use.log" || :
}
