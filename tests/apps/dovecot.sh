#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Dovecot: imaps; its login process reads the key as a user of its own
. "$(dirname "$0")/lib.sh"
needs dovecot-imapd
needs_root
chmod 711 . ..
# The user dovenull has no home: he uses keys of ours, as one of a group.
setting home "$HOME/.cryptomesh"
setting keyd-socket "$HOME/keyd/keyd.sock"
mkdir keyd
chmod 700 keyd
export MESH_KEYD_SOCKET="$HOME/keyd/keyd.sock"
"$MESH_BUILD/mesh-keyd" --group dovenull --socket "$MESH_KEYD_SOCKET" &
servers+=($!)
until [ -S "$MESH_KEYD_SOCKET" ]; do sleep 0.1; done
key server RSA-2048
chmod -R go+rX .cryptomesh
if at_least 2.4 "$(dovecot --version)"; then
    cat << CONF
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
import_environment {
    OPENSSL_CONF = $OPENSSL_CONF
    OPENSSL_MODULES = $OPENSSL_MODULES
}
ssl_server_cert_file = $HOME/server.crt
ssl_server_key_file = $HOME/server.key
passdb static {
    password = secret
}
userdb static {
    fields {
        uid = mail
        gid = mail
        home = $HOME/mail
    }
}
mail_driver = mbox
mail_path = mail
CONF
else
    cat << CONF
import_environment = OPENSSL_CONF=$OPENSSL_CONF OPENSSL_MODULES=$OPENSSL_MODULES
ssl_cert = <$HOME/server.crt
ssl_key = <$HOME/server.key
passdb {
    driver = static
    args = password=secret
}
userdb {
    driver = static
    args = uid=mail gid=mail home=$HOME/mail
}
mail_location = mbox:mail
CONF
fi > dovecot.conf
cat >> dovecot.conf << CONF
base_dir = $HOME/run
log_path = $HOME/dovecot.log
first_valid_uid = 1
protocols = imap
listen = 127.0.0.1
ssl = required
service imap-login {
    chroot =
    inet_listener imap {
        port = 0
    }
    inet_listener imaps {
        port = $port
    }
}
CONF
install -d -o mail mail
serve dovecot -F -c dovecot.conf
say "login"
printf '%s\r\n' "a LOGIN alice secret" "b LOGOUT" | plain s_client -quiet \
    -verify_return_error -CAfile ca.crt -connect "127.0.0.1:$port" > said 2>&1
grep -q "^a OK" said && grep -q "^b OK" said || die "$(cat said dovecot.log)"
signed server
for version in tls1_2 tls1_3; do
    handshake server -$version
    signed server
done
stop
say "in its usual chroot there are no profiles"
sed -i '/chroot/d' dovecot.conf
serve dovecot -F -c dovecot.conf
plain s_client -connect "127.0.0.1:$port" < /dev/null > said 2>&1 &&
    die "a handshake: $(cat said)"
for _ in $(seq 100); do
    ! grep -q "mesh.*unknown fingerprint" dovecot.log || break
    sleep 0.1 # its log is written by another process
done
grep -q "mesh.*unknown fingerprint" dovecot.log || die "$(cat dovecot.log)"
stop
