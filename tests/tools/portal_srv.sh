#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The servers of a portal are found by DNS; its certificate is that of its name.
. "$(dirname "$0")/lib.sh"
if [ -z "${MESH_OWN_MOUNTS:-}" ]; then
    { [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; } ||
        { echo "skipped: needs root, for a resolv.conf of its own"; exit 77; }
    MESH_OWN_MOUNTS=1 exec unshare -m "$(realpath "$0")"
fi
. "$(dirname "$0")/portal_lib.sh"
dns=127.$((1 + RANDOM % 250)).$((RANDOM % 250)).53
echo "nameserver $dns" > resolv.conf
mount --bind resolv.conf /etc/resolv.conf
certified=$((base + 2)) other=$base nobody=$((base + 5))
portal=portal.example.net
"$python" "$tests/dns.py" $dns server.example.org=127.0.0.1 \
    {portal,foreign,down,bad,mixed}.example.net=127.0.0.1 \
    _mmm._tcp.$portal=20,0,$nobody,server.example.org \
    _mmm._tcp.$portal=10,1,$certified,server.example.org \
    _mmm._tcp.$portal=10,9,$nobody,server.example.org \
    _mmm._tcp.foreign.example.net=1,1,$other,server.example.org \
    _mmm._tcp.down.example.net=1,1,$nobody,server.example.org \
    _mmm._tcp.down.example.net=1,1,$nobody,missing.example.org \
    _mmm._tcp.none.example.net=0,0,0,. \
    _mmm._tcp.bad.example.net=SRV:0001 \
    _mmm._tcp.bad.example.net=SRV:0001000100503f61 \
    _mmm._tcp.bad.example.net=1,1,80,/etc:x.example.org &
servers+=($!)
# The kernel has no connection to ask for.
until grep -q " [0-9A-F]*:0035 " /proc/net/udp; do sleep 0.1; done

meshctl create device --algorithm P-256
alice=$(meshctl create personal --algorithm P-256 --portal alice@$portal)
say "by priority and weight; the next one where one is down"
MESH_PROVIDER_TRACE=$HOME/trace has "published at $portal" meshctl publish
same "$(sed -n 's/.*tcp.*weight //p' trace | xargs)" "9 1 0"
ends 3 meshctl refresh
say "none answers"
fails_with "down.example.net" meshctl refresh --portal down.example.net
say "the certificate is that of the name, not of the server"
fails_with "no alternative certificate subject name matches" \
    meshctl refresh --portal foreign.example.net
say "no such service; no use; no record at all: port 443"
fails_with "none.example.net: DNS says that it has no portal" \
    meshctl refresh --portal none.example.net
fails_with "bad.example.net cannot be reached" \
    meshctl refresh --portal bad.example.net
fails_with "mixed.example.net cannot be reached" \
    meshctl refresh --portal mixed.example.net
say "a port that is given is not looked up"
ends 3 meshctl refresh --portal $portal:$certified
