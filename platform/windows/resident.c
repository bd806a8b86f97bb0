/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the linker does on Linux, and libcrypto's own library.
 */
#include "platform/resident.h"

#include <openssl/crypto.h>
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

void mesh_resident_begin(void)
{
    static const wchar_t here[] = L"";
    HMODULE module;

    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS
                           | GET_MODULE_HANDLE_EX_FLAG_PIN,
                       here, &module);
#ifdef MESH_CRYPTO_INSIDE
    /* Windows ends the libraries that came last first: ours would be gone when
     * the program's libcrypto takes the provider down.  And openssl.cnf is the
     * program's: ours would load from it what is there, us included, or look
     * for one in a folder that anybody may make. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG,
                        NULL);
#endif
}

/* A libcrypto that is no library of its own is not told when a thread ends, and
 * would keep what it has for it. */
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
#ifdef MESH_CRYPTO_INSIDE
    if (reason == DLL_THREAD_DETACH)
        OPENSSL_thread_stop();
#else
    (void)reason;
#endif
    return TRUE;
}
