/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change of keys, profiles and layout that happens as a whole or not at all.
 */
#ifndef MESH_TOOLS_CHANGE_H
#define MESH_TOOLS_CHANGE_H

#include "store/profile.h"

#define CHANGE_KEYS_MAX  4
#define CHANGE_FILES_MAX 4

struct change {
    struct mesh_context *ctx;
    int lock; /* of the layout; -1: not taken */
    struct mesh_key_name keys[CHANGE_KEYS_MAX]; /* new in the key store */
    size_t keys_count;
    struct change_file {
        char *path;
        unsigned char *old; /* NULL: there was none */
        size_t old_len;
        int written; /* 0: failed, the old one is untouched */
    } files[CHANGE_FILES_MAX];
    size_t files_count;
    struct change_entry {
        enum mesh_profile_kind kind;
        const char *type; /* of an application; else NULL */
        char udf[MESH_UDF_TEXT_MAX];
        char default_before[MESH_UDF_TEXT_MAX]; /* empty: there was none */
        int added, default_set;
    } entry; /* new in the layout */
};

/* From here on signals that end programs wait for the end of the process; one
 * that waits lets the change fail at its next step. */
void change_begin(struct change *change, struct mesh_context *ctx);
/* Takes the layout's lock: from here to the end nobody else changes profiles,
 * so what is to be changed is read after it. */
int change_lock(struct change *change);
/* Ends the change: with ok 0, or if a signal waits, all that was done is
 * undone, and 0 returned. */
int change_end(struct change *change, int ok);

/* Makes a key in the key store.  *public is the caller's. */
int change_generate(struct change *change, const char *algorithm,
                    EVP_PKEY **public);
/* Notes a key that the caller put into the key store. */
int change_added_key(struct change *change, EVP_PKEY *public);

/* Replaces the file of a profile. */
int change_write(struct change *change, const char *path, const char *text,
                 size_t len);
/* Writes the file of a new profile to the standard place, enters it in the
 * layout, and makes it the default of its kind or type if there is none or
 * make_default is set. */
int change_add(struct change *change, enum mesh_profile_kind kind,
               const char *type, const char *udf, const char *const *portals,
               const char *text, size_t len, int make_default);

/*
 * Signs the payload of a profile and makes the text of its file; then reads
 * that back as everybody else will, so that nothing is written that we would
 * not read.  before: the document that it replaces, whose wrapper and unknown
 * members are kept, or NULL.  personal: what an application profile is verified
 * by; NULL: the layout's.  *text is the caller's (free()), *parsed too.
 */
int change_sign(struct change *change, enum mesh_profile_kind kind,
                const json_t *payload, EVP_PKEY *signer, const json_t *before,
                const struct mesh_profile *personal, char **text, size_t *len,
                struct mesh_profile **parsed);

/*
 * Signs a profile of the layout again whose payload (profile->payload) was
 * changed, replaces its file, and *profile by what that says.  Sets Updated.  A
 * device signs itself, a personal profile is signed by an online key, an
 * application profile by the default device.
 */
int change_resign(struct change *change, struct mesh_profile **profile);

/* What stands inside the tag of a payload or document: borrowed. */
json_t *change_inner(const json_t *tagged);
/* The signed object of a document, without tag and wrapper: borrowed. */
json_t *change_signed_object(const json_t *document);
/* Sets Updated to now, or leaves it if it is later than that. */
int change_touch(struct mesh_context *ctx, json_t *inner);
/* The one key of the profile that role means; NULL is raised. */
const struct mesh_profile_key *
change_one_key(struct mesh_context *ctx, const struct mesh_profile *profile,
               const char *role);

#endif
