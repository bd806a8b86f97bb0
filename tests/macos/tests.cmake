# SPDX-License-Identifier: Apache-2.0
#
# The double of macOS's frameworks, and the proofs that it is one.
if(NOT TARGET macos_double)
    include(${CMAKE_CURRENT_LIST_DIR}/double.cmake)
endif()
foreach(name objects)
    mesh_unit_test(macos double_${name} macos_double Mesh::crypto)
    target_sources(test_double_${name} PRIVATE macos/double_test.c)
    target_compile_options(test_double_${name} PRIVATE
        -Wno-deprecated-declarations)
    set_tests_properties(macos/double_${name} PROPERTIES LABELS "unit;macos")
endforeach()
