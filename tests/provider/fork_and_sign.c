/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server's life: the master loads the key, its children sign.
 * `fork_and_sign URI CHILDREN COUNT [nobody]`: parent and children sign COUNT
 * times each; with "nobody" the children become that user in an empty chroot,
 * where they can reach neither the socket's path nor /proc.
 */
#include "tests/load_key.h"

#include <grp.h>
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
    failed = !sign_times(key, public, count);
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
