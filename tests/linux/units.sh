#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The units of systemd, as they are installed: systemd takes each line of them.
. "$(dirname "$0")/../lib.sh"
for tool in systemd-analyze cmake; do
    command -v $tool > /dev/null || { echo "skipped: no $tool"; exit 77; }
done
# verify FILE...: without a word, for a word is a line that does nothing.
verify() {
    SYSTEMD_LOG_LEVEL=warning systemd-analyze --user --man=no verify "$@" 2>&1
}
units="mesh-refresh.service mesh-refresh.timer mesh-keyd.service
mesh-keyd.socket"
DESTDIR=$HOME/root cmake --install "$MESH_BUILD" > installed
folder=$(dirname "$(find root -name mesh-keyd.socket)")
has_file() {
    [ -f "$1" ] || die "$1 is not installed"
}
for unit in $units; do
    has_file "$folder/$unit"
done
say "the programs that they start are installed"
# Where they will be; here they are below root.
sed -i "s|^ExecStart=|&$HOME/root|" "$folder"/*.service
for unit in "$folder"/*.service; do
    program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
    [ -x "$program" ] || die "$unit: no $program"
done
say "each of them, and all together"
for unit in $units; do
    out=$(verify "$folder/$unit") || die "$unit: $out"
    [ -z "$out" ] || die "$unit: $out"
done
say "times and limits are ones that systemd knows"
for word in $(sed -n 's/^OnCalendar=//p' "$folder/mesh-refresh.timer"); do
    systemd-analyze calendar "$word" > /dev/null || die "$word"
done
say "a mistake would be seen"
echo "NoSuchLine=1" >> "$folder/mesh-refresh.service"
out=$(verify "$folder/mesh-refresh.service") || true
case $out in
*NoSuchLine*) ;;
*) die "systemd-analyze says nothing of it: $out" ;;
esac
