#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# stunnel: server and client, each with a key of the mesh
. "$(dirname "$0")/lib.sh"
needs stunnel4
needs_root
key server RSA-2048
key client P-256 -subj /CN=alice
asked_by=$(free_port)
cat > server.conf << CONF
foreground = yes
pid =
[echo]
accept = 127.0.0.1:$port
exec = /bin/cat
cert = $HOME/server.crt
key = $HOME/server.key
CAfile = $HOME/ca.crt
verifyChain = yes
requireCert = yes
CONF
cat client.key client.crt > client.pem # one file: the key first
cat > client.conf << CONF
foreground = yes
pid =
[echo]
client = yes
accept = 127.0.0.1:$asked_by
connect = 127.0.0.1:$port
cert = $HOME/client.pem
CAfile = $HOME/ca.crt
verifyChain = yes
checkHost = localhost
CONF
serve stunnel server.conf
server_port=$port
port=$asked_by
serve stunnel client.conf
say "through both"
exec 3<> "/dev/tcp/127.0.0.1/$asked_by"
echo hello >&3
read -r -t 10 answer <&3
exec 3>&-
[ "$answer" = hello ] || die "answer: $answer"
signed server
signed client
stop
say "a client without a certificate is refused"
port=$server_port
plain s_client -connect "127.0.0.1:$port" -CAfile ca.crt -tls1_2 < /dev/null \
    > client.out 2>&1 && die "it was let in"
grep -q "alert" client.out || die "$(cat client.out)"
signed server
stop
say "another user in a chroot, a thread for each client"
mkdir -m 755 jail
cat > jailed.conf << CONF
foreground = yes
pid =
chroot = $HOME/jail
setuid = nobody
setgid = nogroup
[nothing]
accept = 127.0.0.1:$port
connect = 127.0.0.1:1
cert = $HOME/server.crt
key = $HOME/server.key
CONF
serve stunnel jailed.conf
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    plain s_client -connect "127.0.0.1:$port" < /dev/null > /dev/null 2>&1 &
    clients+=($!)
done
wait "${clients[@]}" || : # there is nothing behind it
signed server 12
stop
