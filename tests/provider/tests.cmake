# SPDX-License-Identifier: Apache-2.0
foreach(script sign_and_decrypt certificates encode reference tls)
    foreach(algorithm RSA-2048 P-256 ED25519)
        foreach(activation config provider)
            mesh_script_test(provider ${script} ${algorithm} ${activation})
        endforeach()
    endforeach()
endforeach()
foreach(script added_memory bad_reference bad_uri castore castore_tls first_listed fork
        fork_chroot guest guest_load keyd_dies lifetime memory search valgrind)
    mesh_script_test(provider ${script})
endforeach()

foreach(script bad_generate bad_genpkey generate generate_full_disk)
    mesh_script_test(provider ${script})
endforeach()
foreach(operation sign derive decapsulate)
    mesh_script_test(provider algorithms ${operation} config)
    mesh_script_test(provider algorithms ${operation} provider)
endforeach()
mesh_script_test(provider genpkey config)
mesh_script_test(provider genpkey provider)

foreach(activation config provider)
    mesh_script_test(provider file_keys ${activation})
endforeach()

# Programs that the scripts run: applications, which know nothing of the mesh.
foreach(program added_memory find_key fork_and_sign generate_key guest late_free lifetime
        sign_loop)
    add_executable(${program} provider/${program}.c load_key.c)
    target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${program} PRIVATE PkgConfig::CRYPTO Threads::Threads)
endforeach()
