/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Makes keys as an application would, in several threads at once, and signs
 * with each: `generate_key TYPE OPTIONS [THREADS [KEYS]]`; OPTIONS as of
 * genpkey's -pkeyopt, "name:value name:value".
 */
#include "tests/load_key.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type, *options;
static long count = 1;

static EVP_PKEY *generate(void)
{
    EVP_PKEY_CTX *gen =
        EVP_PKEY_CTX_new_from_name(NULL, type, "?provider=mesh");
    char copy[256], *save = NULL, *option, *value;
    EVP_PKEY *key = NULL;
    int ok = gen != NULL && EVP_PKEY_keygen_init(gen) == 1;

    OPENSSL_strlcpy(copy, options, sizeof(copy));
    for (option = strtok_r(copy, " ", &save); ok && option != NULL;
         option = strtok_r(NULL, " ", &save)) {
        value = strchr(option, ':');
        *value++ = '\0';
        ok = EVP_PKEY_CTX_ctrl_str(gen, option, value) > 0;
    }
    if (!ok || EVP_PKEY_generate(gen, &key) != 1)
        ERR_print_errors_fp(stderr);
    EVP_PKEY_CTX_free(gen);
    return key;
}

static void *work(void *failed)
{
    for (long i = 0; i < count; i++) {
        EVP_PKEY *key = generate(), *public = NULL;

        if (key == NULL || (public = public_half(key)) == NULL
            || !sign_and_verify(key, public, &i, sizeof(i), 0))
            *(int *)failed = 1;
        EVP_PKEY_free(key);
        EVP_PKEY_free(public);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = argc > 3 ? strtol(argv[3], NULL, 10) : 1, i;
    pthread_t thread[64];
    int failed[64] = {0}, any = 0;

    if (argc < 3 || threads < 1 || threads > 64)
        return 2;
    type = argv[1];
    options = argv[2];
    if (argc > 4)
        count = strtol(argv[4], NULL, 10);
    for (i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, work, &failed[i]) != 0)
            return 1;
    for (i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        any |= failed[i];
    }
    return any;
}
