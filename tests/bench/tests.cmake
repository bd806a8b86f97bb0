# SPDX-License-Identifier: Apache-2.0
add_executable(mesh-bench bench/mesh-bench.c bench/operation.c load_key.c)
target_include_directories(mesh-bench PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(mesh-bench PRIVATE PkgConfig::CRYPTO Threads::Threads)

mesh_script_test(bench bench)
