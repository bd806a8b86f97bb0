# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(linux message mesh_platform Threads::Threads)
mesh_unit_test(linux lane mesh_platform Threads::Threads)
foreach(name client client_fork client_lane)
    mesh_unit_test(linux ${name} mesh_platform Threads::Threads)
    target_sources(test_${name} PRIVATE linux/fake_keyd.c)
endforeach()
# The same tests, with a mesh-keyd that has lanes.
foreach(name client client_fork)
    add_executable(test_${name}_by_lane linux/test_${name}.c linux/fake_keyd.c)
    target_compile_definitions(test_${name}_by_lane PRIVATE TEST_LANE)
    target_link_libraries(test_${name}_by_lane PRIVATE mesh_platform
        Threads::Threads PkgConfig::CMOCKA)
    add_test(NAME linux/${name}_by_lane COMMAND test_${name}_by_lane)
    set_tests_properties(linux/${name}_by_lane PROPERTIES LABELS unit
        TIMEOUT 120)
endforeach()

mesh_script_test(linux cold_start)
mesh_script_test(linux cron)
mesh_script_test(linux units)

include(${CMAKE_CURRENT_LIST_DIR}/keyd_tests.cmake OPTIONAL)
