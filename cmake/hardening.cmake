# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and hardening of GCC and Clang.
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
    -Wformat=2 -Wundef -fstack-protector-strong -fno-strict-aliasing)
if(MESH_WERROR)
    add_compile_options(-Werror)
endif()
if(MESH_SANITIZE)
    add_compile_options(-fsanitize=${MESH_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${MESH_SANITIZE})
else()
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
    check_c_compiler_flag(-fstack-clash-protection HAVE_STACK_CLASH)
    # Windows probes the stack itself (and GCC 12 for it stumbles here).
    if(HAVE_STACK_CLASH AND NOT WIN32)
        add_compile_options(-fstack-clash-protection)
    endif()
endif()
if(WIN32)
    # No DLL of the compiler's is needed, libssp's with the checks of the stack
    # included.
    add_link_options(-static -fstack-protector-strong
        -Wl,--dynamicbase,--nxcompat,--high-entropy-va)
elseif(NOT APPLE) # whose linker does all that unasked
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
# Error messages name files of the source, not of the machine that built it.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
