#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Help everywhere, and the manual page says the same.
. "$(dirname "$0")/lib.sh"
page=$(dirname "$0")/../../docs/meshctl.1.md
cd "$OLDPWD"
has "meshctl 0." meshctl --version
has "usage: meshctl" meshctl --help
# The section of a command in the manual page, without its typesetting.
section() {
    awk -v title="## $1" '$0 == title { on = 1; next } /^#/ { on = 0 } on' \
        "$page" | tr -d '*\\' | tr '\n' ' '
}
commands=$(meshctl --help | awk '/^  [a-z]/ { print $1, ($2 ~ \
    /^(device|personal|application|account)$/ ? $2 : "") }' | sed 's/ $//')
same "$(sort <<< "$commands")" "$(sed -n 's/^## //p' "$page" | sort)"
while read -r command; do
    help=$(meshctl $command --help < /dev/null)
    text=$(section "$command")
    case $help in
    "usage: meshctl $command"[\ $'\n']*) ;;
    *) die "$command --help: $help" ;;
    esac
    ! grep " $" <<< "$help" || die "a blank at the end of a line"
    same "$(meshctl help $command)" "$help"
    same "$(meshctl $command -h)" "$help"
    options=$(grep -o -e '--[a-z-]*' <<< "$help" | sort -u)
    same "$options" "$(grep -o -e '--[a-z-]*' <<< "$text" | sort -u)"
    ends 2 meshctl $command --no-such-option
done <<< "$commands"
has "create personal" meshctl create --help
has "  RSA-2048 RSA-3072" meshctl create --help
same "$(meshctl help)" "$(meshctl --help)"
same "$(meshctl -h)" "$(meshctl --help)"
same "$(meshctl -V)" "$(meshctl --version)"
say "wrong use: status 2, and what to do"
ends 2 meshctl
ends 2 meshctl nonsense
ends 2 meshctl create
ends 2 meshctl --no-such-option list
ends 2 meshctl --home
ends 2 meshctl --vers
ends 2 meshctl list --js
fails_with "option --js is not known" meshctl list --js
say "one - where two are wanted: the right word is accused, and the right one said"
fails_with "option -out is not known; --out is; see 'meshctl reference --help'" \
    meshctl reference mesh://device/auth -out y
fails_with "option -json is not known; --json is" meshctl list -json
fails_with "option -out is not known; --out is" \
    meshctl reference -out=y mesh://device/auth
fails_with "option -passin is not known; see" \
    meshctl import enc.pem -passin pass:abc
fails_with "option -x is not known; see" meshctl list -x
fails_with "option -home is not known; --home is" meshctl -home /tmp list
fails_with "option --home stands before the command; see" \
    meshctl list --home=/tmp
fails_with "option --nosuch is not known; see" \
    meshctl reference mesh://device/auth --out --out --nosuch
fails_with "option --role wants a value" meshctl import x --role
fails_with "see 'meshctl --help'" meshctl nonsense
fails_with "create what? device, personal, application" meshctl create
fails_with "there is no command 'nonsense'" meshctl help nonsense
fails_with "missing argument: URI|FILE; see 'meshctl show --help'" meshctl show
fails_with "missing argument: FILE" meshctl certificate mesh://device
fails_with "unexpected argument 'x'; see 'meshctl create device --help'" \
    meshctl create device x
fails_with "--home = relative: an absolute path is wanted" \
    meshctl --home relative list
ends 2 meshctl --home relative list
ends 2 meshctl --keyd-path relative list
