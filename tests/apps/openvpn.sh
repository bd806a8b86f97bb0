#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OpenVPN: server and client, by openssl.cnf and by --providers
. "$(dirname "$0")/lib.sh"
needs openvpn
needs_root
key server RSA-2048 -addext extendedKeyUsage=serverAuth
key client P-256 -subj /CN=alice -addext extendedKeyUsage=clientAuth
common="--dev null --ca ca.crt --dh none --verb 3 --ifconfig-noexec"
as_server="--tls-server --local 127.0.0.1 --port $port --proto udp4
    --cert server.crt --key server.key --remote-cert-tls client
    --user nobody --group nogroup --persist-key"
as_client="--tls-client --remote 127.0.0.1 $port --nobind --proto udp4
    --remote-cert-tls server"
# connects OPTION...: a client does
connects() {
    rm -f client.log
    openvpn $common $as_client "$@" --log client.log & client=$!
    for _ in $(seq 200); do
        ! grep -q "Initialization Sequence Completed" client.log 2> /dev/null ||
            break
        kill -0 $client 2> /dev/null || break
        sleep 0.1
    done
    kill $client 2> /dev/null || :
    wait $client || :
    grep -q "Initialization Sequence Completed" client.log
}
say "by openssl.cnf"
serve openvpn $common $as_server
connects --cert client.crt --key client.key || die "$(cat client.log)"
signed server
signed client
stop
say "by --providers, without an openssl.cnf of ours"
serve openvpn $common $as_server
OPENSSL_CONF=/dev/null connects --providers mesh default --cert client.crt \
    --key client.key || die "$(cat client.log)"
signed server
signed client
say "the certificate of another key"
! connects --cert client.crt --key server.key || die "it connects"
grep -q "does not match" client.log || die "$(cat client.log)"
stop
