# SPDX-License-Identifier: Apache-2.0
# The provider built into the program, over a key store in the process.
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
foreach(name algorithm_id asymcipher encoder first_listed generate kem keyexch keymgmt lifetime
        loader signature tls)
    mesh_unit_test(keymgmt ${name} mesh_store mesh_keyd_core)
    target_sources(test_${name} PRIVATE keymgmt/keystore_double.c
        keymgmt/make_key_double.c keymgmt/provider_test.c
        $<TARGET_OBJECTS:mesh_provider>)
    target_link_libraries(test_${name} PRIVATE PkgConfig::SSL)
endforeach()
