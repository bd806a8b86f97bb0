# SPDX-License-Identifier: Apache-2.0
#
# The double of macOS's frameworks, and the proofs that it is one.
if(MESH_PLATFORM STREQUAL macos) # which has its own
    mesh_unit_test(macos orphan mesh_platform)
    return()
endif()
if(NOT TARGET macos_double)
    include(${CMAKE_CURRENT_LIST_DIR}/double.cmake)
endif()
foreach(name objects keys operations keychain)
    mesh_unit_test(macos double_${name} macos_double Mesh::crypto)
    target_sources(test_double_${name} PRIVATE macos/double_test.c)
    target_compile_options(test_double_${name} PRIVATE
        -Wno-deprecated-declarations)
    set_tests_properties(macos/double_${name} PROPERTIES LABELS "unit;macos")
endforeach()

# A script that needs no keyring.
function(mesh_double_script name)
    add_test(NAME macos/${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/macos/${name}.sh)
    set_tests_properties(macos/${name} PROPERTIES LABELS "script;macos"
        TIMEOUT 120 ENVIRONMENT "${MESH_SCRIPT_ENVIRONMENT}")
endfunction()
mesh_double_script(conform)
add_executable(use_double macos/use_double.c)
target_link_libraries(use_double PRIVATE macos_double)
mesh_double_script(double_processes)

# What is above needs no Keychain behind keystore.h; what is below does.
if(NOT platform_folder STREQUAL macos)
    return()
endif()

foreach(name keychain keychain_operate keychain_refused keychain_memory orphan)
    mesh_unit_test(macos ${name} mesh_platform macos_double)
endforeach()

foreach(script compile configure)
    mesh_double_script(${script})
    set_tests_properties(macos/${script} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()

# The scripts of openssl's commands, with the words of macOS.
set(MESH_MACOS_ENVIRONMENT ${MESH_SCRIPT_ENVIRONMENT}
    "MESH_WORDS=${CMAKE_CURRENT_SOURCE_DIR}/macos/words.sh")
function(mesh_macos_script test script)
    add_test(NAME macos/${test}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/macos/with-keychain
        ${CMAKE_CURRENT_SOURCE_DIR}/${script}.sh ${ARGN})
    set_tests_properties(macos/${test} PROPERTIES LABELS "script;macos"
        TIMEOUT 300 SKIP_RETURN_CODE 77
        ENVIRONMENT "${MESH_MACOS_ENVIRONMENT}")
endfunction()
set(orders after before propquery)
if(MESH_SANITIZE) # openssl itself leaks with the others
    set(orders before)
endif()
foreach(script keys requests signatures messages services tls files)
    foreach(type RSA EC)
        foreach(order ${orders})
            mesh_macos_script(commands-${script}-${type}-${order}
                commands/${script} ${type} ${order})
        endforeach()
    endforeach()
endforeach()
# What meshctl does, with types that the Keychain takes.
foreach(script access add_device adopt archive bad_import certificate
        certificate_master default delete_personal describe import_pkcs12
        list_and_show list_keys locating remove_account rollover verify)
    mesh_macos_script(tools-${script} tools/${script})
endforeach()
# The scripts of the provider, likewise.
foreach(script sign_and_decrypt certificates encode reference tls)
    foreach(algorithm RSA-2048 P-256)
        mesh_macos_script(provider-${script}-${algorithm}
            provider/${script} ${algorithm} config)
    endforeach()
endforeach()
foreach(script castore castore_tls first_listed bad_uri bad_reference search)
    mesh_macos_script(provider-${script} provider/${script})
endforeach()
