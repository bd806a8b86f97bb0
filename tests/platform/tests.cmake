# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(platform algorithm mesh_platform)
mesh_unit_test(platform udf mesh_platform)
mesh_unit_test(platform reference mesh_platform)
mesh_unit_test(platform layout_kept mesh_platform)
mesh_unit_test(platform public_der mesh_platform)
mesh_unit_test(platform udf_fixtures mesh_platform)
mesh_unit_test(platform layout mesh_platform)
mesh_unit_test(platform files mesh_platform)
mesh_unit_test(platform context mesh_platform)
mesh_unit_test(platform pkcs1 mesh_platform)
if(MESH_PLATFORM STREQUAL linux) # it is of the key stores that do RSA as it is
    target_sources(test_pkcs1 PRIVATE ${PROJECT_SOURCE_DIR}/platform/pkcs1.c)
endif()
