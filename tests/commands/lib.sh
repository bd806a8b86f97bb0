# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of this folder: SCRIPT.sh RSA|EC after|before|propquery
#
# One key, as a file (file.pem) and in the key store.  Each openssl command runs
# with the file by plain OpenSSL, then with a URI and with a key-reference file
# by ours, which stands in openssl.cnf after default, before it, or is asked for
# by each command (-propquery).  The word KEY in a command is the key.
. "$(dirname "$0")/../lib.sh"
type=$1 query= forms="mesh://device/test reference.pem"
case $type in
RSA) plain genpkey -algorithm RSA -out file.pem 2> /dev/null ;;
EC) plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out file.pem ;;
esac
plain pkey -in file.pem -pubout -out public.pem
plain req -x509 -key file.pem -subj /CN=test -days 2 -out cert.pem \
    -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:TRUE
meshctl create device --algorithm P-256 > /dev/null
meshctl import file.pem --role test > /dev/null 2>&1
meshctl certificate mesh://device/test cert.pem
meshctl reference mesh://device/test --out reference.pem
echo "a message" > message
case $2 in
before) # "default = …" behind "mesh = …"
    sed -i '/^default = /d; s/^mesh = .*/&\ndefault = default_provider/' \
        openssl.cnf ;;
propquery) query="-propquery ?provider=mesh" ;;
esac

# ours FORM COMMAND...: openssl with our module, KEY replaced by FORM.
ours() {
    form=$1 command=$2
    shift 2
    rm -f out
    openssl "$command" $query "${@//KEY/$form}"
}
# same COMMAND...: what it prints and what it writes to "out" is the same with
# the file, the URI and the reference.
same() {
    rm -f out
    plain "${@//KEY/file.pem}" > printed.file 2> /dev/null
    [ ! -f out ] || mv out out.file
    for form in $forms; do
        ours $form "$@" > printed 2> errors ||
            die "$form: $*: $(cat errors)"
        cmp printed printed.file || die "$form: $*"
        [ ! -f out ] || cmp out out.file || die "$form: $*"
    done
}
# good CHECK COMMAND...: it succeeds with the URI and the reference, the key
# holder does something for it, and CHECK finds "out" good.
good() {
    check=$1
    shift
    for form in $forms; do
        before=$(used .)
        ours $form "$@" > printed 2>&1 || die "$form: $*: $(cat printed)"
        [ "$(used .)" -gt "$before" ] || die "without the key: $form: $*"
        $check > checked 2>&1 || die "$check: $form: $*: $(cat checked)"
    done
}
# refused TEXT COMMAND...: with TEXT, whatever the form; "out" holds no key.
refused() {
    text=$1
    shift
    for form in $forms; do
        fails_with "$text" ours $form "$@"
        ! grep -q KEY- out 2> /dev/null || die "$form: $*: it wrote a key"
    done
}
