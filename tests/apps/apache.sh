#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Apache httpd: RSA and EC keys, workers as www-data, graceful reloads under load
. "$(dirname "$0")/lib.sh"
needs apache2
needs_root
key rsa RSA-2048
key ec P-256
cat ec.key ec.crt > both.pem
cat > apache.conf << CONF
ServerRoot $HOME
ServerName localhost
PidFile apache.pid
ErrorLog error.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
StartServers 2
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
MinSpareThreads 9
MaxSpareThreads 17
Listen 127.0.0.1:$port
SSLSessionCache none
<VirtualHost *>
    SSLEngine on
    SSLCertificateFile rsa.crt
    SSLCertificateKeyFile rsa.key
    # certificate and key in one file, the key first
    SSLCertificateFile both.pem
    SSLCertificateKeyFile both.pem
</VirtualHost>
CONF
apache="apache2 -d $HOME -f apache.conf"
reload() {
    before=$(grep -c "resuming normal operations" error.log)
    $apache -k graceful
    until [ "$(grep -c "resuming normal operations" error.log)" -gt "$before" ]
    do sleep 0.1; done
}
# workers: both, when those before a reload have ended
workers() {
    local found='' before=-
    until [ "$found" = "$before" ] && [ "$(wc -w <<< "$found")" -eq 2 ]; do
        sleep 1
        before=$found
        found=$(pgrep -u www-data -P "$server" | xargs)
    done
    echo "$found"
}
with_rsa="-sigalgs rsa_pss_rsae_sha256:RSA+SHA256"
with_ec="-sigalgs ecdsa_secp256r1_sha256"

say "a test of the configuration signs nothing"
$apache -t
signed rsa 0
serve $apache -DFOREGROUND
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
    endures "$server $(workers)" 5000 16 ${!options}
    signed $name $((2000 + endured))
done
stop
say "a reference that is damaged is refused"
sed -i 3d rsa.key # not its beginning: libcrypto's own errors would be too many
: > error.log
fails_with "" $apache -DFOREGROUND
grep -q "key reference" error.log || die "$(cat error.log)"
