#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# node: tls server and client, crypto.sign, with Debian's shared OpenSSL
. "$(dirname "$0")/lib.sh"
needs nodejs
key server RSA-2048
key client P-256 -subj /CN=alice
sed -i '1i nodejs_conf = openssl_init' openssl.cnf
cat > server.js << 'NODE'
const tls = require("tls"), fs = require("fs");
tls.createServer({
    key: fs.readFileSync("server.key"), cert: fs.readFileSync("server.crt"),
    ca: fs.readFileSync("ca.crt"), requestCert: true, rejectUnauthorized: true,
}, (socket) => socket.end(socket.getPeerCertificate().subject.CN + "\n"))
    .listen(+process.argv[2], "127.0.0.1");
NODE
cat > client.js << 'NODE'
const tls = require("tls"), fs = require("fs"), crypto = require("crypto");
const key = fs.readFileSync(process.argv[3]);
const signature = crypto.sign("sha256", "message", key);
const public = crypto.createPublicKey(fs.readFileSync("client.crt"));
if (!crypto.verify("sha256", "message", public, signature)) process.exit(2);
tls.connect({
    port: +process.argv[2], host: "127.0.0.1", servername: "localhost", key,
    cert: fs.readFileSync("client.crt"), ca: fs.readFileSync("ca.crt"),
}).on("data", (data) => process.stdout.write(data));
NODE
serve node server.js "$port"
say "crypto.sign, and both ends of TLS, with keys of ours"
[ "$(node client.js "$port" client.key)" = alice ] || die "not alice"
signed server
signed client 2
say "the certificate of another key"
fails_with "" node client.js "$port" server.key
[ $status = 2 ] || die "not by the verification: $out"
say "without configuration it does not know the reference"
fails_with "DECODER routines" env OPENSSL_CONF=/dev/null node client.js "$port" client.key
stop
