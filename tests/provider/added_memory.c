/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the module and a key by URI add to the memory of a program that uses
 * key files: `added_memory URI FILE...`.  Prints kB: up to the first use, and
 * by 1000 more.
 */
#include "tests/load_key.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdio.h>

/* Resident memory in kB, to the page; -1 if the kernel does not tell. */
static long resident(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long kb = -1;

    while (rollup != NULL && kb < 0
           && fgets(line, sizeof(line), rollup) != NULL)
        if (sscanf(line, "Rss: %ld", &kb) != 1)
            kb = -1;
    if (rollup != NULL)
        fclose(rollup);
    return kb;
}

static int use(const char *source)
{
    EVP_PKEY *key = load_private_key(source);
    EVP_PKEY *public = key != NULL ? public_half(key) : NULL;
    int ok = public != NULL && sign_and_verify(key, public, "text", 4, 0);

    EVP_PKEY_free(public);
    EVP_PKEY_free(key);
    return ok;
}

int main(int argc, char **argv)
{
    long before, first;
    int i;

    if (argc < 3 || resident() < 0)
        return 2;
    for (i = 2; i < argc; i++)
        if (!use(argv[i]) || !use(argv[i]))
            return 1;
    before = resident();
    if (OSSL_PROVIDER_load(NULL, "default") == NULL
        || OSSL_PROVIDER_load(NULL, "mesh") == NULL) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    if (!use(argv[1]))
        return 1;
    first = resident();
    for (i = 0; i < 1000; i++)
        if (!use(argv[1]))
            return 1;
    printf("%ld %ld\n", first - before, resident() - first);
    return 0;
}
