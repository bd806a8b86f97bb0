# SPDX-License-Identifier: Apache-2.0
# The provider built into the program, over a key store in the process.
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
foreach(name operations first_listed generate)
    mesh_unit_test(keymgmt ${name} mesh_store)
    target_sources(test_${name} PRIVATE keymgmt/keystore_double.c
        keymgmt/make_key_double.c
        $<TARGET_OBJECTS:mesh_provider>)
    target_link_libraries(test_${name} PRIVATE PkgConfig::SSL)
endforeach()
