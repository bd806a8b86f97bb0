/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: what a verified payload says, above all its keys.
 */
#ifndef MESH_STORE_PROFILE_H
#define MESH_STORE_PROFILE_H

#include "platform/layout.h"
#include "store/kind.h"
#include "store/signed.h"
#include "store/time.h"

#include <openssl/x509.h>

/* A key of a profile: an object with UDF and PublicParameters.  Of one
 * that is not open (mesh_profile_key_open) only member and device are used. */
struct mesh_profile_key {
    char *member; /* name of the member that holds it: its role */
    char *device; /* DeviceUDF beside it (applications), or NULL */
    char udf[MESH_UDF_TEXT_MAX]; /* its canonical name; before it is open, what
                                  * the profile says */
    EVP_PKEY *public;            /* NULL before it is open */
    STACK_OF(X509) * certificates; /* its own first, then the chain; or NULL */
    struct mesh_key_name name;     /* as the key store has it, of an open one */
    json_t *object;                /* in the payload */
};

/* An entry of Applications in a personal profile. */
struct mesh_profile_application {
    char *identifier;
    char *type; /* "SSHProfile" … */
    char *friendly;
    char **admins; /* fingerprints of devices, NULL-terminated:
                    * AdminDeviceUDF, or SignID of 2017 */
};

struct mesh_profile {
    enum mesh_profile_kind kind;
    char *type;       /* tag of the payload: DeviceProfile … */
    char *identifier; /* as written */
    struct mesh_udf udf;
    char *description;             /* or NULL */
    char *updated;                 /* as written, RFC 3339; or NULL */
    mesh_time updated_at;          /* when that was */
    struct mesh_profile_key *keys; /* this profile's; a personal profile's
                                    * include those of its master profile */
    size_t keys_count;
    struct mesh_profile **devices; /* personal: the verified devices in it */
    size_t devices_count;
    struct mesh_profile_application *applications;
    size_t applications_count;
    int by_owner;     /* personal: signed by an online key of its master
                       * profile, not by a device alone */
    json_t *payload;  /* {"DeviceProfile": {…}}: for changes */
    json_t *document; /* the whole file */
    struct mesh_signed *outer; /* its signatures */
    char *signer;              /* fingerprint of the key that signed it */
    char *where;               /* its file, for errors; NULL: in another */
};

/*
 * Parses and verifies the text of a profile's file: any tag or wrapper, and all
 * of the trust chain that the file itself can prove (store/trust.c).  An
 * application profile is only complete after mesh_trust_application().
 * where names the file in errors.
 */
int mesh_profile_parse(struct mesh_context *ctx, const char *text, size_t len,
                       const char *where, struct mesh_profile **profile);
/* The same of its JSON, which the profile refers to; but only those keys are
 * open that the trust chain rests on. */
int mesh_profile_parse_json(struct mesh_context *ctx, json_t *document,
                            const char *where, struct mesh_profile **profile);
void mesh_profile_free(struct mesh_profile *profile);
/* Whether it says that it was updated earlier than another; not if one of them
 * does not say. */
int mesh_profile_is_older(const struct mesh_profile *profile,
                          const struct mesh_profile *than);

/* Reads the file (mesh_layout_read_file) and parses it. */
int mesh_profile_read(struct mesh_context *ctx, const char *path,
                      struct mesh_profile **profile);
/* The same, but only those keys are open that the trust chain rests on.  A key
 * costs more than all the rest, and few are asked for. */
int mesh_profile_read_chain(struct mesh_context *ctx, const char *path,
                            struct mesh_profile **profile);

/* Opens a key: decodes its public half and its certificates, and checks that
 * its name is its own.  Nothing to do for an open one. */
int mesh_profile_key_open(struct mesh_context *ctx,
                          const struct mesh_profile_key *key);
/* What the key store knows an open key by. */
void mesh_profile_key_name(const struct mesh_profile_key *key,
                           struct mesh_key_name *name);
/* Opens a key of a profile, with errors that say where that is; or all
 * its keys, and those of the devices in it. */
int mesh_profile_open_key(struct mesh_context *ctx,
                          const struct mesh_profile *profile,
                          const struct mesh_profile_key *key);
int mesh_profile_open_keys(struct mesh_context *ctx,
                           const struct mesh_profile *profile);

/*
 * The keys of a profile that a role names: an alias (sign, auth, encrypt,
 * master, escrow, online, retired), a member name, or a key's fingerprint.
 * Writes at most max pointers; returns how many match.  Those that a
 * fingerprint named are open.
 */
size_t mesh_profile_find_keys(struct mesh_context *ctx,
                              const struct mesh_profile *profile,
                              const char *role,
                              const struct mesh_profile_key **keys, size_t max);
/* The keys of a profile that a fingerprint names, open, each once; the same
 * results.  Keys that cannot be opened are none, each with an error in ctx. */
size_t mesh_profile_find_named(struct mesh_context *ctx,
                               const struct mesh_profile *profile,
                               const struct mesh_udf *udf,
                               const struct mesh_profile_key **keys,
                               size_t max);
/* The alias of a key's role for printing: "sign", or the member's name. */
const char *mesh_profile_role(const struct mesh_profile_key *key);

/* Notes in key, whose member is set, the JSON of a public key and the name that
 * it has there.  object stays NULL if the form is not known or no fingerprint
 * is given.  The caller frees, on failure too. */
int mesh_profile_key_note(struct mesh_context *ctx, json_t *object,
                          struct mesh_profile_key *key);
/* Whether a fingerprint, as long as it is, names a key: *named is 1 or 0.  As
 * mesh_udf_names_key(), but quick for the name that we computed; opens the key.
 */
int mesh_profile_key_named(struct mesh_context *ctx,
                           const struct mesh_profile_key *key,
                           const struct mesh_udf *udf, int *named);

/* The JSON of a public key: {"UDF", "PublicParameters"} with PublicKeyRSA for
 * RSA and PublicKeyPKIX for all others, and X509Certificate, X509Chain if there
 * are certificates (NULL for none).  The caller json_decref()s. */
json_t *mesh_profile_key_json(struct mesh_context *ctx, EVP_PKEY *public,
                              STACK_OF(X509) * certificates);

/* The tagged text of a file: {"SignedDeviceProfile": signed}; strict JSON.  The
 * caller frees (OPENSSL_free). */
char *mesh_profile_text(struct mesh_context *ctx, const char *tag,
                        const json_t *signed_object, size_t *len);

#endif
