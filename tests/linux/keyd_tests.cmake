# SPDX-License-Identifier: Apache-2.0

if(MESH_SANITIZE MATCHES address)
    target_sources(mesh-keyd PRIVATE
        ${PROJECT_SOURCE_DIR}/tests/linux/asan_options.c)
endif()

add_executable(keyd_call linux/keyd_call.c)
target_link_libraries(keyd_call PRIVATE mesh_platform Threads::Threads)

foreach(name keyd_agreement keyd_algorithms keyd_operate keyd_padding
    keyd_key_check keyd_keys keyd_key_file keyd_prepared keyd_request
    keyd_connection keyd_lane keyd_rhythm)
    mesh_unit_test(linux ${name} mesh_keyd_core)
    target_sources(test_${name} PRIVATE linux/memory_source.c)
endforeach()

add_executable(put_secret linux/put_secret.c)
target_link_libraries(put_secret PRIVATE PkgConfig::SECRET)
pkg_check_modules(GCR IMPORTED_TARGET gcr-base-3)
if(GCR_FOUND)
    add_executable(mock_prompter linux/mock_prompter.c)
    target_link_libraries(mock_prompter PRIVATE PkgConfig::GCR)
endif()
foreach(name keyd_secret_service keyd_prompt keyd_process keyd_session
    keyd_systemd keyd_users bad_keyring bad_prompt bad_keyd)
    mesh_script_test(linux ${name})
endforeach()
# A sanitizer keeps copies of its own of what was on the stack.
if(NOT MESH_SANITIZE)
    mesh_unit_test(linux keyd_stack mesh_keyd_core)
    target_sources(test_keyd_stack PRIVATE linux/memory_source.c)
    mesh_script_test(linux keyd_memory)
endif()
