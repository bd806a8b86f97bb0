/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a mesh: URI to objects: names, certificates, keys.
 */
#ifndef MESH_STORE_RESOLVE_H
#define MESH_STORE_RESOLVE_H

#include "keymgmt/key.h"
#include "store/criterion.h"
#include "store/profile.h"
#include "store/uri.h"

struct mesh_object {
    enum mesh_object_type type;
    char *name;           /* canonical URI */
    char *description;    /* for people */
    X509 *certificate;    /* MESH_OBJECT_CERTIFICATE */
    struct mesh_key *key; /* MESH_OBJECT_PRIVATE, MESH_OBJECT_PUBLIC */
};

struct mesh_objects {
    struct mesh_object *items;
    size_t count;
};

/*
 * What a URI names, as docs/mesh-uri.7.md says: one key gives its certificates,
 * the private key and the public key, in this order; a profile of several keys
 * those of its natural key and a name for each other; "mesh:" a name for every
 * profile.  A personal profile asked for certificates alone gives those of its
 * online and master keys.  expect narrows (MESH_OBJECT_ANY: all), the URI's own
 * type too. A private key that this device does not hold is left out with a
 * trace line; if it was expected, that is the error.  criterion (NULL: none)
 * searches in what the URI names.  The whole trust chain is checked.
 */
int mesh_resolve(struct mesh_context *ctx, const char *uri,
                 enum mesh_object_type expect,
                 const struct mesh_criterion *criterion,
                 struct mesh_objects *objects);
void mesh_objects_free(struct mesh_objects *objects);

/*
 * Finds the profile that a name means (fingerprint of a profile or a key, word,
 * portal account), verified with its trust chain; and, when the name is a key's
 * fingerprint, which key (*key, owned by *profile; else NULL).
 */
int mesh_resolve_profile(struct mesh_context *ctx, const char *name,
                         struct mesh_profile **profile,
                         const struct mesh_profile_key **key);

/* Verifies a profile read from anywhere, with the trust chain that the layout
 * provides (application profiles need a personal one). */
int mesh_resolve_trust(struct mesh_context *ctx, struct mesh_profile *profile);

#endif
