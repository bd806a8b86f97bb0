#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mosquitto: broker and clients, each with a key of the mesh
. "$(dirname "$0")/lib.sh"
needs mosquitto mosquitto-clients
key server RSA-2048
key client P-256 -subj /CN=alice
cat > mosquitto.conf << CONF
user $(id -un)
listener $port 127.0.0.1
cafile $HOME/ca.crt
certfile $HOME/server.crt
keyfile $HOME/server.key
require_certificate true
use_identity_as_username true
CONF
serve mosquitto -v -c mosquitto.conf
to="-h localhost -p $port --cafile ca.crt -t test"
say "publish and receive"
mosquitto_pub $to -r -m hello --cert client.crt --key client.key
signed server
signed client
[ "$(mosquitto_sub $to -C 1 -W 10 --cert client.crt --key client.key)" = hello ]
signed server
signed client
grep -q "u'alice'" server.out || die "$(cat server.out)"
say "without a certificate, with another's key"
fails_with "Error" mosquitto_pub $to -m no
fails_with "TLS error" mosquitto_pub $to -m no --cert client.crt --key server.key
stop
