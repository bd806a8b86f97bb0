# SPDX-License-Identifier: Apache-2.0
# tests/apps/run installs packages, so it is no part of the suite; this is the
# client of its scripts.
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
add_executable(handshakes apps/handshakes.c)
target_link_libraries(handshakes PRIVATE PkgConfig::SSL PkgConfig::CRYPTO Threads::Threads)
