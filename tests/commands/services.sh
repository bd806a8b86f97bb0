#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openssl ocsp, ts, cmp: services that sign.
. "$(dirname "$0")/lib.sh"
plain req -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf \
    -out leaf.csr 2> /dev/null
plain x509 -req -in leaf.csr -CA cert.pem -CAkey file.pem -set_serial 7 \
    -out leaf.pem 2> /dev/null
say "ocsp: answers and requests"
printf 'V\t%s\t\t07\tunknown\t/CN=leaf\n' "$(date -u -d tomorrow +%y%m%d%H%M%SZ)" \
    > index.txt
plain ocsp -issuer cert.pem -cert leaf.pem -reqout request.ocsp
answered() { plain ocsp -issuer cert.pem -cert leaf.pem -respin out \
    -CAfile cert.pem -no_nonce 2>&1 | grep "leaf.pem: good"; }
good answered ocsp -index index.txt -CA cert.pem -rsigner cert.pem -rkey KEY \
    -reqin request.ocsp -respout out
asked() { plain ocsp -reqin out -req_text | grep "Signature Algorithm"; }
good asked ocsp -issuer cert.pem -cert leaf.pem -signer cert.pem -signkey KEY \
    -reqout out
say "ts: time stamps (its -inkey takes files alone)"
plain x509 -req -in <(plain req -new -key file.pem -subj /CN=tsa) -signkey \
    file.pem -out tsa.pem -extfile <(echo "extendedKeyUsage=critical,timeStamping") \
    2> /dev/null
cat > ts.cnf <<'CNF'
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
CNF
plain ts -query -data message -sha256 -no_nonce -cert -out query.ts 2> /dev/null
ours reference.pem ts -reply -config ts.cnf -queryfile query.ts \
    -signer tsa.pem -inkey KEY -out out
plain ts -verify -queryfile query.ts -in out -CAfile tsa.pem > checked 2>&1 ||
    die "$(cat checked)"
say "cmp: a request, to openssl's mock server"
enrolled() { plain x509 -in out -noout -subject; }
good enrolled cmp -use_mock_srv -srv_ref ref -srv_secret pass:x -ref ref \
    -secret pass:x -cmd ir -newkey KEY -subject /CN=new -recipient /CN=ca \
    -rsp_cert cert.pem -certout out -batch
good enrolled cmp -use_mock_srv -srv_cert cert.pem -srv_key file.pem \
    -srv_trusted cert.pem -trusted cert.pem -cmd cr -cert cert.pem -key KEY \
    -newkey leaf.key -subject /CN=leaf -recipient /CN=ca -rsp_cert leaf.pem \
    -certout out -batch
