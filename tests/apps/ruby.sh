#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ruby: Ed25519 works; RSA and EC cannot, ruby 3.1 and 3.3 crash over them
. "$(dirname "$0")/lib.sh"
needs ruby
key ed Ed25519
cat > server.rb << 'RUBY'
require "openssl"
require "socket"
context = OpenSSL::SSL::SSLContext.new
context.add_certificate(
  OpenSSL::X509::Certificate.new(File.read("ed.crt")),
  OpenSSL::PKey.read(File.read("ed.key")))
server = OpenSSL::SSL::SSLServer.new(TCPServer.new("127.0.0.1", ARGV[0].to_i),
                                     context)
loop { (server.accept rescue next).close }
RUBY
read_key='k = OpenSSL::PKey.read(File.read(ARGV[0]));'
with_key() { $ours ruby -ropenssl -e "$read_key $1" "$2"; }
say "a TLS server, and a signature"
serve ruby server.rb "$port"
handshake ed -tls1_2
signed ed
handshake ed -tls1_3
signed ed
echo -n message > message
with_key 'print k.sign(nil, "message")' ed.key > signature
signed ed
plain x509 -in ed.crt -noout -pubkey > ed.pub
plain pkeyutl -verify -rawin -pubin -inkey ed.pub -in message -sigfile signature
stop
say "RSA and EC: public halves alone, for ruby takes private ones apart"
ulimit -c 0
for name in RSA-2048 P-256; do
    key $name $name
    [ "$(with_key 'puts k.public_to_pem' $name.key)" = \
        "$(plain x509 -in $name.crt -noout -pubkey)" ] || die "another key"
    may_crash "" with_key 'k.sign("SHA256", "message")' $name.key
    signed $name 0
    if [[ $out == *"[BUG] Segmentation fault"* ]]; then
        frames=$(sed -n '/^-- C level/,/^-- Other/p' <<< "$out")
        # (a sanitizer takes the names away)
        grep -q "libcrypto.*\(RSA\|EC_KEY\)_get0_" <<< "$frames" ||
            [ -n "${MESH_PRELOAD:-}" ] || die "it crashes elsewhere: $out"
        ! grep mesh <<< "$frames" || die "it crashes in our module"
    else
        [[ $out == *"OpenSSL::PKey::"*Error* ]] || die "no clear error: $out"
    fi
done
