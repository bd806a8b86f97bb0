# SPDX-License-Identifier: Apache-2.0
# What tests/lib.sh needs of Windows, for scripts of the other folders that run
# in tests/windows/with-wine: openssl.exe with our module, meshctl.exe, and the
# log of CNG's double in place of a use log.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
log_calls
OPENSSL_MODULES=$(windows_path "$MESH_WINDOWS_BUILD")
OPENSSL_CONF=$(windows_path "$HOME/openssl.cnf")
export OPENSSL_MODULES OPENSSL_CONF
cat > openssl.cnf <<'CNF'
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

# unix COMMAND...: texts that it prints or writes to "out" have the lines of a
# Unix.
unix() {
    local status=0 text
    text=$(mktemp)
    "$@" > "$text" || status=$?
    if ! grep -qaP '\x00' "$text"; then
        sed -i 's/\r$//' "$text"
    fi
    cat "$text"
    rm "$text"
    if head -c 5 out 2> /dev/null | grep -qx -e -----; then
        sed -i 's/\r$//' out
    fi
    return "$status"
}
meshctl() {
    wine "$MESH_WINDOWS_BUILD/meshctl.exe" "$@"
}
openssl=(wine "$MESH_WINDOWS_BUILD/openssl.exe")
openssl() {
    unix "${openssl[@]}" "$@"
}
holder='the Windows key store'
# asked: how often it was asked for anything about keys.
asked() {
    grep -cv ' NCrypt\(OpenStorageProvider\|FreeObject\) ' ncrypt.log || :
}
# used OPERATION: how often the key store has done it; sign, decrypt, derive or
# . for any.
used() {
    local function
    case $1 in
    sign) function=NCryptSignHash ;;
    decrypt) function=NCryptDecrypt ;;
    derive) function=NCryptSecretAgreement ;;
    .) function='NCrypt\(SignHash\|Decrypt\|SecretAgreement\)' ;;
    esac
    grep -c " $function 00000000" ncrypt.log || :
}
