#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A server that starts with the machine: key file, neither session nor keyring
. "$(dirname "$0")/lib.sh"
needs nginx
needs_root
say "once, in a session: a profile, and in it a key that stays in its file"
export CRYPTOMESH_HOME=$HOME/etc/cryptomesh
mkdir etc
file_key www
mv www.key www.pem
chmod 600 www.pem
meshctl create device > /dev/null
meshctl import www.pem --in-place --role www > www.uri
meshctl reference mesh://device/www --out www.key
sed 's|.*/||' www.uri > www.udf
signatures www > www.signed
unset CRYPTOMESH_HOME
say "the system's openssl.cnf, as docs/applications.md changes it"
sed -E -e 's/^# *(providers = p.*|\[(provider|default)_sect\])$/\1/' \
    -e 's/^# *(default = default_sect|activate = 1)$/\1/' \
    -e 's/^default = default_sect$/&\nmesh = mesh_sect/' \
    /etc/ssl/openssl.cnf > openssl.cnf
cat >> openssl.cnf << CONF
[mesh_sect]
activate = 1
home = $HOME/etc/cryptomesh
keyd-socket = $HOME/run/mesh/keyd.sock
keyd-path = $MESH_BUILD/mesh-keyd
CONF
cat > nginx.conf << CONF
user www-data;
daemon off;
pid nginx.pid;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate     $HOME/www.crt;
        ssl_certificate_key $HOME/www.key;
        location / { return 200 "good\n"; }
    }
}
CONF
bare="env -i LD_PRELOAD=${MESH_PRELOAD:-} PATH=$PATH
    OPENSSL_CONF=$OPENSSL_CONF OPENSSL_MODULES=$OPENSSL_MODULES"
nginx="$bare nginx -p $HOME -c nginx.conf -e error.log"
mkdir run
say "the server starts the key holder"
serve $nginx
handshake www
keyd=$(pgrep -f "mesh-keyd --socket $HOME/run/mesh/")
stop
kill "$keyd"
while [ -e run/mesh/keyd.sock ]; do sleep 0.1; done
say "the key holder is a service of the system, and was there first"
$bare "$MESH_BUILD/mesh-keyd" --socket "$HOME/run/mesh/keyd.sock" \
    --home "$HOME/etc/cryptomesh" --log "$HOME/use.log" &
servers+=($!)
until [ -S run/mesh/keyd.sock ]; do sleep 0.1; done
serve $nginx
handshake www
signed www
handshakes 100 4
signed www 100
stop
say "a file that others may read is refused"
chmod 644 www.pem
kill "${servers[-1]}"
fails_with "www.pem" $nginx -t
