/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change of keys, profiles and layout that happens as a whole or not at all.
 */
#ifndef MESH_STORE_CHANGE_H
#define MESH_STORE_CHANGE_H

#include "store/payload.h"

#define MESH_CHANGE_KEYS_MAX  4
#define MESH_CHANGE_FILES_MAX 64

struct mesh_change {
    struct mesh_context *ctx;
    /* Asked before each step; 0 with the error raised lets the change fail.
     * NULL: nothing interrupts it. */
    int (*go_on)(struct mesh_context *ctx);
    int heals; /* an old file that cannot be read is replaced all the same */
    mesh_lock lock;                                  /* of the layout */
    struct mesh_key_name keys[MESH_CHANGE_KEYS_MAX]; /* new in the key store */
    size_t keys_count;
    struct mesh_change_file {
        char *path;
        unsigned char *old; /* NULL: there was none */
        size_t old_len;
        int old_lost; /* there was one, which could not be read */
        int written;  /* 0: failed, the old one is untouched */
        char *archive;
        uint64_t archive_before; /* its length; MESH_LAYOUT_NO_FILE … */
    } files[MESH_CHANGE_FILES_MAX];
    size_t files_count;
    struct mesh_change_entry {
        enum mesh_profile_kind kind;
        const char *type; /* of an application; else NULL */
        char udf[MESH_UDF_TEXT_MAX];
        char default_before[MESH_UDF_TEXT_MAX]; /* empty: there was none */
        int added, default_set;
    } entry; /* new in the layout */
    /* A profile that was seen or made and whose time the clock has not reached
     * yet; empty: there was none.  It stays when the change has ended. */
    char ahead[MESH_UDF_TEXT_MAX];
    char ahead_updated[64], now[MESH_TIME_TEXT_MAX];
    int undone; /* 1 at the end: there was something to undo, and all of it was
                 */
};

/* Begins one; it must be ended. */
void mesh_change_begin(struct mesh_change *change, struct mesh_context *ctx);
/* Takes the layout's lock: from here to the end nobody else changes profiles,
 * so what is to be changed is read after it. */
int mesh_change_lock(struct mesh_change *change);
/* Ends the change: with ok 0, or if go_on says no, all that was done is undone,
 * and 0 returned.  What cannot be undone is raised as an error, too. */
int mesh_change_end(struct mesh_change *change, int ok);

/* Notes in change->ahead whether a profile is ahead of the clock. */
void mesh_change_saw(struct mesh_change *change,
                     const struct mesh_profile *profile);

/* Makes a key in the key store.  *public is the caller's. */
int mesh_change_generate(struct mesh_change *change, const char *algorithm,
                         EVP_PKEY **public);
/* Notes a key that the caller put into the key store. */
int mesh_change_added_key(struct mesh_change *change, EVP_PKEY *public);

/* Appends a version to the archive of a profile, then replaces its file.  What
 * was there before there was an archive is archived, too.
 * MESH_R_PROFILE_TOO_LARGE: nobody would read it. */
int mesh_change_write(struct mesh_change *change, const char *path,
                      const char *archive, const char *text, size_t len);
/* Writes the file of a new profile to the standard place, enters it in the
 * layout, and makes it the default of its kind or type if there is none or
 * make_default is set. */
int mesh_change_add(struct mesh_change *change, enum mesh_profile_kind kind,
                    const char *type, const char *udf,
                    const char *const *portals, const char *text, size_t len,
                    int make_default);

/*
 * Signs the payload of a profile and makes the text of its file; then reads
 * that back as everybody else will, so that nothing is written that we would
 * not read.  before: the document that it replaces, whose wrapper and unknown
 * members are kept, or NULL.  personal: what an application profile is verified
 * by; NULL: the layout's.  *text is the caller's (OPENSSL_free), *parsed too.
 */
int mesh_change_sign(struct mesh_change *change, enum mesh_profile_kind kind,
                     const json_t *payload, EVP_PKEY *signer,
                     const json_t *before, const struct mesh_profile *personal,
                     char **text, size_t *len, struct mesh_profile **parsed);

/*
 * Signs a profile of the layout again whose payload (profile->payload) was
 * changed, replaces its file, and *profile by what that says.  Sets Updated.  A
 * device signs itself, a personal profile is signed by an online key, an
 * application profile by the default device.
 */
int mesh_change_resign(struct mesh_change *change,
                       struct mesh_profile **profile);
/* The same, signed by a key that the change itself has made the profile's
 * online key. */
int mesh_change_resign_by(struct mesh_change *change,
                          struct mesh_profile **profile, EVP_PKEY *signer);
/* Enters a key under a role that was checked (mesh_payload_check_role), with
 * its certificates or NULL, and signs the profile again, as mesh_change_resign.
 */
int mesh_change_enter_key(struct mesh_change *change,
                          struct mesh_profile **profile, const char *role,
                          EVP_PKEY *key, STACK_OF(X509) * certificates);
/* Whether the key that would sign is here; fails with the error raised. */
int mesh_change_can_sign(struct mesh_context *ctx,
                         const struct mesh_profile *profile);

/*
 * The master profile in a personal one, for a change: its payload
 * {"MasterProfile": {…}}, the caller's (json_decref).  sign_master signs that
 * again with the master key, sets Updated, and puts it into profile->payload,
 * for mesh_change_resign() to follow.
 */
json_t *mesh_change_open_master(struct mesh_change *change,
                                const struct mesh_profile *personal);
int mesh_change_sign_master(struct mesh_change *change,
                            struct mesh_profile *personal, json_t *payload);

/* The one key of a profile that role means; NULL is raised. */
const struct mesh_profile_key *
mesh_profile_one_key(struct mesh_context *ctx,
                     const struct mesh_profile *profile, const char *role);

#endif
