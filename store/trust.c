/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The trust chain: which key may sign what.
 */
#include "store/trust.h"

#include <openssl/crypto.h>
#include <string.h>

#define DEVICE_KEY "DeviceSignatureKey"
#define MASTER_KEY "MasterSignatureKey"
#define ONLINE_KEY "OnlineSignatureKeys"

/* The key of that member that udf names: *key, or NULL. */
static int find_key(struct mesh_context *ctx, const struct mesh_profile *p,
                    const char *member, const struct mesh_udf *udf,
                    const struct mesh_profile_key **key)
{
    size_t i;
    int named;

    *key = NULL;
    for (i = 0; i < p->keys_count && *key == NULL; i++) {
        if (strcmp(p->keys[i].member, member) != 0)
            continue;
        if (!mesh_profile_key_named(ctx, &p->keys[i], udf, &named))
            return 0;
        if (named)
            *key = &p->keys[i];
    }
    return 1;
}

/* The key that is the profile's name. */
static const struct mesh_profile_key *identity(struct mesh_context *ctx,
                                               const struct mesh_profile *p,
                                               const char *member)
{
    const struct mesh_profile_key *key = NULL;

    if (find_key(ctx, p, member, &p->udf, &key) && key == NULL)
        mesh_raise(ctx, MESH_R_PROFILE_NAME,
                   "Identifier %.64s is not the fingerprint of a %s in it",
                   p->identifier, member);
    return key;
}

static const char *identity_member(const struct mesh_profile *p)
{
    return p->kind == MESH_PROFILE_DEVICE ? DEVICE_KEY : MASTER_KEY;
}

int mesh_trust_name(struct mesh_context *ctx, const struct mesh_profile *p,
                    const struct mesh_udf *udf, int *named)
{
    const struct mesh_profile_key *key;

    *named = 0;
    /* Random: nothing to recompute, and no rule of truncation. */
    if (p->kind == MESH_PROFILE_APPLICATION) {
        char asked[MESH_UDF_TEXT_MAX], own[MESH_UDF_TEXT_MAX];

        mesh_udf_print(udf, asked);
        mesh_udf_print(&p->udf, own);
        *named = strncmp(asked, own, strlen(asked)) == 0;
        return 1;
    }
    key = identity(ctx, p, identity_member(p));
    return key != NULL && mesh_profile_key_named(ctx, key, udf, named);
}

int mesh_trust_is_identity(struct mesh_context *ctx,
                           const struct mesh_profile *p,
                           const struct mesh_profile_key *key)
{
    const struct mesh_profile_key *own = NULL;

    if (p->kind != MESH_PROFILE_APPLICATION)
        own = identity(ctx, p, identity_member(p));
    return own != NULL && strcmp(own->udf, key->udf) == 0;
}

int mesh_trust_identity(struct mesh_context *ctx, const struct mesh_profile *p)
{
    const struct mesh_profile_key *key = identity(ctx, p, identity_member(p));
    size_t i;

    if (key == NULL)
        return 0;
    for (i = 0; i < p->outer->signatures_count; i++)
        if (!mesh_signature_verify(ctx, &p->outer->signatures[i], key->public))
            return 0;
    return 1;
}

int mesh_trust_rests_on(struct mesh_context *ctx, const struct mesh_profile *p,
                        const struct mesh_profile_key *key)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    int named;

    if (p->kind == MESH_PROFILE_PERSONAL)
        return strcmp(key->member, MASTER_KEY) == 0
               || strcmp(key->member, ONLINE_KEY) == 0;
    return p->kind == MESH_PROFILE_DEVICE
           && strcmp(key->member, DEVICE_KEY) == 0
           && mesh_profile_key_named(&quiet, key, &p->udf, &named) && named;
}

/* The signature key of a device in a personal profile: *key, or NULL. */
static int find_device(struct mesh_context *ctx,
                       const struct mesh_profile *personal,
                       const struct mesh_udf *udf,
                       const struct mesh_profile_key **key)
{
    size_t i;
    int named;

    *key = NULL;
    for (i = 0; i < personal->devices_count; i++) {
        if (!mesh_trust_name(ctx, personal->devices[i], udf, &named))
            return 0;
        if (named) {
            *key = identity(ctx, personal->devices[i], DEVICE_KEY);
            return *key != NULL;
        }
    }
    return 1;
}

int mesh_trust_personal(struct mesh_context *ctx, struct mesh_profile *p,
                        const struct mesh_profile *master)
{
    const struct mesh_profile_key *key;
    struct mesh_udf kid;
    size_t i;
    int named;

    p->by_owner = 1;
    key = identity(ctx, master, MASTER_KEY);
    if (key == NULL || !mesh_profile_key_named(ctx, key, &p->udf, &named))
        return 0;
    if (!named)
        return mesh_raise(ctx, MESH_R_PROFILE_NAME,
                          "Identifier %.64s is not that of its master profile, "
                          "%.64s",
                          p->identifier, master->identifier);
    for (i = 0; i < p->outer->signatures_count; i++) {
        const struct mesh_signature *signature = &p->outer->signatures[i];

        if (!mesh_udf_parse(ctx, signature->kid, &kid)
            || !find_key(ctx, master, ONLINE_KEY, &kid, &key))
            return 0;
        if (key == NULL && p->outer->form_2016) {
            p->by_owner = 0;
            if (!find_device(ctx, p, &kid, &key))
                return 0;
        }
        if (key == NULL)
            return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                              "signed by %.64s, which is none of its master "
                              "profile's %s",
                              signature->kid, ONLINE_KEY);
        if (!mesh_signature_verify(ctx, signature, key->public))
            return 0;
    }
    return 1;
}

static int same_udf(const struct mesh_udf *a, const struct mesh_udf *b)
{
    return a->bits == b->bits
           && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* The entry of an application in a personal profile, or NULL. */
static const struct mesh_profile_application *
find_entry(const struct mesh_profile *personal, const struct mesh_profile *app)
{
    struct mesh_udf udf;
    size_t i;

    for (i = 0; i < personal->applications_count; i++)
        if (mesh_udf_decode(personal->applications[i].identifier, &udf)
            && same_udf(&udf, &app->udf)
            && strcmp(personal->applications[i].type, app->type) == 0)
            return &personal->applications[i];
    return NULL;
}

int mesh_trust_lists(const struct mesh_profile *personal,
                     const struct mesh_profile *app)
{
    return find_entry(personal, app) != NULL;
}

/* Whether an entry names a device, given its fingerprint, as administrator. */
static int is_admin(const struct mesh_profile_application *entry,
                    const struct mesh_udf *device)
{
    struct mesh_udf udf;
    size_t i;

    for (i = 0; entry->admins[i] != NULL; i++)
        if (mesh_udf_decode(entry->admins[i], &udf)
            && mesh_udf_may_equal(&udf, device))
            return 1;
    return 0;
}

static int replace(struct mesh_context *ctx, char **to, const char *text)
{
    char *copy = NULL;

    if (text != NULL && (copy = OPENSSL_strdup(text)) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "reading a profile");
    OPENSSL_free(*to);
    *to = copy;
    return 1;
}

/* No signature is an administrator's: because the device is no more, or never
 * was one. */
static int raise_signer(struct mesh_context *ctx,
                        const struct mesh_profile *app,
                        const struct mesh_profile *personal)
{
    const char *signer = app->outer->signatures[0].kid;
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const struct mesh_profile_key *key;
    struct mesh_udf kid;

    if (mesh_udf_parse(&quiet, signer, &kid)
        && find_device(&quiet, personal, &kid, &key) && key == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "signed by %.64s, which is no device of personal "
                          "profile %.64s, or no more",
                          signer, personal->identifier);
    return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                      "signed by %.64s, which personal profile %.64s does not "
                      "list as its administrator",
                      signer, personal->identifier);
}

int mesh_trust_application(struct mesh_context *ctx, struct mesh_profile *app,
                           const struct mesh_profile *personal)
{
    const struct mesh_profile_application *entry;
    const struct mesh_profile_key *key;
    const char *signer = NULL;
    struct mesh_udf kid;
    size_t i;

    entry = find_entry(personal, app);
    if (entry == NULL)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "personal profile %.64s does not list the %.32s "
                          "%.64s",
                          personal->identifier, app->type, app->identifier);
    if (!personal->by_owner)
        return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                          "personal profile %.64s is signed by a device alone; "
                          "its list of applications is not believed",
                          personal->identifier);
    for (i = 0; i < app->outer->signatures_count; i++) {
        const struct mesh_signature *signature = &app->outer->signatures[i];

        if (!mesh_udf_parse(ctx, signature->kid, &kid))
            return 0;
        /* Another's signature beside the administrator's says nothing. */
        if (!is_admin(entry, &kid))
            continue;
        if (!find_device(ctx, personal, &kid, &key))
            return 0;
        if (key == NULL)
            return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                              "administrator %.64s is no device of personal "
                              "profile %.64s",
                              signature->kid, personal->identifier);
        if (!mesh_signature_verify(ctx, signature, key->public))
            return 0;
        signer = signature->kid;
    }
    if (signer == NULL)
        return raise_signer(ctx, app, personal);
    return replace(ctx, &app->signer, signer)
           && (app->description != NULL
               || replace(ctx, &app->description, entry->friendly));
}
