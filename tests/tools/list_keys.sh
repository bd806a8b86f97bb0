#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whose the keys in the key store are.
. "$(dirname "$0")/lib.sh"
device=$(meshctl create device --algorithm P-256)
meshctl create personal --algorithm P-256
udf=${device#mesh://}
say "of a profile, in a role"
meshctl list --keys > keys
same "$(grep -c "^key .*$key_source" keys)" 6
grep -q "^key  *$udf  P-256 .* mesh://$udf/sign$" keys
grep -q "^key .* mesh://$udf/encrypt$" keys
grep -q "^key .* mesh://$(meshctl default personal)/master$" keys
meshctl list --keys --json | grep -q '"role": "escrow"'
say "what is printed other commands take, also where a role has several keys"
for name in a b; do
    plain genpkey "${spare[@]}" -out $name.pem
    meshctl import $name.pem
done
for uri in $(meshctl list --keys | grep -o "mesh:.*"); do
    has "held: yes" meshctl show "$uri"
done
for uri in $(meshctl list --keys | sed -n "s/.*$spare_name.*\(mesh:\)/\1/p"); do
    meshctl delete --yes "$uri"
done
same "$(keys)" 6
say "of no profile, or of one that cannot be read"
meshctl --home "$HOME/elsewhere" list --keys > keys
same "$(grep -c "no profile$" keys)" 6
personal=$(meshctl default personal)
echo broken > ".cryptomesh/$personal/$personal.mmm"
! meshctl list --keys | grep "no profile" || die "its archive has it"
rm ".cryptomesh/$personal/$personal.all.mmm"
meshctl list --keys > keys
same "$(grep -c "no profile that can be read$" keys)" 3
