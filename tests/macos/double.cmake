# SPDX-License-Identifier: Apache-2.0
#
# macos_double: stands for the frameworks CoreFoundation and Security.  Shared
# and never unloaded, as they are: programs, tests and the module see the same
# objects.
add_library(macos_double SHARED
    ${CMAKE_CURRENT_LIST_DIR}/constants.c
    ${CMAKE_CURRENT_LIST_DIR}/control.c
    ${CMAKE_CURRENT_LIST_DIR}/core_foundation.c
    ${CMAKE_CURRENT_LIST_DIR}/keychain.c
    ${CMAKE_CURRENT_LIST_DIR}/security_import.c
    ${CMAKE_CURRENT_LIST_DIR}/security_item.c
    ${CMAKE_CURRENT_LIST_DIR}/security_key.c
    ${CMAKE_CURRENT_LIST_DIR}/security_keychain.c
    ${CMAKE_CURRENT_LIST_DIR}/security_operate.c)
# <CoreFoundation/…> and <Security/…>; tests of what uses it: "double.h".
target_include_directories(macos_double PUBLIC
    ${CMAKE_CURRENT_LIST_DIR}/include ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(macos_double PRIVATE Mesh::crypto)
target_link_options(macos_double PRIVATE -Wl,-z,defs,-z,nodelete)
set_target_properties(macos_double PROPERTIES C_VISIBILITY_PRESET default)
add_library(Mesh::keychain INTERFACE IMPORTED GLOBAL)
set_target_properties(Mesh::keychain PROPERTIES
    INTERFACE_LINK_LIBRARIES macos_double)
# The frameworks' own functions are deprecated as declared.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/security_keychain.c
    PROPERTIES COMPILE_OPTIONS -Wno-deprecated-declarations)
