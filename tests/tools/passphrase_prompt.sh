#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A passphrase is asked for on the terminal, without an echo, and nowhere else.
. "$(dirname "$0")/lib.sh"
command -v expect > /dev/null || {
    echo "skipped, there is no expect"
    exit 77
}
meshctl create device --algorithm P-256
plain genpkey -algorithm ED25519 -aes-256-cbc -pass pass:secret42 -out key.pem
cat > import.exp <<'EXPECT'
set timeout 30
spawn -noecho $env(MESH_BUILD)/tools/meshctl --keyd-path \
    $env(MESH_BUILD)/mesh-keyd import key.pem
expect "Passphrase of key.pem: "
# The echo is switched off after the prompt.
while {![string match "*-echo *" [exec stty -a < $spawn_out(slave,name)]]} {
    after 20
}
send "[lindex $argv 0]\r"
expect eof
exit [lindex [wait] 3]
EXPECT

say "without a terminal nobody is asked, nor is standard input read"
fails_with "there is no terminal to ask on; use --passphrase-file" \
    setsid "$MESH_BUILD/tools/meshctl" import key.pem <<< secret42
say "a wrong one"
before=$(state)
fails_with "wrong or missing passphrase: key.pem cannot be decrypted" \
    expect import.exp wrong
same "$(state)" "$before"
say "Ctrl-C ends it as it ends any program"
sed -e 's/^send .*/send "\\003"/' -e 's/^exit .*/puts "ended: [wait]"/' \
    import.exp > interrupt.exp
has "SIGINT" expect interrupt.exp
same "$(state)" "$before"
say "the right one"
expect import.exp secret42 > session
grep -q "^mesh://M" session
! grep -q secret42 session || die "the passphrase was shown"
