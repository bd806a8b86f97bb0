#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lighttpd: ssl.pemfile and ssl.privkey or both in one file, as www-data
. "$(dirname "$0")/lib.sh"
needs lighttpd lighttpd-mod-openssl
needs_root
cat > lighttpd.conf << CONF
server.document-root = "$HOME"
server.username = "www-data"
server.groupname = "www-data"
server.bind = "127.0.0.1"
server.port = $port
server.modules = ("mod_openssl")
ssl.engine = "enable"
ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2")
ssl.pemfile = "$HOME/server.crt"
ssl.privkey = "$HOME/server.key"
CONF
for algorithm in RSA-2048 P-256; do
    say "$algorithm"
    key server $algorithm
    lighttpd -tt -f lighttpd.conf
    signed server 0
    serve lighttpd -D -f lighttpd.conf
    handshake server -tls1_2
    signed server
    handshake server -tls1_3
    signed server
    endures "$server" 1000 8
    signed server "$endured"
    stop
done
say "one file, the certificate first"
cat server.crt server.key > both.pem
sed "/privkey/d; s/server.crt/both.pem/" lighttpd.conf > both.conf
serve lighttpd -D -f both.conf
handshake server
signed server
stop
say "the key of another certificate is refused"
key other P-256
cp other.key server.key
fails_with "does not match" lighttpd -D -f lighttpd.conf
