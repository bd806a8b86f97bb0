/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A program that has libcrypto's DLL, and our module with one inside: what its
 * threads leave, and that the module stays.  It ends with the module loaded and
 * a key in its hands, and libcrypto cleans up after that.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <windows.h>

#define THREADS 200
#define MOST    (THREADS * 100) /* octets that all may leave */

static EVP_PKEY *make_key(void)
{
    return EVP_PKEY_Q_keygen(NULL, "provider=mesh", "EC", "P-256");
}

static DWORD WINAPI use_module(LPVOID arg)
{
    EVP_PKEY *key = make_key();

    (void)arg;
    EVP_PKEY_free(key);
    return key == NULL;
}

static int run_threads(void)
{
    DWORD failed = 0, status;

    for (int i = 0; i < THREADS; i++) {
        HANDLE thread = CreateThread(NULL, 0, use_module, NULL, 0, NULL);

        if (thread == NULL)
            return 0;
        WaitForSingleObject(thread, INFINITE);
        status = 1;
        GetExitCodeThread(thread, &status);
        failed |= status;
        CloseHandle(thread);
    }
    return failed == 0;
}

/* Octets that all heaps of the process have given out. */
static long long used(void)
{
    HANDLE heaps[64];
    DWORD count = GetProcessHeaps(64, heaps);
    long long octets = 0;

    for (DWORD i = 0; i < count && i < 64; i++) {
        PROCESS_HEAP_ENTRY entry = {0};

        HeapLock(heaps[i]);
        while (HeapWalk(heaps[i], &entry))
            if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0)
                octets += entry.cbData;
        HeapUnlock(heaps[i]);
    }
    return octets;
}

static int check(int ok, const char *what)
{
    printf("%s: %s\n", ok ? "ok" : "FAILED", what);
    return ok;
}

/* The module is where we are. */
static int load_module(OSSL_LIB_CTX *library, OSSL_PROVIDER *loaded[2])
{
    char path[MAX_PATH] = "";
    DWORD len = GetModuleFileNameA(NULL, path, sizeof(path));

    while (len > 0 && path[len] != '\\')
        len--;
    path[len] = '\0';
    return OSSL_PROVIDER_set_default_search_path(library, path)
           && (loaded[0] = OSSL_PROVIDER_load(library, "default")) != NULL
           && (loaded[1] = OSSL_PROVIDER_load(library, "mesh")) != NULL;
}

/* Then nobody holds the module any more. */
static int load_and_unload(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *loaded[2];
    int ok = library != NULL && load_module(library, loaded)
             && OSSL_PROVIDER_unload(loaded[1])
             && OSSL_PROVIDER_unload(loaded[0]);

    OSSL_LIB_CTX_free(library);
    return ok;
}

int main(void)
{
    OSSL_PROVIDER *loaded[2];
    long long before, after;
    int ok;

    ok = check(load_and_unload(), "the module is loaded, and unloaded")
         & check(GetModuleHandleA("mesh.dll") != NULL, "and stays");
    if (!load_module(NULL, loaded) || make_key() == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    ok &= check(run_threads(), "threads make keys");
    before = used();
    ok &= check(run_threads(), "others do");
    after = used();
    printf("# %lld octets, then %lld\n", before, after);
    ok &= check(after - before < MOST, "they leave nothing");
    return !ok;
}
