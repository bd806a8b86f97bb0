# SPDX-License-Identifier: Apache-2.0
mesh_unit_test(store uri mesh_store)
mesh_unit_test(store signed mesh_store)
mesh_unit_test(store profile mesh_store)
mesh_unit_test(store trust mesh_store)
mesh_unit_test(store resolve mesh_store)
mesh_script_test(store bad_profile)
mesh_script_test(store bad_layout)
