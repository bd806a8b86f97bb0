#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TLS 1.2 and 1.3 handshakes: our key in s_server, plain OpenSSL in s_client;
# and the other way round, with a client certificate.
# Usage: tls.sh ALGORITHM config|provider
. "$(dirname "$0")/tls_lib.sh"
meshctl create device --algorithm "$1"
activated_by "$2"
openssl req $by -x509 -key mesh://device/auth -subj /CN=localhost -days 2 \
    -addext subjectAltName=DNS:localhost -out auth.crt
meshctl certificate mesh://device/auth auth.crt
signed=$(used sign)
for version in tls1_2 tls1_3; do
    say "$version: our key in the server"
    serve $ours s_server $by -cert auth.crt -key mesh://device/auth -$version
    echo | plain s_client -connect "127.0.0.1:$port" -CAfile auth.crt \
        -verify_return_error -verify_hostname localhost -$version > client.out
    grep "Verify return code: 0 (ok)" client.out
    stop
    [ "$(used sign)" -eq $((signed += 1)) ] || die "the key holder did not sign"
    say "$version: certificate and key by one URI"
    serve $ours s_server $by -cert mesh://device/auth -key mesh://device/auth
    echo | plain s_client -connect "127.0.0.1:$port" -CAfile auth.crt \
        -verify_return_error -$version > client.out
    stop
    [ "$(used sign)" -eq $((signed += 1)) ] || die "the key holder did not sign"
    say "$version: our key in the client"
    plain req -x509 -newkey rsa:2048 -nodes -keyout server.key -days 2 \
        -subj /CN=server -out server.crt 2> /dev/null
    serve OPENSSL_CONF=/dev/null openssl s_server -cert server.crt \
        -key server.key -$version -Verify 1 -verify_return_error \
        -CAfile auth.crt
    echo "GET / HTTP/1.0

" | openssl s_client $by -connect "127.0.0.1:$port" -cert auth.crt -ign_eof \
        -key mesh://device/auth -CAfile server.crt -$version > client.out
    grep "CN *= *localhost" client.out
    stop
    [ "$(used sign)" -eq $((signed += 1)) ] || die "the key holder did not sign"
done
case $1 in RSA-*)
    say "tls1_2: key exchange by RSA, decrypted where the key is"
    serve $ours s_server $by -cert auth.crt -key mesh://device/auth -tls1_2 \
        -cipher AES256-GCM-SHA384
    echo | plain s_client -connect "127.0.0.1:$port" -CAfile auth.crt \
        -verify_return_error -cipher AES256-GCM-SHA384 > client.out
    grep "Cipher is AES256-GCM-SHA384" client.out
    stop
    [ "$(used decrypt)" -eq 1 ] || die "the key holder did not decrypt" ;;
esac
