/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server's life: the master loads the key, its children sign.
 * `fork_and_sign URI CHILDREN COUNT [nobody]`: parent and children sign COUNT
 * times each; with "nobody" the children become that user in an empty chroot,
 * where they can reach neither the socket's path nor /proc.  Without children
 * it is the parent that does, and signs in eight threads.
 */
#include "tests/load_key.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int drop_privileges(const char *dir)
{
    const struct passwd *nobody = getpwnam("nobody");

    return nobody != NULL && chroot(dir) == 0 && chdir("/") == 0
           && setgroups(0, NULL) == 0 && setgid(nobody->pw_gid) == 0
           && setuid(nobody->pw_uid) == 0 && access("/proc", F_OK) != 0
           && setuid(0) != 0;
}

static int sign_times(EVP_PKEY *key, EVP_PKEY *public, long count)
{
    long i;

    for (i = 0; i < count; i++)
        if (!sign_and_verify(key, public, &i, sizeof(i), 0))
            return 0;
    return 1;
}

#define THREADS 8

struct work {
    EVP_PKEY *key, *public;
    long count;
};

static void *sign_in_thread(void *arg)
{
    struct work *work = arg;

    return sign_times(work->key, work->public, work->count) ? arg : NULL;
}

static int sign_in_threads(EVP_PKEY *key, EVP_PKEY *public, long count)
{
    struct work work = {key, public, count};
    pthread_t threads[THREADS];
    void *result;
    int i, good = 1;

    for (i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, sign_in_thread, &work) != 0)
            abort();
    for (i = 0; i < THREADS; i++)
        good &= pthread_join(threads[i], &result) == 0 && result != NULL;
    return good;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/chroot-XXXXXX";
    EVP_PKEY *key, *public;
    long children, count, i;
    int failed = 0, status;

    if (argc < 4)
        return 2;
    children = strtol(argv[2], NULL, 10);
    count = strtol(argv[3], NULL, 10);
    /* The master signs once itself: its connection is there to inherit. */
    if ((key = load_private_key(argv[1])) == NULL
        || (public = public_half(key)) == NULL || !sign_times(key, public, 1)
        || mkdtemp(dir) == NULL)
        return 1;
    for (i = 0; i < children; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            if (argc > 4 && !drop_privileges(dir))
                _exit(2);
            _exit(!sign_times(key, public, count));
        }
    }
    if (children > 0 || argc <= 4)
        failed = !sign_times(key, public, count);
    else
        failed = !drop_privileges(dir) || !sign_in_threads(key, public, count);
    while (wait(&status) > 0)
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "a child ended with status %#x\n", status);
            failed = 1;
        }
    rmdir(dir);
    EVP_PKEY_free(key);
    EVP_PKEY_free(public);
    printf("%ld processes signed %ld times each: %s\n", children + 1, count,
           failed ? "FAILED" : "all good");
    return failed;
}
