#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# socat: both ends, a child for each connection
. "$(dirname "$0")/lib.sh"
needs socat
key server RSA-2048
key client P-256
serve socat "OPENSSL-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,\
cert=server.crt,key=server.key,cafile=ca.crt,verify=1" EXEC:/bin/cat
talk() {
    echo hello | $ours socat -t 5 - "OPENSSL:localhost:$port,pf=ip4,cafile=ca.crt,\
verify=1$1"
}
say "client and server with keys of ours"
[ "$(talk ,cert=client.crt,key=client.key)" = hello ] || die "no echo"
signed server
signed client
say "a child for each, all adopted by the key holder"
for _ in 1 2 3 4 5 6 7 8; do
    talk ,cert=client.crt,key=client.key > /dev/null & jobs+=($!)
done
wait "${jobs[@]}"
signed server 8
signed client 8
say "without a certificate nothing comes back"
[ -z "$(talk "" 2> /dev/null || :)" ] || die "it was let in"
stop
