# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(linux message mesh_platform Threads::Threads)
mesh_unit_test(linux client mesh_platform Threads::Threads)
target_sources(test_client PRIVATE linux/fake_keyd.c)

include(${CMAKE_CURRENT_LIST_DIR}/keyd_tests.cmake OPTIONAL)
