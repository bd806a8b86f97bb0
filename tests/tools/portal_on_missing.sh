#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# refresh = on-missing: a program asks for a profile of which there is no good
# copy, and meshctl gets it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/portal_lib.sh"
meshctl create device --algorithm P-256
personal=$(meshctl create personal --algorithm P-256 --portal alice@$good)
udf=${personal#mesh://}
meshctl publish
cp -a .cryptomesh whole
# set_to LINE...: of the provider, beside those that are always there.
set_to() {
    sed -i '/^refresh\|^meshctl-path/d' openssl.cnf
    for line in "$@"; do
        sed -i "/^\[mesh_provider\]/a $line" openssl.cnf
    done
}
loads() {
    openssl pkey -in "${1-mesh://personal/sign}" -pubout
}
missing() {
    : > requests
    rm -f .cryptomesh/"$udf"/*
}
say "never, and by default: nobody is asked"
missing
for line in "# none" "refresh = never"; do
    set_to "$line"
    fails_with "profile missing" loads
done
same "$(cat requests)" ""
set_to "refresh = on-missing" "meshctl-path = $MESH_BUILD/tools/meshctl"
say "nor while the archive has it"
cp whole/"$udf/$udf.all.mmm" .cryptomesh/"$udf"
loads > /dev/null
same "$(cat requests)" ""
say "on-missing: it comes back, by each of its names, and is asked for once"
for uri in mesh://personal/sign "$personal/sign" mesh://alice@$good/sign; do
    missing
    loads "$uri" > one.pub
    same "$(wc -l < requests)" 1
    cmp .cryptomesh/"$udf/$udf.mmm" whole/"$udf/$udf.mmm"
    loads "$uri" | cmp - one.pub
    same "$(wc -l < requests)" 1
done
say "and so does one that was changed"
missing
echo "no JSON" > .cryptomesh/"$udf/$udf.mmm"
loads > /dev/null
say "what is not in profiles.json, nobody is asked for"
: > requests
fails_with "unknown fingerprint" loads mesh://MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA
fails_with "unknown portal account" loads mesh://bob@$good
same "$(cat requests)" ""
say "it leaves no child and no signal"
missing
cat > child.py << 'PYTHON'
import ctypes, os, signal, subprocess, sys
said = []
signal.signal(signal.SIGCHLD, lambda *_: said.append(1))
crypto = ctypes.CDLL("libcrypto.so.3")
for name in "OSSL_STORE_open", "OSSL_STORE_load", "OSSL_STORE_INFO_get1_PUBKEY":
    getattr(crypto, name).restype = ctypes.c_void_p
store = crypto.OSSL_STORE_open(b"mesh://personal/sign?type=public", None, None,
                               None, None)
assert store and crypto.OSSL_STORE_load(ctypes.c_void_p(store))
assert not said, "SIGCHLD"
try:
    os.waitpid(-1, os.WNOHANG)
    sys.exit("there is a child")
except ChildProcessError:
    pass
PYTHON
# Python frees nothing at its end, nor does this script.
LD_PRELOAD="${MESH_PRELOAD:-}" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
    "$python" child.py
same "$(wc -l < requests)" 1
say "where it cannot come, the error is the same as ever"
answers status 500
missing
fails_with "profile missing" loads
same "$(wc -l < requests)" 1
set_to "refresh = on-missing" "meshctl-path = /none/meshctl"
fails_with "profile missing" loads
say "it is waited for no longer than 20 seconds"
printf '#!/bin/sh\necho $$ > %s/slow.pid\nexec sleep 100\n' "$HOME" > slow
chmod 755 slow
set_to "refresh = on-missing" "meshctl-path = $HOME/slow"
SECONDS=0
fails_with "profile missing" loads
kill "$(cat slow.pid)"
{ [ $SECONDS -ge 19 ] && [ $SECONDS -le 30 ]; } || die "$SECONDS s"
