/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the context takes from the operating system; posix/system.c and
 * windows/system.c.
 */
#ifndef MESH_PLATFORM_SYSTEM_H
#define MESH_PLATFORM_SYSTEM_H

#include <stddef.h>
#include <time.h>

/* An environment variable, in UTF-8; NULL if there is none, if it is empty or
 * if this process has more rights than its caller.  *value is the caller's
 * (OPENSSL_free).  0 only when memory is short; raises nothing. */
int mesh_system_environment(const char *name, char **value);

long mesh_system_process(void); /* the number of this one */

/* The time of day, UTC, and its milliseconds. */
void mesh_system_now(struct tm *now, unsigned *milliseconds);

int mesh_system_is_absolute(const char *path);
/* Whether value can be where the layout is: an absolute path, or a key of the
 * registry. */
int mesh_system_is_home(const char *value);

/* Appends to a file, made 0600, which is closed again; never a link, never
 * waits.  Errors are nobody's. */
void mesh_system_append(const char *path, const char *text, size_t len);

#endif
