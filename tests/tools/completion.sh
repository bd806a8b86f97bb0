#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completion: commands, options, URIs; by bash as bash does it, by zsh if there
# is one.
. "$(dirname "$0")/lib.sh"
folder=$MESH_SOURCE/tools/completion
device=$(meshctl create device --algorithm P-256)
meshctl create personal --algorithm P-256
web=$(meshctl create application web --algorithm P-256)
# What meshctl is to a user.
mkdir bin
cat > bin/meshctl <<SH
#!/bin/sh
exec "$MESH_BUILD/tools/meshctl" --keyd-path "$MESH_BUILD/mesh-keyd" "\$@"
SH
chmod +x bin/meshctl

# completes LINE: the words that bash offers at its end, as they would stand
# after the last colon.
completes() {
    PATH=$HOME/bin:$PATH bash -c '. "$1/meshctl.bash"
        set -u
        COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=(meshctl) COMP_CWORD=1
        _meshctl
        printf "%s\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}' \
        bash "$folder" "$1" | sort -u | tr '\n' ' '
}
offers() {
    same "$(completes "$1")" "$2 "
}
say "commands"
offers "meshctl rol" rollover
offers "meshctl rem" remove
offers "meshctl create p" personal
offers "meshctl --home $HOME/.cryptomesh remove " "account application device"
offers "meshctl help ver" verify
say "every command that there is"
all=$(meshctl --help | awk '/^  [a-z]/ { print $1 }' | sort -u | tr '\n' ' ')
same "$(completes "meshctl ")" "$all"
say "options"
offers "meshctl create device --enc" --encryption-algorithm
offers "meshctl list --" "--help --json --keys"
offers "meshctl --k" "--keyd-path --keyd-socket"
offers "meshctl create device --algorithm P-3" P-384
offers "meshctl create application s" ssh
offers "meshctl default per" personal
say "the value of an option"
touch ca.crt
offers "meshctl refresh --cacert ca.c" ca.crt
offers "meshctl refresh --timeout " ""
say "URIs: of profiles, and of their keys; a colon cuts the word"
offers "meshctl show mesh://d" //device
offers "meshctl show mesh://w" //web
offers "meshctl show ${device%??????}" "${device#mesh:}"
offers "meshctl verify $device ${web%??????}" "${web#mesh:}"
offers "meshctl rollover mesh://device/" \
    "//device/auth //device/encrypt //device/sign"
offers "meshctl default web mesh://we" //web
offers "meshctl reference mesh://personal/o" ""
offers "meshctl reference mesh://personal/m" //personal/master
say "what somebody else calls a key is not run"
other=$(meshctl create device) # what craft.py signs with is RSA
file=.cryptomesh/${other#mesh://}/${other#mesh://}.mmm
"$MESH_SOURCE/tests/store/craft.py" "$file" "$other" \
    'payload = payload.replace("DeviceAuthenticationKey", "x$(>${PWD}/run)")' \
    > crafted
cat crafted > "$file"
has 'x$(>${PWD}/run)' meshctl show "$other"
offers "meshctl rollover $other/x" "${other#mesh:}/x\\\$\\(\\>\\\$\\{PWD\\}/run\\)"
[ ! -e run ] || die "it was run"
say "nothing where there is nothing to offer"
offers "meshctl nonsense --x" ""
offers "meshctl list " ""
offers "meshctl create device --description x" ""
offers "meshctl show mesh://nosuch/" ""

# on_terminal SHELL...: what a user types, and what stands there after a tab.
cat > tab.exp <<'EXPECT'
set timeout 20
set shell [lindex $argv 0]
spawn -noecho {*}$shell
send "[lindex $argv 1]\r"
expect -re "READY\[^'\]"
foreach {typed wanted} [lrange $argv 2 end] {
    send "$typed\t"
    expect {
        -ex $wanted { send "\x15" }
        timeout { puts "no '$wanted' after '$typed'"; exit 1 }
    }
}
EXPECT
on_terminal() {
    PATH=$HOME/bin:$PATH TERM=dumb expect tab.exp "$@" \
        "meshctl rol" "rollover " "meshctl create device --enc" \
        "--encryption-algorithm " "meshctl show mesh://dev" mesh://device \
        "meshctl show mesh://device/au" "mesh://device/auth " > tab.out ||
        die "$(cat tab.out)"
}
command -v expect > /dev/null || {
    say "expect is not installed: not tried on a terminal"
    exit 0
}
say "bash, on a terminal"
on_terminal "bash --norc --noprofile" \
    "PS1='>>> '; . $folder/meshctl.bash; echo REA''DY"
if command -v zsh > /dev/null; then
    say "zsh, on a terminal"
    on_terminal "zsh -f" "PS1='>>> '; unsetopt zle_bracketed_paste; \
fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -D; echo REA''DY"
else
    say "zsh is not installed: its completion was not tried"
fi
