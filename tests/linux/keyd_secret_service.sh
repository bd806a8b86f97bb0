#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Items of the Secret Service: how keys are kept there, and what is refused of
# what may be found there.
. "$(dirname "$0")/keyd_lib.sh"
put="$MESH_BUILD/tests/put_secret"
schema=org.cryptomesh.PrivateKey
item() {
    gdbus call --session -d org.freedesktop.secrets -o "$1" \
        -m org.freedesktop.DBus.Properties.Get org.freedesktop.Secret.Item "$2"
}
spki() {
    openssl pkey -pubin -in "$1.pub" -outform DER | openssl dgst -sha256 -r |
        cut -d' ' -f1
}
search() {
    secrets SearchItems \
        "{'xdg:schema': '$schema', 'spki-sha256': '$(spki "$1")'}"
}
for name in one two three four five; do
    new_key $name EC ec_paramgen_curve:P-256
done
new_key six RSA rsa_keygen_bits:2048
start_keyd

say "an imported key is an item with attributes and a label"
call import one.p8 > one.out
cmp one.out one.pub
path=$(search one | grep -o "/org/[^']*")
for part in "'spki-sha256': '$(spki one)'" "'algorithm': 'P-256'" \
    "'version': '1'" "'udf': 'M" "'xdg:schema': '$schema'"; do
    item "$path" Attributes | grep -qF "$part" || die "no $part"
done
item "$path" Label | grep -q "'mmm:M[A-Z0-9-]* (P-256)'"
signs one

say "a key is there once"
fails_with "key is there already" call import one.p8

say "PEM is read, too"
"$put" two.pem $schema spki-sha256="$(spki two)" > /dev/null
[ "$(call stat two.pub)" = held ]
signs two

say "two items for a key are refused"
"$put" three.p8 $schema spki-sha256="$(spki three)" > /dev/null
"$put" three.p8 $schema spki-sha256="$(spki three)" x=y > /dev/null
fails_with "key found more than once" try_sign three

say "another key under the name is refused, and what is none"
"$put" one.p8 $schema spki-sha256="$(spki four)" > /dev/null
fails_with "another key under this name" try_sign four
"$put" one.pub $schema spki-sha256="$(spki five)" > /dev/null
fails_with "malformed key" try_sign five

say "a key that is nowhere is said to be"
[ "$(call stat six.pub)" = "not held" ]
fails_with "not held" try_sign six

say "a generated key signs, is listed, and is deleted"
call generate ED25519 > new.pub
call list | grep -q " ED25519 secret-service"
[ "$(call stat new.pub)" = held ]
call delete new.pub
[ "$(call stat new.pub)" = "not held" ]
fails_with "not held" call delete new.pub

say "locked: stat and list work, nothing else, and keys in memory are gone"
signs one
lock_collection
eventually status_is cached=0
status_is locked=1
[ "$(call stat one.pub)" = held ]
call list | grep -q " P-256 secret-service"
fails_with "nobody may be asked" try_sign one
fails_with "nobody may be asked" call import six.p8
fails_with "nobody may be asked" call delete one.pub
[ "$(call stat six.pub)" = "not held" ]
stop_keyd
[ "$(wc -l < "$use_log")" -gt 10 ]
grep -q "program=.*/keyd_call key=M.* sign SHA2-256: done" "$use_log"

say "the Secret Service ends and comes back: keys are forgotten, then found"
start_keyd
kill "$(service_pid)"
eventually status_is secret-service=0
fails_with "Secret Service" try_sign one
printf testpw | gnome-keyring-daemon --unlock --foreground \
    --components=secrets > /dev/null 2>&1 &
gdbus wait --session --timeout 10 org.freedesktop.secrets
signs one

say "the passphrase of a key file comes and goes with its registration"
openssl pkey -in six.pem -aes256 -passout pass:turtle -out sealed.pem
chmod 600 sealed.pem
kept() {
    secrets SearchItems "{'path': '$PWD/sealed.pem'}" | grep -q "/org/"
}
call register "$PWD/sealed.pem" secret-service turtle > /dev/null
kept
signs six
call delete six.pub
if kept; then die "the passphrase is there still"; fi
fails_with "not held" try_sign six
signs one
kill "$(service_pid)"
eventually status_is cached=0
stop_keyd

say "without a bus: an error at once, and key files work"
(
    unset DBUS_SESSION_BUS_ADDRESS
    cp six.pem file.pem
    chmod 600 file.pem
    start_keyd
    time=$SECONDS
    fails_with "Secret Service" try_sign one
    [ $((SECONDS - time)) -le 2 ] || die "it took too long"
    fails_with "Secret Service" call generate P-256
    status_is secret-service=0
    call register "$PWD/file.pem" > /dev/null
    signs six
    call list | grep -q key-file
    stop_keyd
)
