#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Postfix: smtp shows a certificate to smtpd, both with keys of the mesh
. "$(dirname "$0")/lib.sh"
needs postfix
needs_root
key server RSA-2048
key client P-256 -subj /CN=alice
chmod 711 . .. # for the user postfix
mkdir etc
mkdir -m 755 queue
install -d -o postfix data
cat > etc/main.cf << CONF
compatibility_level = 3.6
queue_directory = $HOME/queue
data_directory = $HOME/data
maillog_file = $HOME/mail.log
maillog_file_prefixes = $HOME
import_environment = OPENSSL_CONF=$OPENSSL_CONF OPENSSL_MODULES=$OPENSSL_MODULES
    HOME=$HOME XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR MAIL_CONFIG MAIL_LOGTAG
    POSTLOG_SERVICE POSTLOG_HOSTNAME
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
alias_maps =
relayhost = [127.0.0.1]:$port
smtp_tls_secure_cert_match = localhost
smtp_tls_security_level = secure
smtp_tls_CAfile = $HOME/ca.crt
smtp_tls_cert_file = $HOME/client.crt
smtp_tls_key_file = $HOME/client.key
smtpd_tls_security_level = encrypt
smtpd_tls_CAfile = $HOME/ca.crt
smtpd_tls_cert_file = $HOME/server.crt
smtpd_tls_key_file = $HOME/server.key
smtpd_tls_req_ccert = yes
smtp_tls_loglevel = 1
CONF
{
    grep -v "^smtp .*inet" /usr/share/postfix/master.cf.dist
    echo "127.0.0.1:$port inet n - y - - smtpd -o content_filter=discard:"
} > etc/master.cf
postfix="postfix -c $HOME/etc"
# sends RESULT: a mail through smtp and smtpd, which run in a chroot
sends() {
    before=$(grep -c "to=<.*status=$1" mail.log || :)
    echo hello | sendmail -C "$HOME/etc" -f alice@localhost bob@example.com
    for _ in $(seq 200); do
        [ "$(grep -c "to=<.*status=$1" mail.log)" = "$before" ] || return 0
        sleep 0.1
    done
    die "not $1: $(cat mail.log)"
}
touch mail.log
serve $postfix start-fg
servers+=($(< queue/pid/master.pid)) # which the former does not end
sends "sent.*queued"
signed client
signed server
grep -q "Verified TLS.*client-signature" mail.log || die "$(cat mail.log)"
say "by posttls-finger"
$ours posttls-finger -c -l secure -F ca.crt -k client.crt -K client.key \
    "[127.0.0.1]:$port" localhost > finger 2>&1 || die "$(cat finger)"
grep -q "Verified TLS.*client-signature" finger || die "$(cat finger)"
signed client
say "the key of another certificate; a reference in a chain file"
postconf -c etc -e "smtp_tls_key_file = $HOME/server.key"
$postfix reload
sends deferred
grep -q "does not match public key" mail.log || die "$(cat mail.log)"
cat client.key client.crt > chain.pem
postconf -c etc -e "smtp_tls_chain_files = $HOME/chain.pem"
$postfix reload
sends deferred
grep -q "ignoring PEM type: MESH KEY REFERENCE" mail.log ||
    die "$(cat mail.log)"
stop
stop
