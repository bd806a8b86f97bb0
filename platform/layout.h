/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The platform layout of draft-hallambaker-mesh-platform, section 3: which
 * profiles are connected to this device, where their files are, which are the
 * defaults.  layout.c works on it in memory; posix/profiles_json.c reads it
 * from ~/.cryptomesh/profiles.json, windows/registry.c from the registry.
 */
#ifndef MESH_PLATFORM_LAYOUT_H
#define MESH_PLATFORM_LAYOUT_H

#include "platform/context.h"
#include "platform/udf.h"

#include <stdint.h>

enum mesh_profile_kind {
    MESH_PROFILE_PERSONAL,
    MESH_PROFILE_DEVICE,
    MESH_PROFILE_APPLICATION
};

#define MESH_PROFILE_FILE_MAX (16u << 20) /* octets of a profile's file */

/* One profile of the layout.  Strings belong to the layout. */
struct mesh_layout_entry {
    enum mesh_profile_kind kind;
    const char *name; /* the fingerprint as the layout spells it */
    struct mesh_udf udf;
    const char *file;           /* absolute path of the latest copy */
    const char *archive;        /* absolute path, may not exist */
    const char *const *portals; /* accounts, NULL-terminated, default first */
};

struct mesh_layout;

/*
 * Reads the layout.  A missing one is an empty one.  Entries whose name is no
 * fingerprint or whose path has ".." components are refused: MESH_R_LAYOUT_
 * MALFORMED, MESH_R_UNSAFE_PATH; a file or folder that is not ours, or that
 * others may write: MESH_R_UNSAFE_FILE.  The caller frees.
 */
int mesh_layout_open(struct mesh_context *ctx, struct mesh_layout **layout);
void mesh_layout_free(struct mesh_layout *layout);

/*
 * From here on the layout that was freed last is kept in the context, and
 * opened again without reading profiles.json as long as that is the same file:
 * for a program that loads many keys, or has many profiles.
 * mesh_layout_forget() ends it, before the context is freed.  Without memory
 * nothing is kept.
 */
void mesh_layout_keep(struct mesh_context *ctx);
void mesh_layout_forget(struct mesh_context *ctx);

size_t mesh_layout_count(const struct mesh_layout *layout);
const struct mesh_layout_entry *
mesh_layout_entry(const struct mesh_layout *layout, size_t i);

/* The entry that is the default: of a kind (type NULL), or of an application
 * type ("Web", "SSH", "Network", "Mail").  NULL if there is none, or if the
 * default names a profile that is not in the layout. */
const struct mesh_layout_entry *
mesh_layout_default(const struct mesh_layout *layout,
                    enum mesh_profile_kind kind, const char *type);

/* The entry of a kind that a fingerprint means; NULL if there is none. */
const struct mesh_layout_entry *
mesh_layout_find(const struct mesh_layout *layout, enum mesh_profile_kind kind,
                 const struct mesh_udf *udf);

/* The personal profile that is registered under a portal account, NULL if there
 * is none: what another kind says of accounts nobody has vouched for. */
const struct mesh_layout_entry *
mesh_layout_find_account(const struct mesh_layout *layout, const char *account);

/* Where a profile's file and its archive belong when we create it; the caller
 * frees (OPENSSL_free). */
char *mesh_layout_standard_file(struct mesh_context *ctx, const char *udf);
char *mesh_layout_standard_archive(struct mesh_context *ctx, const char *udf);
/*
 * Where the layout is, in the form that the setting "home" has: an absolute
 * folder; on Windows a key of the registry, "HKEY_CURRENT_USER\\SOFTWARE\\
 * CryptoMesh".  The caller frees (OPENSSL_free).  Fails when nothing says
 * where.
 */
char *mesh_layout_home(struct mesh_context *ctx);

/*
 * Reads a whole file of at most max octets into *data (NUL-terminated beyond
 * *len; the caller frees with OPENSSL_free), after checking that neither it nor
 * the folder that holds it may be written by others (owner: the user or root;
 * no write bit for group or others), on the open descriptor.  Errors name path
 * and mode: MESH_R_UNSAFE_FILE, MESH_R_FILE_MISSING, MESH_R_PROFILE_TOO_
 * LARGE, MESH_R_FILE_IO.
 */
int mesh_layout_read_file(struct mesh_context *ctx, const char *path,
                          size_t max, unsigned char **data, size_t *len);

/*
 * Reads at most max octets from offset on, after the same checks; *size is the
 * file's.  Where it ends there are fewer, or none.
 */
int mesh_layout_read_part(struct mesh_context *ctx, const char *path,
                          uint64_t offset, size_t max, unsigned char **data,
                          size_t *len, uint64_t *size);

#define MESH_LAYOUT_CHANGE_SECONDS 5
/* Whether the second of two files was not modified right after the first, as
 * one change does it: earlier, more than MESH_LAYOUT_CHANGE_SECONDS later, or
 * it is not there.  0 if the first is not there. */
int mesh_layout_are_apart(struct mesh_context *ctx, const char *first,
                          const char *second);

#define MESH_LAYOUT_NO_FILE UINT64_MAX
/*
 * Appends lines to a file, which is made (0600) if it is missing, and syncs it;
 * a last line without its end gets one first.  *before is how long the file
 * was, or MESH_LAYOUT_NO_FILE; mesh_layout_cut_file() undoes it.  On failure it
 * is as long as it was.  The caller has the lock.
 */
int mesh_layout_append_file(struct mesh_context *ctx, const char *path,
                            const void *data, size_t len, uint64_t *before);
int mesh_layout_cut_file(struct mesh_context *ctx, const char *path,
                         uint64_t before);

/*
 * Replaces a file atomically: temporary file in the same folder, mode 0600,
 * fsync, rename, fsync of the folder.  Folders below the home are made, 0700.
 * On failure the old file is untouched and the temporary one removed.
 */
int mesh_layout_write_file(struct mesh_context *ctx, const char *path,
                           const void *data, size_t len);

/*
 * Changes to the layout.  Each takes the lock (MESH_R_FILE_LOCKED after five
 * seconds), reads the file again, changes it, keeps members that it does not
 * know, and replaces it atomically.
 */
/* Adds or replaces the entry of a profile whose file is in the standard place;
 * portals may be NULL. */
int mesh_layout_add(struct mesh_context *ctx, enum mesh_profile_kind kind,
                    const char *udf, const char *const *portals);
/* Adds an account behind those of a personal profile that is in the layout; one
 * that it has already changes nothing. */
int mesh_layout_add_account(struct mesh_context *ctx, const char *udf,
                            const char *account);
/* Takes it out of them; MESH_R_ACCOUNT if it is none of them. */
int mesh_layout_remove_account(struct mesh_context *ctx, const char *udf,
                               const char *account);
/* Makes udf the default of a kind, or of an application type; NULL removes the
 * default. */
int mesh_layout_set_default(struct mesh_context *ctx,
                            enum mesh_profile_kind kind, const char *type,
                            const char *udf);
/* Removes the entry and every default that names it; the files stay. */
int mesh_layout_remove(struct mesh_context *ctx, enum mesh_profile_kind kind,
                       const char *udf);

/* Removes the temporary files that killed writers left in the folder of the
 * layout and in those in it; of those that are younger than an hour somebody
 * may still be the writer.  Returns how many; what cannot be removed is traced.
 */
size_t mesh_layout_remove_leftovers(struct mesh_context *ctx);

/* A descriptor or a handle of the system. */
typedef intptr_t mesh_lock;
#define MESH_LOCK_NONE ((mesh_lock)-1)

/* Serialises writers of profiles too: takes the layout's lock until unlock;
 * the changes above may be called in between. */
int mesh_layout_lock(struct mesh_context *ctx, mesh_lock *lock);
void mesh_layout_unlock(mesh_lock lock);

/* Files by their names; who may write them is not looked at. */
/* Whether there is something: a link to nothing is, and what cannot be looked
 * at. */
int mesh_file_exists(struct mesh_context *ctx, const char *path);
/* Whether it is a regular file, or a link to one. */
int mesh_file_is_regular(struct mesh_context *ctx, const char *path);
/* Removes it; one that is missing is removed.  MESH_R_FILE_IO. */
int mesh_file_remove(struct mesh_context *ctx, const char *path);
/* Removes the folder that holds path, if it is empty. */
void mesh_file_remove_folder(struct mesh_context *ctx, const char *path);
/* The absolute path without links of a file that is there; the caller frees
 * (OPENSSL_free).  MESH_R_FILE_IO. */
char *mesh_file_real_path(struct mesh_context *ctx, const char *path);

#endif
