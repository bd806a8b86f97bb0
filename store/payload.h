/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of a profile that is going to be changed: what stands where in its
 * payload.
 */
#ifndef MESH_STORE_PAYLOAD_H
#define MESH_STORE_PAYLOAD_H

#include "store/profile.h"

/* The profile, and the member of it, that take a key if nobody says which. */
#define MESH_PROFILE_DEFAULT "device"
#define MESH_ROLE_DEFAULT    "ImportedKeys"
/* The member that keeps the keys that others took the place of. */
#define MESH_ROLE_RETIRED "RetiredKeys"

/* What stands inside the tag of a payload or document: borrowed. */
json_t *mesh_payload_inner(const json_t *tagged);
/* The signed object of a document, without tag and wrapper: borrowed. */
json_t *mesh_document_object(const json_t *document);
/* Sets Updated to now, or to a second after what it was if that is not earlier.
 */
int mesh_payload_touch(struct mesh_context *ctx, json_t *inner);
/* When the payload was updated; 0, and nothing raised, if it does not say. */
int mesh_payload_updated(const json_t *inner, mesh_time *time);
/* Whether a profile says that it was updated more than a day after now, the
 * time of this computer's clock: one of the two is wrong. */
int mesh_profile_is_ahead(const struct mesh_profile *profile,
                          char now[MESH_TIME_TEXT_MAX]);

/* The object in a payload that holds key: with PublicParameters, wherever it
 * stands.  Borrowed; NULL, and nothing raised, if there is none. */
json_t *mesh_payload_find_key(struct mesh_context *ctx, json_t *payload,
                              EVP_PKEY *key);
/* Gives such an object its certificates; what else stands in it stays. */
int mesh_payload_set_certificates(struct mesh_context *ctx, json_t *object,
                                  EVP_PKEY *key, STACK_OF(X509) * certificates);

/* Whether a key (NULL: a new one) may be put under role: a list of keys, or a
 * new member whose name does not mean another key already; MESH_R_USAGE.  A
 * second key would take the role's URI from the first, which may be in use: but
 * for MESH_ROLE_DEFAULT, MESH_R_KEY_EXISTS. */
int mesh_payload_check_role(struct mesh_context *ctx,
                            const struct mesh_profile *profile,
                            const char *role, EVP_PKEY *key);
/* Enters a key in the profile's payload under a role that was checked; or its
 * certificates alone if it is there.  certificates may be NULL. */
int mesh_payload_enter_key(struct mesh_context *ctx,
                           struct mesh_profile *profile, const char *role,
                           EVP_PKEY *key, STACK_OF(X509) * certificates);
/* Whether a key was entered so, and can be taken out again. */
int mesh_payload_lists_key(struct mesh_context *ctx,
                           const struct mesh_profile *profile, EVP_PKEY *key);
/* Puts a new key where an old one stands in a payload, with the new one's
 * name and without the old one's certificates; the old one's object goes to
 * MESH_ROLE_RETIRED of the payload, unless it is to be dropped. */
int mesh_payload_replace_key(struct mesh_context *ctx, json_t *payload,
                             EVP_PKEY *old, EVP_PKEY *new, int drop);
/* Takes it out; fails if it is not there. */
int mesh_payload_remove_key(struct mesh_context *ctx,
                            struct mesh_profile *profile, EVP_PKEY *key);

#endif
