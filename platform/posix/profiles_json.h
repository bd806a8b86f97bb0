/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the layout's memory, paths, and how
 * profiles.json is changed.
 */
#ifndef MESH_PLATFORM_POSIX_PROFILES_JSON_H
#define MESH_PLATFORM_POSIX_PROFILES_JSON_H

#include "platform/posix/key_files.h"

#include <jansson.h>
#include <sys/stat.h>

#define MESH_FILE_ENDING    ".mmm"
#define MESH_ARCHIVE_ENDING ".all.mmm"

struct mesh_layout {
    json_t *root; /* owns the names */
    char *home;
    struct mesh_layout_entry *entries;
    size_t count;
    struct mesh_key_file *key_files;
    size_t key_files_count;
    struct stat read;              /* profiles.json as it was read */
    struct mesh_layout_kept *kept; /* where it goes when it is freed, or NULL */
};

/* The kept layout if it is what would be read: of this home, and st is that of
 * profiles.json now.  It is the caller's then; else NULL. */
struct mesh_layout *mesh_layout_take_kept(struct mesh_context *ctx,
                                          const char *home,
                                          const struct stat *st);
/* Notes that profiles.json was st when it was read: the layout may be kept. */
void mesh_layout_may_keep(struct mesh_context *ctx, struct mesh_layout *layout,
                          const struct stat *st);
/* Keeps a layout that was freed, and is 1; or is 0. */
int mesh_layout_give_kept(struct mesh_layout *layout);
void mesh_layout_destroy(struct mesh_layout *layout);

/* A formatted path; the caller frees (OPENSSL_free). */
char *mesh_path(struct mesh_context *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Whether a component of path is "..". */
int mesh_path_climbs(const char *path);

/* The lock around one change of profiles.json; it may be taken while
 * mesh_layout_lock() is held.  mesh_layout_unlock() releases it. */
int mesh_layout_lock_change(struct mesh_context *ctx, int *lock);

/* Changes profiles.json: under the lock, on what the file says now. */
typedef int mesh_profiles_change_fn(struct mesh_context *ctx, json_t *root,
                                    const void *arg);
int mesh_profiles_change(struct mesh_context *ctx,
                         mesh_profiles_change_fn *change, const void *arg);
/* The object that is a member of root, made if it is missing.  NULL with the
 * error raised if it is something else. */
json_t *mesh_profiles_section(struct mesh_context *ctx, json_t *root,
                              const char *name);
/* The member name under which section holds a fingerprint, whatever its
 * spelling; NULL if it does not. */
const char *mesh_profiles_member(json_t *section, const struct mesh_udf *udf);
/* The object of a fingerprint in root's member section, both made if they are
 * missing.  NULL with the error raised. */
json_t *mesh_profiles_entry(struct mesh_context *ctx, json_t *root,
                            const char *section, const char *name);

/* Reads the member "KeyFiles" into layout. */
int mesh_key_files_read(struct mesh_context *ctx, struct mesh_layout *layout);

#endif
