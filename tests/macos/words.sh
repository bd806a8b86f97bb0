# SPDX-License-Identifier: Apache-2.0
# What tests/lib.sh needs of macOS, for scripts of the other folders that run in
# tests/macos/with-keychain: openssl with our module, meshctl, and the report of
# the Keychain's double in place of a use log.
umask 022
: "${MESH_BUILD:?is the build folder}"
cd "$HOME"
export OPENSSL_MODULES="$MESH_BUILD" OPENSSL_CONF="$HOME/openssl.cnf"
cat > "$OPENSSL_CONF" <<'CNF'
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
[req]
distinguished_name = dn
prompt = no
[dn]
CN = test
CNF

holder="the Keychain" # of private keys, for people
key_source=keychain
spare=(-algorithm EC -pkeyopt ec_paramgen_curve:P-384) spare_name=P-384
meshctl() {
    "$MESH_BUILD/tools/meshctl" "$@"
}
# nobody_answers: from now on meshctl reaches no keychain, and says $unreachable.
nobody_answers() {
    unreachable="see security list-keychains"
    export MACOS_DOUBLE_KEYCHAIN="$HOME/none"
}
# openssl with our module, as a command: whoever ends it ends openssl.
openssl=(env "LD_PRELOAD=${MESH_PRELOAD:-}" openssl)
openssl() {
    "${openssl[@]}" "$@"
}
# asked: how often the Keychain was called, for whatever.
asked() {
    grep -c "^call " "$MACOS_DOUBLE_REPORT" || :
}
# used OPERATION: how often the Keychain has done it; sign, decrypt, derive or .
# for any.
used() {
    local function
    case $1 in
    sign) function=SecKeyCreateSignature ;;
    decrypt) function=SecKeyCreateDecryptedData ;;
    derive) function=SecKeyCopyKeyExchangeResult ;;
    .) function='SecKey\(CreateSignature\|CreateDecryptedData\|CopyKeyExchangeResult\)' ;;
    esac
    grep -c "^call $function" "$MACOS_DOUBLE_REPORT" || :
}
