#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The double's log tells of private halves that were asked for and of handles
# that were not freed, and the checks see both.
. "${BASH_SOURCE%/*}/lib.sh"

log_calls
say "the conformance program asks for private halves, and frees what it opens"
wine "$MESH_WINDOWS_BUILD/cng-conformance.exe"
[ "$(calls NCryptSignHash 00000000)" -gt 10 ] || die "no signatures in the log"
[ "$(calls NCryptExportKey 80090029)" -gt 10 ] || die "no refusals in the log"
no_leaked_handle
fails 'a private half was asked for' no_private_export

say "a handle that is not freed"
echo '7 + key 3' >> ncrypt.log
fails 'not freed (process, kind): 7 key 3' no_leaked_handle
echo '8 - key 3' >> ncrypt.log # another process has numbers of its own
fails '7 key 3' no_leaked_handle
echo '7 - key 3' >> ncrypt.log
no_leaked_handle

say "a log in which nothing happened proves nothing"
: > ncrypt.log
no_private_export
fails 'nothing was ever opened' no_leaked_handle
