# SPDX-License-Identifier: Apache-2.0
# tests/apps/run installs packages, so it is no part of the suite; this is the
# client of its scripts.
add_executable(handshakes apps/handshakes.c)
target_link_libraries(handshakes PRIVATE Mesh::ssl PkgConfig::CRYPTO Threads::Threads)
