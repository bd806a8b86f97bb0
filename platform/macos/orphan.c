/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starting a program as nobody's child: by a shell that puts it into the
 * background and ends.  There is no fork without atfork handlers, and no child
 * without a signal at its end: the shell's comes at once, and is waited for
 * here.
 */
#include "platform/posix/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 8

#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT /* no descriptor but those that are named   \
                                    */
#define ONLY_NAMED POSIX_SPAWN_CLOEXEC_DEFAULT
#else
#define ONLY_NAMED 0
#endif

int mesh_launch_add_own(struct mesh_launch *launch)
{
    (void)launch;
    return 1;
}

static int set_files(posix_spawn_file_actions_t *files, int ready)
{
    int error = 0;

    for (int fd = STDIN_FILENO; error == 0 && fd <= STDERR_FILENO; fd++)
        error =
            posix_spawn_file_actions_addopen(files, fd, "/dev/null", O_RDWR, 0);
    return error != 0
               ? error
               : posix_spawn_file_actions_adddup2(files, ready, MESH_LAUNCH_FD);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int error;

    sigfillset(&all);
    sigemptyset(&none);
    error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
                            | POSIX_SPAWN_SETSID | ONLY_NAMED);
    return error;
}

static int spawn_shell(const struct mesh_launch *launch, pid_t *pid)
{
    /* $0 is the program, $@ its arguments */
    char *argv[3 + ARGUMENTS_MAX + 1] = {"sh", "-c", "cd / && \"$0\" \"$@\" &"};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error;

    for (size_t i = 0; i < ARGUMENTS_MAX && launch->argv[i] != NULL; i++)
        argv[3 + i] = launch->argv[i];
    if ((error = posix_spawn_file_actions_init(&files)) != 0)
        return error;
    if ((error = posix_spawnattr_init(&attributes)) == 0) {
        error = set_files(&files, launch->ready);
        if (error == 0)
            error = set_attributes(&attributes);
        if (error == 0)
            error = posix_spawn(pid, "/bin/sh", &files, &attributes, argv,
                                launch->envp);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

int mesh_launch_orphan(const struct mesh_launch *launch)
{
    pid_t pid;

    if ((errno = spawn_shell(launch, &pid)) != 0)
        return 0;
    /* an application that reaps all children may have been quicker */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return 1;
}
