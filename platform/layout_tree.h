/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout in memory, one tree of the same shape for every system:
 *
 *   "PersonalProfiles": {"Default": UDF, UDF: {"File", "Archive", "Portals"}}
 *   "DeviceProfiles": {"Default": UDF, UDF: {"File"}}
 *   "ApplicationProfiles": {TYPE: UDF, UDF: {"File"}}
 *
 * layout.c works on the tree; what a system does its own way is at the end.
 */
#ifndef MESH_PLATFORM_LAYOUT_TREE_H
#define MESH_PLATFORM_LAYOUT_TREE_H

#include "platform/key_files.h"

#include <jansson.h>

#define MESH_FILE_ENDING    ".mmm"
#define MESH_ARCHIVE_ENDING ".all.mmm"
/* How the name of a file begins that is being written. */
#define MESH_TEMPORARY_BEGIN ".tmp-"

#define MESH_TYPE_NAME_MAX 10 /* of an application; what is longer is a UDF */

/* What holds the tree, below the home, for the texts of errors. */
#ifdef _WIN32
#define MESH_LAYOUT_MASTER ""
#else
#define MESH_LAYOUT_MASTER "/profiles.json"
#endif

/* What the tree was read from, as numbers that another state of it has not; all
 * zero if that is unknown, or if the next change might not be seen. */
struct mesh_layout_stamp {
    uint64_t part[7];
};

struct mesh_layout {
    json_t *root; /* owns the names */
    char *home;
    struct mesh_layout_entry *entries;
    size_t count;
    struct mesh_key_file *key_files;
    size_t key_files_count;
    struct mesh_layout_stamp stamp;
    struct mesh_layout_kept *kept; /* where it goes when it is freed, or NULL */
};

/* The section of a kind of profiles. */
const char *mesh_layout_section(enum mesh_profile_kind kind);

/* The kept layout if it is what would be read: of this home, and of this stamp.
 * It is the caller's then; else NULL. */
struct mesh_layout *
mesh_layout_take_kept(struct mesh_context *ctx, const char *home,
                      const struct mesh_layout_stamp *stamp);
/* Notes what the layout was read from: it may be kept. */
void mesh_layout_may_keep(struct mesh_context *ctx, struct mesh_layout *layout,
                          const struct mesh_layout_stamp *stamp);
/* Keeps a layout that was freed, and is 1; or is 0. */
int mesh_layout_give_kept(struct mesh_layout *layout);
void mesh_layout_destroy(struct mesh_layout *layout);

/* A formatted path; the caller frees (OPENSSL_free). */
char *mesh_path(struct mesh_context *ctx, const char *fmt, ...)
    MESH_PRINTF(2, 3);

/* Changes the tree: under the lock, on what it is now. */
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

/* What each system has of its own: posix/profiles_json.c, windows/registry.c.
 */

/* Reads the tree of a home into *root, an empty one if there is none; the
 * caller json_decref()s. */
int mesh_tree_load(struct mesh_context *ctx, const char *home, json_t **root);
/* Makes it what root says.  The caller has the lock. */
int mesh_tree_save(struct mesh_context *ctx, const char *home,
                   const json_t *root);
/* What it is now, before it is read: one that is replaced meanwhile is then
 * another one. */
void mesh_tree_look(struct mesh_context *ctx, const char *home,
                    struct mesh_layout_stamp *stamp);
/* The absolute path that "File" of the profile name means (given; NULL: there
 * is none), and "Archive", for a profile whose file is file.  The caller frees
 * (OPENSSL_free); NULL with the error raised. */
char *mesh_tree_file(struct mesh_context *ctx, const char *home,
                     const char *name, const char *given);
char *mesh_tree_archive(struct mesh_context *ctx, const char *home,
                        const char *name, const char *given, const char *file);
/* What the tree says of a file in the standard place; the caller frees. */
char *mesh_tree_entered(struct mesh_context *ctx, const char *udf,
                        const char *ending);

/* And of files: posix/files.c, posix/home.c, windows/files.c. */

/* Whether a component of path is "..". */
int mesh_path_climbs(const char *path);
/* The lock around one change of the tree; it may be taken while
 * mesh_layout_lock() is held.  mesh_layout_unlock() releases it. */
int mesh_layout_lock_change(struct mesh_context *ctx, mesh_lock *lock);

#endif
