#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Python's ssl: server and client; cryptography cannot
. "$(dirname "$0")/lib.sh"
needs python3 python3-cryptography
PATH=/usr/bin:$PATH
key server RSA-2048
key client P-256 -subj /CN=alice
cat > server.py << 'PYTHON'
import ssl, sys
from http.server import HTTPServer, BaseHTTPRequestHandler

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        subject = self.connection.getpeercert()["subject"]
        self.wfile.write(dict(subject[0])["commonName"].encode())

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="ca.crt")
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain("server.crt", "server.key")
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
cat > client.py << 'PYTHON'
import ssl, sys
from urllib.request import urlopen

context = ssl.create_default_context(cafile="ca.crt")
context.load_cert_chain(*sys.argv[2:])
with urlopen(f"https://localhost:{sys.argv[1]}/", context=context) as page:
    print(page.read().decode())
PYTHON
serve python3 server.py "$port"
say "both ends with keys of ours"
[ "$(python3 client.py "$port" client.crt client.key)" = alice ] || die "not alice"
signed server
signed client
say "certificate and key in one file, the key first"
cat client.key client.crt > client.pem
[ "$(python3 client.py "$port" client.pem)" = alice ] || die "not alice"
signed client
say "the certificate of another key"
fails_with SSLError python3 client.py "$port" client.crt server.key
stop
say "cryptography wants the numbers of private keys: it says no, and lives"
cat > load.py << 'PYTHON'
from cryptography.hazmat.primitives.serialization import load_pem_private_key
try:
    load_pem_private_key(open("client.key", "rb").read(), None)
except BaseException as error:  # a panic of Rust is no Exception
    print("refused by", type(error).__name__)
PYTHON
# OpenSSL's module for old algorithms is not where the tests have theirs.
export CRYPTOGRAPHY_OPENSSL_NO_LEGACY=1
said=$(python3 load.py) || die "it ended with $?: $said"
say "$said"
[[ $said == "refused by "*E[rx]* ]] || die "not refused"
