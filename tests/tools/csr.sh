#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A certificate request, signed where the key is kept: plain openssl believes
# it, and the certificate made of it goes back to the key.
. "$(dirname "$0")/lib.sh"
# No openssl.cnf, no module file: the provider is inside.
unset OPENSSL_MODULES
export OPENSSL_CONF=/dev/null
meshctl create device --algorithm P-256 --description my.example.net
meshctl create personal --algorithm P-256
meshctl create application web --algorithm RSA-2048 --description "the web"
plain req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=authority \
    -out ca.crt
# shows FILE TEXT...: what openssl reads in a request that verifies.
shows() {
    local file=$1 text
    shift
    has "verify OK" plain req -in "$file" -noout -verify
    plain req -in "$file" -noout -text -nameopt RFC2253,-esc_msb > shown
    for text; do
        grep -qF -- "$text" shown || die "no '$text': $(cat shown)"
    done
}

say "each algorithm that signs: with its own digest, believed, and certified"
# round_trip ALGORITHM SIGNATURE
round_trip() {
    meshctl --home "$HOME/$1" create device --algorithm "$1"
    meshctl --home "$HOME/$1" csr mesh://device/auth --subject "/CN=$1" \
        --out "$1.csr"
    shows "$1.csr" "Subject: CN=$1" "Signature Algorithm: $2"
    plain x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial \
        -out "$1.crt"
    meshctl --home "$HOME/$1" certificate mesh://device/auth "$1.crt"
    has "CN=$1" meshctl --home "$HOME/$1" show mesh://device/auth
}
round_trip RSA-2048 sha256WithRSAEncryption
round_trip RSA-PSS-2048 rsassaPss
round_trip P-256 ecdsa-with-SHA256
round_trip ED25519 ED25519
round_trip ED448 ED448
case $(meshctl create device --help) in
*" ML-DSA-44"*) round_trip ML-DSA-44 ML-DSA-44 ;;
*) say "no ML-DSA in this OpenSSL" ;;
esac

say "the key is the one that was named, and nobody else signs"
before=$(used sign)
meshctl csr mesh://web/sign > web.csr
same "$(used sign)" $((before + 1))
shows web.csr "Subject: CN=the web"
plain req -in web.csr -noout -pubkey > web.pub
meshctl csr mesh://web | plain req -noout -pubkey | cmp - web.pub
! meshctl csr mesh://device | plain req -noout -pubkey | cmp -s - web.pub ||
    die "the device has the same key"

say "names: all kinds, in their order; the first of DNS is the subject"
meshctl csr mesh://web --name IP:192.0.2.1 --name DNS:www.example.net \
    --name dns:*.example.org --name email:alice@example.net \
    --name URI:https://example.net/a --name IP:2001:db8::1 --out names.csr
same "$(stat -c %a names.csr)" 600
shows names.csr "Subject: CN=www.example.net" "IP Address:192.0.2.1, \
DNS:www.example.net, DNS:*.example.org, email:alice@example.net, \
URI:https://example.net/a, IP Address:2001:DB8:0:0:0:0:0:1"
same "$(grep -c "Subject Alternative Name" shown)" 1
meshctl csr mesh://web | plain req -noout -text > shown
! grep -q "X509v3" shown || die "names of nobody's wish"

say "subjects, as openssl req takes them"
for subject in / /CN=a "/C=NL/O=Ex\\/ample/CN=www" "/O=a+OU=b/CN=c" \
    "/CN=a\\+b\\\\c=d" "/CN=Zoë/emailAddress=a@example.net" "/1.2.3.4=x"; do
    meshctl csr mesh://device --subject "$subject" |
        plain req -noout -subject -nameopt RFC2253 > ours
    [ "$subject" = /1.2.3.4=x ] || # which openssl req leaves out
        openssl req -new -newkey rsa:2048 -nodes -keyout other.key -utf8 \
            -subj "$subject" 2> other.err |
        plain req -noout -subject -nameopt RFC2253 | diff - ours ||
        die "$subject: $(cat other.err)"
done
grep -q 1.2.3.4= ours

say "without a description, or with none that fits"
meshctl describe device ""
fails_with "has no description that could be the subject; write --subject" \
    meshctl csr mesh://device
meshctl describe device "$(printf '%070d' 0)"
fails_with "cannot be CN: too long" meshctl csr mesh://device
meshctl csr mesh://device --subject / --name DNS:a.example > none.csr
shows none.csr "Subject:" "DNS:a.example"

say "bad subjects and names: wrong use, nothing is written, nobody signs"
before=$(used sign)
refuses() {
    ends 2 meshctl csr mesh://web "${@:2}" --out bad.csr
    grep -qF -- "$1" ends.out || die "no '$1': $(cat ends.out)"
    [ ! -e bad.csr ] || die "it was written: $*"
}
refuses "begins with '/', as in /CN=" --subject CN=a
refuses "begins with '/'" --subject ""
refuses "'a' has no '='" --subject /a
refuses "'b' has no '='" --subject /CN=a/b
refuses "'c' has no '='" --subject /CN=a+c
refuses "'XY' is no type of name" --subject /XY=a
refuses "'' cannot be CN" --subject /CN=
refuses "'NLD' cannot be C:" --subject /C=NLD
refuses "cannot be CN" --subject $'/CN=\xff\xfe'
refuses "begins with its type" --name www.example.net
refuses "begins with its type" --name dirName:a
refuses "begins with its type" --name ""
refuses "is no DNS name" --name DNS:
refuses "is no DNS name" --name "DNS:a.example,DNS:b.example"
refuses "is no DNS name" --name "DNS:a b"
refuses "is no DNS name; one is DNS:www.example.net (other letters" \
    --name DNS:zoë.example
refuses "is no IP name" --name IP:1.2.3
refuses "is no email name" --name email:alice
refuses "is no email name" --name email:@example.net
refuses "is no URI name" --name URI:example.net
refuses "is no URI name" --name $'URI:http://a\nb'
refuses "was given more than 100 times" \
    $(for i in $(seq 101); do echo "--name DNS:$i.example"; done)
ends 2 meshctl csr
same "$(used sign)" "$before"

say "keys that cannot sign, that are not here, that there are not"
meshctl --home "$HOME/x" create device --algorithm P-256 \
    --encryption-algorithm X25519
fails_with "is X25519, which cannot sign" \
    meshctl --home "$HOME/x" csr mesh://device/encrypt --subject /CN=a
fails_with "no key 'nosuch'" meshctl csr mesh://web/nosuch
meshctl create application mail
fails_with "no key 'sign'" meshctl csr mesh://mail --subject /CN=a
meshctl csr mesh://mail/encrypt --subject /CN=a > mail.csr
shows mail.csr "sha256WithRSAEncryption"
fails_with "'web' is no URI; write mesh://web" meshctl csr web
meshctl delete --yes mesh://mail/encrypt
fails_with "private key not held" \
    meshctl csr mesh://mail/encrypt --subject /CN=a --out bad.csr
[ ! -e bad.csr ] || die "it was written"

say "files: a private key is not replaced, a request is"
chmod 600 ca.key
before=$(sha256sum ca.key)
fails_with "ca.key holds a private key" meshctl csr mesh://web --out ca.key
same "$(sha256sum ca.key)" "$before"
meshctl csr mesh://web --out names.csr
shows names.csr "CN=the web"
fails_with "file missing" meshctl csr mesh://web --out "$HOME/missing/a.csr"
fails_with "standard output" bash -c "'$MESH_BUILD/tools/meshctl' \
    --keyd-path '$MESH_BUILD/mesh-keyd' csr mesh://web > /dev/full"

say "the options before the command hold for the key, too"
fails_with "mesh-keyd" "$MESH_BUILD/tools/meshctl" --keyd-path /nosuch/keyd \
    --keyd-socket "$HOME/nobody" csr mesh://web
