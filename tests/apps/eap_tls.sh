#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hostapd and wpa_supplicant: EAP-TLS over a cable, both with keys of the mesh
. "$(dirname "$0")/lib.sh"
needs hostapd wpasupplicant iproute2
needs_root
key server RSA-2048 -addext extendedKeyUsage=serverAuth
key client P-256 -subj /CN=alice -addext extendedKeyUsage=clientAuth
cat > hostapd.conf << CONF
interface=mesh-ap
driver=wired
use_pae_group_addr=1
ieee8021x=1
eap_server=1
eap_user_file=users
ca_cert=ca.crt
server_cert=server.crt
private_key=server.key
CONF
echo '* TLS' > users
cat > wpa_supplicant.conf << CONF
ap_scan=0
network={
    key_mgmt=IEEE8021X
    eap=TLS
    identity="alice"
    ca_cert="ca.crt"
    client_cert="client.crt"
    private_key="client.key"
    domain_match="localhost"
    eapol_flags=0
}
CONF
# background COMMAND...: what it says goes to server.out; ended by stop
background() {
    $ours "$@" >> server.out 2>&1 < /dev/null &
    server=$!
    servers+=($server)
}
# until_said TEXT
until_said() {
    for _ in $(seq 200); do
        ! grep -q "$1" server.out || return 0
        kill -0 $server 2> /dev/null || break
        sleep 0.1
    done
    die "no '$1': $(cat server.out)"
}
# The two ends of a cable, in a network where nothing else is.
background unshare --net sh -c 'ip link add mesh-ap type veth peer mesh-sta &&
    ip link set mesh-ap up && ip link set mesh-sta up && echo up &&
    exec sleep 300'
until_said up
inside="nsenter --net=/proc/$server/ns/net"
# connects TEXT: a new hostapd, for one that refused waits for a minute
connects() {
    : > server.out
    background $inside hostapd hostapd.conf
    until_said AP-ENABLED
    background $inside wpa_supplicant -Dwired -imesh-sta -c wpa_supplicant.conf
    until_said "$1"
    stop
    stop
}
say "both know each other"
connects "mesh-sta: CTRL-EVENT-CONNECTED"
signed server
signed client
say "a certificate that nobody signed"
cp client.crt good.crt
openssl req -x509 -key "$(cat client.uri)" -subj /CN=alice -out client.crt
connects "mesh-ap: CTRL-EVENT-EAP-FAILURE"
say "the key of another certificate"
cp good.crt client.crt
cp server.key client.key
connects "mesh-sta: .*Failed to init"
signed client 2
stop
