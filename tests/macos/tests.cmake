# SPDX-License-Identifier: Apache-2.0
#
# The double of macOS's frameworks, and the proofs that it is one.
if(NOT TARGET macos_double)
    include(${CMAKE_CURRENT_LIST_DIR}/double.cmake)
endif()
foreach(name objects keys operations keychain)
    mesh_unit_test(macos double_${name} macos_double Mesh::crypto)
    target_sources(test_double_${name} PRIVATE macos/double_test.c)
    target_compile_options(test_double_${name} PRIVATE
        -Wno-deprecated-declarations)
    set_tests_properties(macos/double_${name} PROPERTIES LABELS "unit;macos")
endforeach()

# A script of the double: no keyring is needed.
function(mesh_double_script name)
    add_test(NAME macos/${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/macos/${name}.sh)
    set_tests_properties(macos/${name} PROPERTIES LABELS "script;macos"
        TIMEOUT 120 ENVIRONMENT "${MESH_SCRIPT_ENVIRONMENT}")
endfunction()
mesh_double_script(conform)
add_executable(use_double macos/use_double.c)
target_link_libraries(use_double PRIVATE macos_double)
mesh_double_script(double_processes)
