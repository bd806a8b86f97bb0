# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(linux message mesh_platform Threads::Threads)
foreach(name client client_fork)
    mesh_unit_test(linux ${name} mesh_platform Threads::Threads)
    target_sources(test_${name} PRIVATE linux/fake_keyd.c)
endforeach()

mesh_script_test(linux cold_start)
mesh_script_test(linux cron)

include(${CMAKE_CURRENT_LIST_DIR}/keyd_tests.cmake OPTIONAL)
