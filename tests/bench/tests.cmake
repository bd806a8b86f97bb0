# SPDX-License-Identifier: Apache-2.0
add_executable(mesh-bench bench/mesh-bench.c)
target_link_libraries(mesh-bench PRIVATE PkgConfig::CRYPTO Threads::Threads)

mesh_script_test(bench bench)
