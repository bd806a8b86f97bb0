# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(platform algorithm mesh_platform)
mesh_unit_test(platform udf mesh_platform)
mesh_unit_test(platform public_der mesh_platform)
mesh_unit_test(platform udf_fixtures mesh_platform)
mesh_unit_test(platform layout mesh_platform)
mesh_unit_test(platform files mesh_platform)
mesh_unit_test(platform context mesh_platform)
