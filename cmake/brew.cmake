# SPDX-License-Identifier: Apache-2.0
# Homebrew does not link openssl@3 where pkg-config looks: macOS has another
# libssl.  What the user has set stands before it.
find_program(BREW brew)
if(BREW)
    foreach(formula openssl@3 curl)
        execute_process(COMMAND ${BREW} --prefix ${formula}
            OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE
            ERROR_QUIET)
        if(prefix)
            set(ENV{PKG_CONFIG_PATH}
                "$ENV{PKG_CONFIG_PATH}:${prefix}/lib/pkgconfig")
        endif()
    endforeach()
endif()
