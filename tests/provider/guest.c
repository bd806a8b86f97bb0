/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the module leaves in a process: threads, descriptors, children, signal
 * handlers, before and after signatures.  `guest URI`
 */
#include "tests/load_key.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct traces {
    int threads, descriptors, sockets, handlers;
};

static int entries(const char *path, int *sockets)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    struct stat st;
    int n = 0;

    if (dir == NULL)
        return -1;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (sockets != NULL && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0
            && S_ISSOCK(st.st_mode))
            ++*sockets;
    }
    closedir(dir);
    return n;
}

static struct traces look(void)
{
    struct traces t = {0, 0, 0, 0};
    struct sigaction action;
    int i;

    t.threads = entries("/proc/self/task", NULL);
    t.descriptors = entries("/proc/self/fd", &t.sockets);
    for (i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL
            && action.sa_handler != SIG_IGN)
            t.handlers++;
    return t;
}

int main(int argc, char **argv)
{
    struct traces before, after, later;
    EVP_PKEY *key, *public;
    sigset_t blocked;
    int i;

    if (argc != 2)
        return 2;
    before = look();
    if ((key = load_private_key(argv[1])) == NULL
        || (public = public_half(key)) == NULL)
        return 1;
    for (i = 0; i < 10; i++)
        if (!sign_and_verify(key, public, "text", 4, 0))
            return 1;
    after = look();
    for (i = 0; i < 100; i++)
        if (!sign_and_verify(key, public, "text", 4, 0))
            return 1;
    later = look();
    printf("threads %d -> %d, descriptors %d -> %d, sockets %d -> %d, "
           "handlers %d -> %d\n",
           before.threads, after.threads, before.descriptors, after.descriptors,
           before.sockets, after.sockets, before.handlers, after.handlers);
    if (after.threads != before.threads
        || after.descriptors != before.descriptors + 1
        || after.sockets != before.sockets + 1
        || after.handlers != before.handlers
        || memcmp(&after, &later, sizeof(after)) != 0)
        return 1;
    if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
        puts("there is a child that the application did not start");
        return 1;
    }
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (i = 1; i < NSIG; i++)
        if (sigismember(&blocked, i) == 1) {
            printf("signal %d is blocked\n", i);
            return 1;
        }
    EVP_PKEY_free(key);
    EVP_PKEY_free(public);
    return 0;
}
