# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of this folder: words to make keys, to run a program
# with them, and to ask who has signed.  Builds on tests/lib.sh, which has
# openssl, plain (openssl without us), meshctl, say, die, fails_with.
#
# A script is the example of one program: what a user would write into its
# configuration, and the proof that it works with our key.
#
#   #!/bin/bash
#   # What runs here, and what is special about it.
#   . "$(dirname "$0")/lib.sh"
#   needs nginx                 # Debian's packages
#   key rsa RSA-2048            # rsa.key: key reference; rsa.crt: certificate
#   cat > nginx.conf <<CONF     # ... listen 127.0.0.1:$port ssl; ...
#   serve nginx -c "$PWD/nginx.conf"    # in the foreground, until the port is open
#   $ours nginx -t ...          # a program that ends by itself
#   handshake rsa -tls1_2       # plain OpenSSL verifies certificate and name
#   signed rsa 1                # our key, exactly once since it was asked last
#   stop                        # what was served; a crash fails
#
# It runs in an empty HOME of its own (mode 0700), as whoever runs it, mostly
# root; OPENSSL_CONF and OPENSSL_MODULES are exported.  Whatever it starts it
# starts by serve, or ends itself, by pid.  Failures stand beside successes:
# fails_with TEXT COMMAND...
apps=$(realpath "$(dirname "${BASH_SOURCE[0]}")") self=$(realpath "$0")
. "$apps/../lib.sh"
servers=()
trap end_servers EXIT
trap 'exit 143' TERM INT HUP
# Before a program that uses the module and is not served: a sanitizer's runtime
# comes first in it, if there is one.
ours="env LD_PRELOAD=${MESH_PRELOAD:-}"
[ -z "${MESH_PRELOAD:-}" ] || export ASAN_OPTIONS=detect_leaks=0

skip() {
    echo "skipped: $*"
    exit 77
}

# --- What must be there -------------------------------------------------------

# needs PACKAGE...: of Debian; root installs them, others skip.
needs() {
    dpkg-query -Wf '${Status}\n' "$@" 2>&1 | grep -qv ' installed$' || return 0
    [ "$(id -u)" = 0 ] || skip "needs root to install: $*"
    "$apps/../../tools/install-dependencies" --packages "$@" \
        > install.out 2>&1 ||
        skip "cannot install: $*: $(tail -n 1 install.out)"
}
# at_least VERSION FOUND
at_least() {
    printf '%s\n' "$@" | sort -VC
}
# needs_openssl VERSION: or later, e.g. 3.5 for Debian 13.
needs_openssl() {
    at_least "$1" "$(plain version | cut -d' ' -f2)" ||
        skip "needs OpenSSL $1, this is $(plain version)"
}
needs_root() {
    [ "$(id -u)" = 0 ] || skip "needs root"
}
# as_user NAME: the whole script goes on as this user, in a session of his own.
# After needs, which may make the user.
as_user() {
    [ "$(id -un)" != "$1" ] || return 0
    needs_root
    runuser -u "$1" -- test -x "$MESH_BUILD/mesh-keyd" ||
        skip "$1 cannot reach $MESH_BUILD"
    exec runuser -u "$1" -- "$apps/../with-keyring" "$self"
}

# --- Keys and certificates ----------------------------------------------------

# key NAME ALGORITHM [OPTION of openssl req...]: NAME.uri, NAME.key (the key
# reference), NAME.crt (by our CA, for localhost) and NAME.udf of a new key.
key() {
    local name=$1 algorithm=$2 device
    shift 2
    device=$(meshctl create device --algorithm "$algorithm")
    meshctl reference "$device/auth" > "$name.uri"
    meshctl reference "$device/auth" --out "$name.key"
    sed 's|.*/||' "$name.uri" > "$name.udf"
    certify "$name" "$(cat "$name.uri")" "$@"
    signatures "$name" > "$name.signed"
}
# file_key NAME [OPTION of openssl req...]: NAME.key, a P-256 key of plain
# OpenSSL, for the program at the other end; NAME.crt by our CA.
file_key() {
    local name=$1
    shift
    plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$name.key"
    certify "$name" "$name.key" "$@"
}
# certify NAME KEY [OPTION of openssl req...]: NAME.crt by our CA, ca.crt.
certify() {
    local name=$1 key=$2
    shift 2
    [ -e ca.crt ] || plain req -x509 -newkey ec -nodes -keyout ca.key \
        -pkeyopt ec_paramgen_curve:P-256 -subj "/CN=Test CA" -days 2 \
        -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt 2> /dev/null
    openssl req -new -key "$key" -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -addext keyUsage=digitalSignature,keyEncipherment "$@" \
        -out "$name.csr"
    plain x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -days 2 \
        -CAcreateserial -copy_extensions copyall -out "$name.crt" 2> /dev/null
}
# signatures NAME: how many the key holder has made with it, by its use log.
signatures() {
    grep -c "key=$(cat "$1.udf") sign.*: done" use.log || :
}
# signed NAME [N]: exactly N (1) signatures since it was asked last; N+: or more.
signed() {
    local before now expected=${2-1}
    before=$(cat "$1.signed") now=$(signatures "$1")
    echo "$now" > "$1.signed"
    case $expected in
    *+) [ $((now - before)) -ge "${expected%+}" ] ;;
    *) [ $((now - before)) -eq "$expected" ] ;;
    esac || die "our key $1 signed $((now - before)) times, not $expected"
}

# --- Programs -----------------------------------------------------------------

# setting NAME VALUE: of the provider, in openssl.cnf.
setting() {
    sed -i "/^\[mesh_provider\]/a $1 = $2" openssl.cnf
}
# free_port: prints one of 127.0.0.1; $port is one already.
free_port() {
    local number
    while number=$((20000 + RANDOM % 10000)); do
        ! is_open "$number" || continue
        echo $number
        return
    done
}
# Is it listened on, by TCP or UDP?  Asks the kernel, not who listens.
is_open() {
    grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") [0-9A-F]+:0000 0[A7] " \
        /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2> /dev/null
}
port=$(free_port)
# serve PROGRAM...: in the background until stop; waits until $port is open.
# $server is its pid; what it says goes to server.out.  It must not fork itself
# into the background.
serve() {
    is_open "$port" && die "somebody listens on port $port"
    $ours "$@" >> server.out 2>&1 < /dev/null & # a program: its pid is $!
    server=$!
    servers+=($server)
    for _ in $(seq 300); do
        ! is_open "$port" || return 0
        kill -0 $server 2> /dev/null || break
        sleep 0.1
    done
    die "does not serve: $*: $(tail -n 20 server.out)"
}
# stop: ends what was served last; it must end, and not by a crash.
stop() {
    local pid=${servers[-1]} status=0
    unset 'servers[-1]'
    end "$pid" || status=$?
    [ $status -le 128 ] || [ $status = 143 ] ||
        die "ended by signal $((status - 128)): $(tail -n 20 server.out)"
}
end() {
    kill "$1" 2> /dev/null || :
    for _ in $(seq 100); do
        kill -0 "$1" 2> /dev/null || break
        sleep 0.1
    done
    ! kill -KILL "$1" 2> /dev/null || echo "FAILED: it did not end" >> server.out
    wait "$1" 2> /dev/null
}
end_servers() {
    local status=$? pid
    trap - EXIT
    [ $status = 0 ] || [ $status = 77 ] || [ ! -s server.out ] ||
        tail -n 20 server.out
    for pid in "${servers[@]}"; do
        end "$pid" || :
    done
    exit $status
}
# handshake NAME [OPTION of s_client...]: plain OpenSSL with $port; the
# certificate is that of NAME.  What it said is in client.out.
handshake() {
    local name=$1
    shift
    plain s_client -connect "127.0.0.1:$port" -servername localhost \
        -verify_hostname localhost -CAfile ca.crt -verify_return_error "$@" \
        < /dev/null > client.out 2>&1 || die "no handshake: $(cat client.out)"
    cmp -s <(plain x509 -in client.out) <(plain x509 -in "$name.crt") ||
        die "not the certificate of $name: $(cat client.out)"
}
# handshakes N THREADS [OPTION...]: N of them with a web server, all good.
handshakes() {
    "$MESH_BUILD/tests/handshakes" "127.0.0.1:$port" localhost ca.crt "$@"
}
# during CHANGE COMMAND...: COMMAND succeeds while CHANGE is done at least three
# times.
during() {
    local change=$1 job times=0
    shift
    "$@" > during.out 2>&1 &
    job=$!
    while kill -0 $job 2> /dev/null; do
        $change
        : $((++times))
    done
    wait $job || die "$*: $(cat during.out)"
    echo "$(cat during.out) during $times times $change"
    [ $times -ge 3 ] || die "it was too short"
}
# endures "PID..." N THREADS [OPTION...]: of three times N handshakes one leaves
# these processes and the key holder with no more descriptors, and with hardly
# more memory.  (Threads that had not signed before have connections then; what
# leaks grows each time.)  $endured: how many there were, with 500 to get warm.
endures() {
    local pids=$1 count=$2 before after more=512
    shift 2
    [ -z "${MESH_PRELOAD:-}" ] || more=1000000 # what is freed waits there
    pids="$pids $(pgrep -f -- "mesh-keyd --socket $XDG_RUNTIME_DIR/")"
    handshakes 500 "$@" > /dev/null
    endured=500
    for _ in 1 2 3; do
        before=$(sizes $pids | xargs)
        handshakes "$count" "$@"
        endured=$((endured + count))
        sleep 0.5 # connections end a little later
        after=$(sizes $pids)
        ! awk -v before="$before" -v more=$more 'BEGIN { split(before, old) }
            $2 > old[NR * 3 - 1] || $3 > old[NR * 3] + more { exit 1 }' \
            <<< "$after" || return 0
    done
    die "pid, descriptors, KiB: $before; then: $(xargs <<< "$after")"
}
sizes() {
    local pid
    for pid in "$@"; do
        echo "$pid $(find "/proc/$pid/fd" -mindepth 1 | wc -l)" \
            "$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status")"
    done
}
# asking_server [OPTION of s_server...]: plain OpenSSL on $port, with the
# certificate peer.crt, which demands a certificate by our CA.
asking_server() {
    [ -e peer.crt ] || file_key peer
    serve OPENSSL_CONF=/dev/null openssl s_server -www -Verify 2 \
        -accept "127.0.0.1:$port" -cert peer.crt -key peer.key \
        -CAfile ca.crt -verify_return_error "$@"
}
