/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signs in a loop, as an application would; a line for each signature tells
 * whether it was good: `sign_loop URI|FILE COUNT [PAUSE_MS]`.  A failed
 * signature is printed with its time, a wrong one never passes.
 */
#include "tests/load_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    EVP_PKEY *key, *public;
    long count, i, failed = 0;

    if (argc < 3)
        return 2;
    count = strtol(argv[2], NULL, 10);
    if ((key = load_private_key(argv[1])) == NULL
        || (public = public_half(key)) == NULL)
        return 1;
    for (i = 0; i < count; i++) {
        struct timespec start, end;
        int ok;

        clock_gettime(CLOCK_MONOTONIC, &start);
        ok = sign_and_verify(key, public, &i, sizeof(i), 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%ld %s %ld ms\n", i, ok ? "good" : "FAILED",
               (end.tv_sec - start.tv_sec) * 1000
                   + (end.tv_nsec - start.tv_nsec) / 1000000);
        fflush(stdout);
        failed += !ok;
        if (argc > 3)
            usleep((useconds_t)strtol(argv[3], NULL, 10) * 1000);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(public);
    return failed != 0;
}
