# SPDX-License-Identifier: Apache-2.0
# The provider built into the program, over a key store in the process.
mesh_unit_test(keymgmt operations mesh_store)
target_sources(test_operations PRIVATE keymgmt/keystore_double.c
    $<TARGET_OBJECTS:mesh_provider>)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
target_link_libraries(test_operations PRIVATE PkgConfig::SSL)
