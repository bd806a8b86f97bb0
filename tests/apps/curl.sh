#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# curl: client authentication, by a key reference; from 8.13 by URI, too
. "$(dirname "$0")/lib.sh"
needs curl
[ -z "${MESH_PRELOAD:-}" ] || skip "curl stops with a sanitizer's runtime"
key rsa RSA-2048 -subj /CN=alice
key ec P-256 -subj /CN=bob
# fetches TEXT OPTION...: curl gets the page, and the server knows the client.
fetches() {
    $ours curl --silent --show-error --cacert ca.crt "https://localhost:$port/" \
        --resolve "localhost:$port:127.0.0.1" "${@:2}" > page
    grep -q "Subject: $1\$" page || die "not $1: $(cat page)"
}
for version in tls1_2 tls1_3; do
    say "$version: certificate and key"
    asking_server -$version
    fetches "CN *= *alice" --cert rsa.crt --key rsa.key
    signed rsa
    fetches "CN *= *bob" --cert ec.crt --key ec.key
    signed ec
    say "$version: both in one file, the key first"
    cat rsa.key rsa.crt > rsa.pem
    fetches "CN *= *alice" --cert rsa.pem
    signed rsa
    say "$version: no certificate, no page"
    fails_with "alert" fetches nobody
    say "$version: certificate of another key"
    fails_with "does not match" fetches nobody --cert rsa.crt --key ec.key
    signed ec 0
    stop
done
if at_least 8.13 "$(curl --version | sed 's/curl \([0-9.]*\).*/\1/; q')"; then
    say "the key by its URI"
    asking_server
    fetches "CN *= *alice" --cert rsa.crt --engine mesh \
        --key "$(cat rsa.uri)" --key-type PROV
    signed rsa
    stop
fi
