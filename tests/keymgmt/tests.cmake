# SPDX-License-Identifier: Apache-2.0
# The provider built into the program, over a key store in the process.
foreach(name algorithm_id asymcipher encoder first_listed generate kem keyexch keymgmt lifetime
        loader signature tls)
    mesh_unit_test(keymgmt ${name} mesh_store mesh_keyd_core)
    target_sources(test_${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/keystore_double.c
        ${CMAKE_CURRENT_LIST_DIR}/make_key_double.c
        ${CMAKE_CURRENT_LIST_DIR}/provider_test.c
        $<TARGET_OBJECTS:mesh_provider>)
    target_link_libraries(test_${name} PRIVATE Mesh::ssl)
endforeach()
