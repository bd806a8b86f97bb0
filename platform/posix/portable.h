/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What systems that follow POSIX have each its own way.
 */
#ifndef MESH_PLATFORM_POSIX_PORTABLE_H
#define MESH_PLATFORM_POSIX_PORTABLE_H

/* A variable of the environment, NULL in a process that has more rights than
 * its caller.  The environment's. */
const char *mesh_getenv(const char *name);

/* Whether this process acts for somebody else, whose environment it has. */
int mesh_has_foreign_rights(void);

/* Moves a descriptor that was just opened above 0 to 2: those are the
 * application's, even while they are closed.  -1 (with errno) stays -1. */
int mesh_descriptor_above_standard(int fd);
/* pipe(), closed by an exec; 0 with errno. */
int mesh_pipe(int fds[2]);

#ifdef __APPLE__
#define MESH_MTIM st_mtimespec
#define MESH_CTIM st_ctimespec
#else
#define MESH_MTIM st_mtim
#define MESH_CTIM st_ctim
#endif

/* The locks that exclude each other's holders, threads included. */
enum mesh_lock_of { MESH_LOCK_WRITERS, MESH_LOCK_CHANGE };

/* The file in the layout's home that a lock is on. */
const char *mesh_lock_file(enum mesh_lock_of lock);
/* Takes a lock on its file, which is open, without waiting: 0 with errno. */
int mesh_lock_take(int fd, enum mesh_lock_of lock);
/* Releases it, even if a child that was forked has the file open, too. */
void mesh_lock_release(int fd);

#endif
