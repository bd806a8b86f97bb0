#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody else serves in mesh-keyd's place, or may: nothing is sent there, and
# openssl says who it is.
. "$(dirname "$0")/../bad_input.sh"
meshctl create device --algorithm P-256
signs mesh://device/auth
folder=$XDG_RUNTIME_DIR/mesh
say "the folder is open to others"
before=$(state)
for mode in 0722 0777; do
    chmod $mode "$folder"
    in_time 5 "unsafe file" "is open to others (mode $mode): chmod 700 it"
done
chmod 700 "$folder"
say "the folder is a link"
mv "$folder" elsewhere
ln -s "$HOME/elsewhere" "$folder"
in_time 5 "unsafe file" "$folder, the folder of mesh-keyd's socket, is a link"
rm "$folder"
mv elsewhere "$folder"
signs mesh://device/auth
[ "$(state)" = "$before" ] || die "files have changed"

say "another user's program"
[ "$(id -u)" = 0 ] || { echo "skipped: only root can become another"; exit 77; }
rm "$folder/keyd.sock"
python3 - "$folder/keyd.sock" > got <<'PYTHON' &
import os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
os.setuid(65534)
server.listen()
server.settimeout(60)
print("listens", flush=True)
for _ in range(2):
    print("got", server.accept()[0].recv(65536), flush=True)
PYTHON
server=$!
trap 'kill $server 2> /dev/null || true' EXIT
until [ -s got ]; do sleep 0.1; done
in_time 5 "key holder of another user" \
    "$folder/keyd.sock is served by process $server of user 65534, not by"
says "key holder of another user" "nothing was sent to it" meshctl list --keys
wait $server
[ "$(sort -u got)" = "got b''"$'\n'"listens" ] || die "it was sent: $(cat got)"
[ "$(state)" = "$before" ] || die "files have changed"
