/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The trust chain: from a fingerprint to a public key.
 *
 * 1. device: UDF of DeviceSignatureKey = its UDF = Identifier; signed by it.
 * 2. master: the same with MasterSignatureKey.  personal: every signature is by
 *    one of the master's OnlineSignatureKeys; Identifier = the master's.
 *    (The form of 2016: see mesh_trust_personal.)
 * 3. each device in a personal profile by rule 1.
 * 4. application: signed by a device that a personal profile lists as its
 *    administrator, and holds: any personal profile of the layout.
 * 5. every key that is used: its UDF is its own (mesh_profile_key_open).
 */
#ifndef MESH_STORE_TRUST_H
#define MESH_STORE_TRUST_H

#include "store/profile.h"

/* Whether a fingerprint, as long as it is, names a profile that has passed the
 * rules: *named is 1 or 0. */
int mesh_trust_name(struct mesh_context *ctx, const struct mesh_profile *p,
                    const struct mesh_udf *udf, int *named);

/* Whether an open key is the one whose fingerprint is the profile's name. */
int mesh_trust_is_identity(struct mesh_context *ctx,
                           const struct mesh_profile *p,
                           const struct mesh_profile_key *key);

/* Rule 1, and rule 2 for a master profile: signed by the key that is its name;
 * used by mesh_profile_parse(), as the next. */
int mesh_trust_identity(struct mesh_context *ctx, const struct mesh_profile *p);

/* Rule 2 for a personal profile.  p->by_owner: an online key of the master
 * profile signed.  Else a device did, which the form of 2016 allows: anybody
 * can put a device of his own beside a public master profile, so nothing in it
 * is believed but what the master key signed. */
int mesh_trust_personal(struct mesh_context *ctx, struct mesh_profile *p,
                        const struct mesh_profile *master);

/* Whether the trust chain rests on a key of a profile that has passed the
 * rules: a device's signature key that is its name, the master and online keys
 * of a personal profile. */
int mesh_trust_rests_on(struct mesh_context *ctx, const struct mesh_profile *p,
                        const struct mesh_profile_key *key);

/* Whether a personal profile lists an application profile. */
int mesh_trust_lists(const struct mesh_profile *personal,
                     const struct mesh_profile *app);

/* Rule 4, against one personal profile; fills in app->signer, and its
 * description if it has none. */
int mesh_trust_application(struct mesh_context *ctx, struct mesh_profile *app,
                           const struct mesh_profile *personal);

#endif
