#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nginx: RSA and EC keys, two workers as www-data, reloads under load
. "$(dirname "$0")/lib.sh"
needs nginx
needs_root
key rsa RSA-2048
key ec P-256
cat > nginx.conf << CONF
user www-data;
worker_processes 2;
daemon off;
pid nginx.pid;
error_log error.log;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate     $HOME/rsa.crt;
        ssl_certificate_key $HOME/rsa.key;
        ssl_certificate     $HOME/ec.crt;
        ssl_certificate_key $HOME/ec.key;
        location / { return 200 "good\n"; }
    }
}
CONF
nginx="$ours nginx -p $HOME -c nginx.conf -e error.log"
workers() {
    pgrep -u www-data -P "$server" -f "^nginx: worker process"
}
# reload: until the old workers are gone
reload() {
    old=$(workers)
    $nginx -s reload
    while grep -qwF "$old" <(workers); do sleep 0.1; done
}
with_rsa="-sigalgs rsa_pss_rsae_sha256:RSA+SHA256"
with_ec="-sigalgs ecdsa_secp256r1_sha256"

say "a test of the configuration signs nothing"
$nginx -t
signed rsa 0
signed ec 0
say "nor does one that fails"
fails_with "unknown fingerprint" env CRYPTOMESH_HOME=/none $nginx -t
cp rsa.key whole.key
sed -i 2d rsa.key
fails_with "key reference" $nginx -t
cp whole.key rsa.key
: > error.log
say "handshakes with both keys"
serve $nginx
for version in tls1_2 tls1_3; do
    handshake rsa $with_rsa -$version
    signed rsa
    handshake ec $with_ec -$version
    signed ec
done
say "many at the same time during reloads; 10 000 more leave nothing behind"
for name in rsa ec; do
    options=with_$name
    during reload handshakes 2000 16 ${!options}
    endures "$server $(workers | xargs)" 5000 16 ${!options}
    signed $name $((2000 + endured))
done
! grep -v notice error.log || die "errors in its log"
say "a reload that fails leaves it as it was"
sed -i 2d rsa.key
kill -HUP "$server"
until grep -q emerg error.log; do sleep 0.1; done
handshake rsa $with_rsa
signed rsa
stop
