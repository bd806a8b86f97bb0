/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A program that frees a key when libcrypto has cleaned up already, in an exit
 * handler that is older than libcrypto's, as socat does.  `late_free URI`
 */
#include "tests/load_key.h"

#include <stdlib.h>

static EVP_PKEY *key;
static EVP_MD_CTX *signature;

static void free_all(void)
{
    if (OPENSSL_init_crypto(0, NULL))
        _Exit(3); /* too early, this shows nothing */
    EVP_MD_CTX_free(signature);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    if (argc != 2 || atexit(free_all) != 0)
        return 2;
    return (key = load_private_key(argv[1])) == NULL
           || (signature = EVP_MD_CTX_new()) == NULL
           || EVP_DigestSignInit(signature, NULL, NULL, NULL, key) != 1;
}
