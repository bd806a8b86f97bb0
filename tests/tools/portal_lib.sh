# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: nginx with TLS on localhost, in front of portal.py and of
# a folder of files.
#
#   $good     the portal, localhost:PORT       $files  the static server
#   $wrong    certificate of another name      $old    an expired one
#   $foreign  of a CA that nobody knows        $closed nobody listens
#   $plain    the portal without TLS
# answers MODE...: how the portal answers from now on.
PATH=$PATH:/usr/sbin
for tool in nginx python3; do
    command -v $tool > /dev/null || { echo "skipped: needs $tool"; exit 77; }
done
tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
python=$(PATH=/usr/bin:$PATH command -v python3)
export SSL_CERT_FILE=$HOME/ca.crt
servers=()
end_servers() {
    status=$?
    trap - EXIT
    for server in "${servers[@]}"; do
        kill "$server" 2> /dev/null && wait "$server" 2> /dev/null || :
    done
    exit $status
}
trap end_servers EXIT
trap 'exit 143' TERM INT HUP

# ca NAME; certify NAME SUBJECT CA [OPTION...]
ca() {
    plain req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" -days 2 \
        -addext basicConstraints=critical,CA:TRUE 2> /dev/null
}
certify() {
    plain req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" \
        -addext "subjectAltName=DNS:$2" 2> /dev/null
    plain x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial \
        -copy_extensions copyall -out "$1.crt" "${@:4}" 2> /dev/null
}
# site PORT CERTIFICATE
site() {
    cat << CONF
    server {
        listen 127.0.0.1:$1 ssl;
        ssl_certificate $HOME/$2.crt;
        ssl_certificate_key $HOME/$2.key;
        location / {
            proxy_pass http://127.0.0.1:$((base + 6));
            proxy_buffering off;
            proxy_http_version 1.0;
        }
    }
CONF
}
configure() {
    [ "$(id -u)" != 0 ] || echo "user root;"
    cat << CONF
daemon off;
pid nginx.pid;
error_log error.log;
events {}
http {
    access_log off;
    client_max_body_size 16m;
    client_body_temp_path $HOME/tmp;
    proxy_temp_path $HOME/tmp;
    fastcgi_temp_path $HOME/tmp;
    uwsgi_temp_path $HOME/tmp;
    scgi_temp_path $HOME/tmp;
    server {
        listen 127.0.0.1:$((base + 1)) ssl;
        ssl_certificate $HOME/good.crt;
        ssl_certificate_key $HOME/good.key;
        root $HOME/files;
    }
$(site "$base" good; site $((base + 2)) wrong; site $((base + 3)) old
    site $((base + 4)) foreign)
}
CONF
}
# start_servers: on ports that are free, if not at once; plain OpenSSL.  Each
# makes a file when the ports are its own: another test's may listen there.
start_servers() {
    for _ in 1 2 3 4 5; do
        base=$((20000 + RANDOM % 10000))
        servers=()
        rm -f nginx.pid portal.ready
        configure > nginx.conf
        OPENSSL_CONF=/dev/null nginx -p "$HOME" -c nginx.conf -e error.log 2> /dev/null &
        servers+=($!)
        OPENSSL_CONF=/dev/null "$python" "$tests/portal.py" $((base + 6)) "$HOME" &
        servers+=($!)
        for _ in {1..50}; do
            kill -0 "${servers[@]}" 2> /dev/null || break
            ! [ -s nginx.pid -a -e portal.ready ] || return 0
            sleep 0.1
        done
        kill "${servers[@]}" 2> /dev/null || :
    done
    die "no servers: $(cat error.log)"
}
answers() {
    echo "$*" > mode
}

ca ca
ca stranger
certify good localhost ca -days 2
certify wrong portal.example.net ca -days 2
certify old localhost ca -days 0
certify foreign localhost stranger -days 2
mkdir -p tmp files/.well-known/mmm
answers good
start_servers
good=localhost:$base files=localhost:$((base + 1)) wrong=localhost:$((base + 2))
old=localhost:$((base + 3)) foreign=localhost:$((base + 4))
closed=localhost:$((base + 5)) plain=http://localhost:$((base + 6))
