# SPDX-License-Identifier: Apache-2.0
#
# Windows programs made on Linux: MinGW-w64 builds them, Wine runs the tests.
# MESH_WINDOWS_PREFIX, a variable or of the environment, is the folder that
# tests/windows/dependencies prints; libraries and headers come from there and
# from MinGW alone.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(mingw x86_64-w64-mingw32)
set(CMAKE_C_COMPILER ${mingw}-gcc)
set(CMAKE_RC_COMPILER ${mingw}-windres)

# CMake reads this file again for each of its trial projects.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MESH_WINDOWS_PREFIX)
if(NOT MESH_WINDOWS_PREFIX)
    set(MESH_WINDOWS_PREFIX "$ENV{MESH_WINDOWS_PREFIX}")
endif()
set(CMAKE_FIND_ROOT_PATH "${MESH_WINDOWS_PREFIX}" /usr/${mingw})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config must not find the libraries of this system.
set(ENV{PKG_CONFIG_LIBDIR} "${MESH_WINDOWS_PREFIX}/lib/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "")

# Our programs are to run without the DLLs of the compiler.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static-libgcc)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static-libgcc)
set(CMAKE_MODULE_LINKER_FLAGS_INIT -static-libgcc)

# Each test has a home of its own in Wine.
set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/with-wine")
