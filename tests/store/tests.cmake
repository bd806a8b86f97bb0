# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(store uri mesh_store)
mesh_unit_test(store time mesh_store)
mesh_unit_test(store signed mesh_store)
mesh_unit_test(store profile mesh_store)
mesh_unit_test(store trust mesh_store)
mesh_unit_test(store archive mesh_store)
mesh_unit_test(store make_key mesh_store)
mesh_unit_test(store change mesh_store)
mesh_unit_test(store enter mesh_store)
mesh_unit_test(store resolve mesh_store)
mesh_unit_test(store loader_search mesh_store)
target_sources(test_loader_search PRIVATE $<TARGET_OBJECTS:mesh_provider>)
if(NOT MESH_PLATFORM STREQUAL linux) # what needs no mesh-keyd
    return()
endif()
mesh_unit_test(store decoder mesh_store mesh_keyd_core)
target_sources(test_decoder PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/../keymgmt/keystore_double.c
    ${CMAKE_CURRENT_LIST_DIR}/../keymgmt/make_key_double.c
    ${CMAKE_CURRENT_LIST_DIR}/../keymgmt/provider_test.c
    $<TARGET_OBJECTS:mesh_provider>)
mesh_script_test(store bad_profile)
mesh_script_test(store bad_layout)
