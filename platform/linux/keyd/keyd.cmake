# SPDX-License-Identifier: Apache-2.0
# The key holder's parts that know nothing of GLib, for the program and its
# tests.
add_library(mesh_keyd_core STATIC
    platform/linux/keyd/connection.c
    platform/linux/keyd/failure.c
    platform/linux/keyd/harden.c
    platform/linux/keyd/key_data.c
    platform/linux/keyd/key_file.c
    platform/linux/keyd/keys.c
    platform/linux/keyd/listen.c
    platform/linux/keyd/log.c
    platform/linux/keyd/operate.c
    platform/linux/keyd/options.c
    platform/linux/keyd/request.c
    platform/linux/keyd/rhythm.c
    platform/linux/keyd/wipe.c)
target_link_libraries(mesh_keyd_core PUBLIC mesh_platform Threads::Threads)
add_executable(mesh-keyd
    platform/linux/keyd/main.c
    platform/linux/keyd/secret_service.c
    platform/linux/keyd/secret_thread.c)
target_link_libraries(mesh-keyd PRIVATE mesh_keyd_core PkgConfig::SECRET)
target_link_options(mesh-keyd PRIVATE -pie)
install(TARGETS mesh-keyd RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
configure_file(platform/linux/keyd/mesh-keyd.service.in mesh-keyd.service @ONLY)
install(FILES platform/linux/keyd/mesh-keyd.socket
    ${PROJECT_BINARY_DIR}/mesh-keyd.service DESTINATION lib/systemd/user)
