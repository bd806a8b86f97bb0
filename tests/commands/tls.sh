#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl s_server, s_client: the key of either side.
. "$(dirname "$0")/lib.sh"
# serve PROGRAM ARGUMENT...: an s_server, its port in $port.
serve() {
    rm -f server
    "$@" -accept 127.0.0.1:0 -www > server 2>&1 < /dev/null & server=$!
    port=
    for _ in {1..100}; do
        port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)\r*$/\1/p' server 2> /dev/null || :)
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    die "no server: $(cat server)"
}
trap 'kill $server 2> /dev/null || :' EXIT
for form in $forms; do
    say "the server's key: $form"
    serve "${openssl[@]}" s_server $query \
        -key $form -cert cert.pem
    for version in -tls1_2 -tls1_3; do
        before=$(used sign)
        plain s_client -connect 127.0.0.1:$port $version -CAfile cert.pem \
            -verify_return_error -verify_hostname localhost < /dev/null \
            > client 2>&1 || die "$(cat client server)"
        [ "$(used sign)" -gt "$before" ] || die "another key signed"
    done
    kill $server
    say "the client's key: $form"
    serve env OPENSSL_CONF=/dev/null openssl s_server -key file.pem \
        -cert cert.pem -CAfile cert.pem -Verify 1 -verify_return_error
    for version in -tls1_2 -tls1_3; do
        before=$(used sign)
        echo "GET / HTTP/1.0" | ours $form s_client -connect 127.0.0.1:$port \
            $version -CAfile cert.pem -verify_return_error -cert cert.pem \
            -key KEY -ign_eof > client 2>&1 || die "$(cat client server)"
        [ "$(used sign)" -gt "$before" ] || die "another key signed"
    done
    kill $server
done
