#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL: the server's key, and psql's with login by certificate
. "$(dirname "$0")/lib.sh"
needs postgresql postgresql-client
as_user postgres
key server RSA-2048
key client P-256 -subj /CN=alice
PATH=$(printf %s: /usr/lib/postgresql/*/bin)$PATH
initdb -D data -A trust > /dev/null
cat > data/pg_hba.conf << CONF
local all postgres trust
hostssl all all 127.0.0.1/32 cert
CONF
cat >> data/postgresql.conf << CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$HOME'
ssl = on
ssl_cert_file = '$HOME/server.crt'
ssl_key_file = '$HOME/server.key'
ssl_ca_file = '$HOME/ca.crt'
CONF
serve postgres -D data
until pg_isready -q -h "$HOME" -p "$port"; do sleep 0.1; done
psql -q -h "$HOME" -p "$port" -U postgres -c "CREATE ROLE alice LOGIN"
to="host=127.0.0.1 port=$port user=alice dbname=postgres sslrootcert=ca.crt
    sslmode=verify-ca"
ask() { psql -tA "$to $*" -c "SELECT current_user, ssl FROM pg_stat_ssl
    WHERE pid = pg_backend_pid()"; }
say "login by certificate"
[ "$(ask sslcert=client.crt sslkey=client.key)" = "alice|t" ] || die "not alice"
signed server
signed client
say "a reload reads the key again; sessions are served by processes of their own"
kill -HUP "$server"
for _ in 1 2 3 4 5 6 7 8; do
    ask sslcert=client.crt sslkey=client.key > asked & jobs+=($!)
done
wait "${jobs[@]}"
signed server 8
signed client 8
say "no certificate; the certificate of another key"
fails_with "certificate" ask sslcert=none sslkey=none
fails_with "does not match private key" ask sslcert=client.crt sslkey=server.key
stop
