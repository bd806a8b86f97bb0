#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two people publish their profiles and get each other's, from a portal and from
# a server of files.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/portal_lib.sh"
# as NAME COMMAND...: a person with a home of his own.
as() {
    (
        cd "$top/$1"
        HOME=$top/$1
        shift
        "$@"
    )
}
top=$HOME
mkdir -m 700 alice bob
for name in alice bob; do
    as $name meshctl create device --algorithm P-256
    as $name meshctl create personal --algorithm P-256 --description $name \
        --portal $name@$good > $name.uri
done
alice=$(cat alice.uri) bob=$(cat bob.uri)

say "what was never published"
ends 1 as alice meshctl refresh
grep -q "portal: ${alice#mesh://}: $good: status 404 (no such profile)" ends.out
say "published: found unchanged by account, URI, word, or all of them"
for name in alice bob; do
    has "published at $good" as $name meshctl publish
done
grep -q '^meshctl/[0-9.]* {"PublishRequest": {"Account": "alice@localhost:' \
    requests
before=$(as alice state)
for which in "" alice@$good ALICE@$good "$alice" "${alice#mesh://}" personal \
    --all; do
    ends 3 as alice meshctl refresh $which
    grep -qx "$alice: unchanged" ends.out || die "$which: $(cat ends.out)"
done
same "$(as alice state)" "$before"
same "$(tail -n 1 requests | cut -d' ' -f2-)" \
    "{\"GetRequest\": {\"Account\": \"alice@$good\", \"Multiple\": false}}"

say "another person is added, by the account or by the fingerprint"
has "$bob: added" as alice meshctl refresh bob@$good
has "bob" as alice meshctl show mesh://bob@$good
same "mesh://$(as alice meshctl default personal)" "$alice"
has "$alice: added" as bob meshctl refresh "$alice" --portal $good
has '"Identifier"' tail -n 1 requests
ends 3 as alice meshctl refresh --all
same "$(cat ends.out)" "$(printf '%s: unchanged\n' "$alice" "$bob")"
say "an account of somebody who is here already is one more of his"
mkdir -m 700 frank
has "$bob: added" as frank meshctl refresh "$bob" --portal $good
as frank fails_with "bob@$good" openssl pkey -in mesh://bob@$good/sign -pubout
ends 0 as frank meshctl refresh bob@$good
grep -qx "$bob: changed" ends.out || die "$(cat ends.out)"
grep -q "is here already; bob@$good is one more of its accounts" ends.out
as frank openssl pkey -in mesh://bob@$good/sign -pubout > /dev/null
ends 3 as frank meshctl refresh bob@$good
ends 3 as frank meshctl refresh --all
grep -qx "$bob: unchanged" ends.out
same "$(wc -l < "frank/.cryptomesh/${bob#mesh://}/${bob#mesh://}.all.mmm")" 1
say "who changes something is followed"
sleep 1 # versions differ by seconds
as bob meshctl create application ssh
as bob meshctl publish
ends 0 as alice meshctl refresh --all
same "$(cat ends.out)" "$(printf "$alice: unchanged\n$bob: changed")"
cmp alice/.cryptomesh/*/"${bob#mesh://}.mmm" bob/.cryptomesh/*/"${bob#mesh://}.mmm"
same "$(wc -l < "alice/.cryptomesh/${bob#mesh://}/${bob#mesh://}.all.mmm")" 2
ssh=$(as bob meshctl default ssh)
as bob meshctl publish ssh
say "and so is an application, at the portal of its person"
ends 3 as bob meshctl refresh ssh
grep -q "mesh://$ssh: unchanged" ends.out
has '"Identifier"' tail -n 1 requests

say "a server of files"
cp bob/.cryptomesh/*/"${bob#mesh://}.mmm" files/.well-known/mmm/
ends 3 as bob meshctl refresh --portal $files
fails_with "HTTP status 404, not found: neither a portal nor a server that has" \
    as bob meshctl refresh "$alice" --portal $files
fails_with "HTTP status 403: no portal; on a server of files put" \
    as bob meshctl publish --portal $files
fails_with "is asked by the fingerprint: meshctl refresh UDF --portal $files" \
    as bob meshctl refresh nobody@$files
mkdir -m 700 carol
has "$bob: added" as carol meshctl refresh "$bob" --portal $files
say "status 201 is success whatever HTTP says; redirects; no TLS to ourselves"
answers good -1 500
ends 3 as bob meshctl refresh
answers redirect https://$files/.well-known/mmm/${bob#mesh://}.mmm
ends 3 as bob meshctl refresh
answers good
http_proxy=http://$closed ends 3 as bob meshctl refresh --portal $plain
say "a proxy is for all that has TLS"
https_proxy=http://$closed fails_with "$good cannot be reached" \
    as bob meshctl refresh

say "the first portal that answers is asked"
mkdir -m 700 dave
as dave meshctl create device --algorithm P-256
as dave meshctl create personal --algorithm P-256 --portal dave@$closed \
    --portal dave@$good > dave.uri
fails_with "cannot be reached: Connection refused" as dave meshctl publish
has "published at $good" as dave meshctl publish --portal $good
ends 3 as dave meshctl refresh
grep -q "Connection refused.*; the next portal is asked" ends.out
say "one that fails does not keep the others"
mkdir -m 700 erin
has added as erin meshctl refresh bob@$good
ends 1 as erin meshctl refresh nobody@$good bob@$good
grep -q "mesh://nobody@$good: failed" ends.out
grep -q "$bob: unchanged" ends.out

say "wrong use"
ends 2 as bob meshctl refresh --portal http://portal.example.net
ends 2 as bob meshctl refresh --portal example.net/path
ends 2 as bob meshctl refresh --portal example.net:70000
ends 2 as bob meshctl refresh --timeout 0
ends 2 as bob meshctl refresh alice@
ends 2 as bob meshctl refresh --all bob@$good
fails_with "meshctl create makes one" as carol meshctl refresh device
fails_with "ca.missing: No such file" as bob meshctl refresh --cacert ca.missing
fails_with "its TLS certificate is not accepted" \
    as bob meshctl refresh --cacert "$top/stranger.crt"
ends 3 env SSL_CERT_FILE=/none HOME="$top/bob" "$MESH_BUILD/tools/meshctl" \
    refresh --cacert ca.crt
