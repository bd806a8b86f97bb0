/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A change of keys, profiles and layout that happens as a whole or not at all.
 */
#include "store/change.h"

#include "store/archive.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/role.h"
#include "store/trust.h"

#include <string.h>

static const char *const tags[] = {
    [MESH_PROFILE_PERSONAL] = "SignedPersonalProfile",
    [MESH_PROFILE_DEVICE] = "SignedDeviceProfile",
    [MESH_PROFILE_APPLICATION] = "SignedApplicationProfile",
};

static int go_on(struct mesh_change *change)
{
    return change->go_on == NULL || change->go_on(change->ctx);
}

void mesh_change_begin(struct mesh_change *change, struct mesh_context *ctx)
{
    memset(change, 0, sizeof(*change));
    change->ctx = ctx;
    change->lock = MESH_LOCK_NONE;
}

int mesh_change_lock(struct mesh_change *change)
{
    return go_on(change) && mesh_layout_lock(change->ctx, &change->lock);
}

void mesh_change_saw(struct mesh_change *change,
                     const struct mesh_profile *profile)
{
    char now[MESH_TIME_TEXT_MAX];

    if (!mesh_profile_is_ahead(profile, now))
        return;
    OPENSSL_strlcpy(change->ahead, profile->identifier, sizeof(change->ahead));
    OPENSSL_strlcpy(change->ahead_updated, profile->updated,
                    sizeof(change->ahead_updated));
    OPENSSL_strlcpy(change->now, now, sizeof(change->now));
}

int mesh_change_added_key(struct mesh_change *change, EVP_PKEY *public)
{
    if (change->keys_count == MESH_CHANGE_KEYS_MAX)
        return mesh_raise(change->ctx, MESH_R_INTERNAL,
                          "more than %d keys in one change",
                          MESH_CHANGE_KEYS_MAX);
    if (!mesh_key_name_of(change->ctx, public,
                          &change->keys[change->keys_count]))
        return 0;
    change->keys_count++;
    return 1;
}

int mesh_change_generate(struct mesh_change *change, const char *algorithm,
                         EVP_PKEY **public)
{
    return go_on(change)
           && mesh_keystore_generate(change->ctx, algorithm, public)
           && mesh_change_added_key(change, *public);
}

static int append(struct mesh_context *ctx, const char *archive,
                  const char *text, size_t len, uint64_t *before)
{
    json_t *document = mesh_json_parse(ctx, text, len, archive);
    int ok =
        document != NULL && mesh_archive_append(ctx, archive, document, before);

    json_decref(document);
    return ok;
}

static int archive_version(struct mesh_context *ctx,
                           struct mesh_change_file *file, const char *text,
                           size_t len)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    uint64_t before;
    int ok;

    /* an old one that is no JSON is no version */
    if (file->old != NULL && !mesh_file_exists(ctx, file->archive))
        append(&quiet, file->archive, (char *)file->old, file->old_len,
               &file->archive_before);
    ok = append(ctx, file->archive, text, len, &before);
    if (ok && file->archive_before == MESH_LAYOUT_UNCHANGED)
        file->archive_before = before;
    return ok;
}

/* What is at path, to be restored. */
static int read_old(struct mesh_change *change, struct mesh_change_file *file,
                    const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(change->ctx);

    if (!mesh_file_exists(change->ctx, path))
        return 1;
    file->old_lost = !mesh_layout_read_file(
        change->heals ? &quiet : change->ctx, path, MESH_PROFILE_FILE_MAX,
        &file->old, &file->old_len);
    return !file->old_lost || change->heals;
}

/* A file that the change has written already: what was there before that is
 * what undoing brings back. */
static struct mesh_change_file *find_file(struct mesh_change *change,
                                          const char *path)
{
    for (size_t i = 0; i < change->files_count; i++)
        if (strcmp(change->files[i].path, path) == 0)
            return &change->files[i];
    return NULL;
}

static struct mesh_change_file *add_file(struct mesh_change *change,
                                         const char *path, const char *archive)
{
    struct mesh_change_file *file = &change->files[change->files_count];

    if (change->files_count == MESH_CHANGE_FILES_MAX) {
        mesh_raise(change->ctx, MESH_R_INTERNAL,
                   "more than %d files in one change", MESH_CHANGE_FILES_MAX);
        return NULL;
    }
    if (!read_old(change, file, path))
        return NULL;
    file->path = OPENSSL_strdup(path);
    file->archive = OPENSSL_strdup(archive);
    file->archive_before = MESH_LAYOUT_UNCHANGED;
    if (file->path != NULL && file->archive != NULL) {
        change->files_count++;
        return file;
    }
    OPENSSL_free(file->path);
    OPENSSL_free(file->archive);
    OPENSSL_free(file->old);
    memset(file, 0, sizeof(*file));
    mesh_raise(change->ctx, MESH_R_MEMORY, "%s", path);
    return NULL;
}

int mesh_change_write(struct mesh_change *change, const char *path,
                      const char *archive, const char *text, size_t len)
{
    struct mesh_change_file *file;
    int ok;

    if (!go_on(change))
        return 0;
    if (len > MESH_PROFILE_FILE_MAX)
        return mesh_raise(change->ctx, MESH_R_PROFILE_TOO_LARGE,
                          "%s would have %zu octets, at most %u are read", path,
                          len, MESH_PROFILE_FILE_MAX);
    file = find_file(change, path);
    if (file == NULL && (file = add_file(change, path, archive)) == NULL)
        return 0;
    ok = archive_version(change->ctx, file, text, len)
         && mesh_layout_write_file(change->ctx, path, text, len);
    file->written |= ok;
    return ok;
}

/* Remembers what is the default of the new entry's kind or type. */
static int read_default(struct mesh_change *change)
{
    struct mesh_change_entry *entry = &change->entry;
    const struct mesh_layout_entry *before;
    struct mesh_layout *layout = NULL;

    if (!mesh_layout_open(change->ctx, &layout))
        return 0;
    before = mesh_layout_default(layout, entry->kind, entry->type);
    if (before != NULL)
        OPENSSL_strlcpy(entry->default_before, before->name,
                        sizeof(entry->default_before));
    mesh_layout_free(layout);
    return 1;
}

int mesh_change_add(struct mesh_change *change, enum mesh_profile_kind kind,
                    const char *type, const char *udf,
                    const char *const *portals, const char *text, size_t len,
                    int make_default)
{
    struct mesh_change_entry *entry = &change->entry;
    char *path = mesh_layout_standard_file(change->ctx, udf);
    char *archive = mesh_layout_standard_archive(change->ctx, udf);
    /* the layout has no default of other types of applications */
    int has_default = kind != MESH_PROFILE_APPLICATION || type != NULL, ok = 0;

    entry->kind = kind;
    entry->type = type;
    OPENSSL_strlcpy(entry->udf, udf, sizeof(entry->udf));
    if (path == NULL || archive == NULL
        || (has_default && !read_default(change))
        || !mesh_change_write(change, path, archive, text, len)
        || !mesh_layout_add(change->ctx, kind, udf, portals))
        goto end;
    entry->added = 1;
    if (has_default && (entry->default_before[0] == '\0' || make_default)) {
        if (!mesh_layout_set_default(change->ctx, kind, type, udf))
            goto end;
        entry->default_set = 1;
    }
    ok = 1;
end:
    OPENSSL_free(path);
    OPENSSL_free(archive);
    return ok;
}

/* Removes or restores a file and its archive; a new one's folder goes too if
 * nothing else is there. */
static int undo_file(struct mesh_context *ctx, struct mesh_change_file *file)
{
    int ok;

    /* what was no version is not missed: the good one in its place stays */
    if (file->old_lost && file->written)
        return 1;
    ok = file->archive_before == MESH_LAYOUT_UNCHANGED
         || mesh_layout_cut_file(ctx, file->archive, file->archive_before);
    if (file->old_lost)
        return ok;
    if (file->old != NULL)
        return (!file->written
                || mesh_layout_write_file(ctx, file->path, file->old,
                                          file->old_len))
               && ok;
    if (!mesh_file_remove(ctx, file->path))
        return 0;
    mesh_file_remove_folder(ctx, file->path);
    return ok;
}

/* Files before the layout, and new ones before old ones: on a full disk that
 * makes the room that restoring needs. */
static void undo(struct mesh_change *change)
{
    const struct mesh_change_entry *entry = &change->entry;
    int ok = 1, done = 0;

    for (int old = 0; old <= 1; old++)
        for (size_t i = change->files_count; i-- > 0;)
            if ((change->files[i].old != NULL) == old) {
                ok &= undo_file(change->ctx, &change->files[i]);
                done = 1;
            }
    if (entry->added)
        ok &= mesh_layout_remove(change->ctx, entry->kind, entry->udf);
    if (entry->default_set && entry->default_before[0] != '\0')
        ok &= mesh_layout_set_default(change->ctx, entry->kind, entry->type,
                                      entry->default_before);
    for (size_t i = 0; i < change->keys_count; i++) {
        done = 1;
        if (mesh_keystore_delete(change->ctx, &change->keys[i]))
            continue;
        ok = mesh_raise(change->ctx, MESH_R_OPERATION_FAILED,
                        "the new key %s is still in the key store; delete it: "
                        "meshctl delete mesh://%s",
                        change->keys[i].udf, change->keys[i].udf);
    }
    change->undone = done && ok;
}

int mesh_change_end(struct mesh_change *change, int ok)
{
    ok = ok && go_on(change);
    if (!ok)
        undo(change);
    mesh_layout_unlock(change->lock);
    for (size_t i = 0; i < change->files_count; i++) {
        OPENSSL_free(change->files[i].path);
        OPENSSL_free(change->files[i].archive);
        OPENSSL_free(change->files[i].old);
    }
    return ok;
}

const struct mesh_profile_key *
mesh_profile_one_key(struct mesh_context *ctx,
                     const struct mesh_profile *profile, const char *role)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t count =
        mesh_profile_find_keys(ctx, profile, role, keys, MESH_ROLE_KEYS_MAX);

    if (count == 1)
        return keys[0];
    if (count > 1)
        mesh_role_raise_several(ctx, profile, role, keys, count);
    else
        mesh_raise(ctx, MESH_R_NO_ROLE,
                   "%s profile %s has no key '%.100s'; 'meshctl show' lists "
                   "its keys",
                   mesh_kind_word(profile->kind), profile->identifier, role);
    return NULL;
}

/* Puts a new signed object where the old one was: same tag and wrapper, and the
 * members beside the signature that we do not know. */
static char *document_text(struct mesh_context *ctx,
                           enum mesh_profile_kind kind, json_t *object,
                           const json_t *before, size_t *len)
{
    json_t *inner, *copy = NULL, *old = mesh_document_object(before);
    json_t *beside = json_object_get(object, "Unauthenticated");
    const char *tag = tags[kind];
    char *text = NULL;

    if (before != NULL) {
        if (json_object_update_missing(object, old) != 0)
            goto end;
        if (beside != NULL && json_object_get(old, "Unauthenticated") != NULL
            && json_object_update_missing(
                   beside, json_object_get(old, "Unauthenticated"))
                   != 0)
            goto end;
        inner = mesh_payload_inner(before);
        if (inner != old) {
            tag = json_object_iter_key(json_object_iter((json_t *)before));
            copy = json_copy(inner);
            if (copy == NULL || json_object_set(copy, "Profile", object) != 0)
                goto end;
        }
    }
    text = mesh_profile_text(ctx, tag, copy != NULL ? copy : object, len);
end:
    json_decref(copy);
    return text;
}

int mesh_change_sign(struct mesh_change *change, enum mesh_profile_kind kind,
                     const json_t *payload, EVP_PKEY *signer,
                     const json_t *before, const struct mesh_profile *personal,
                     char **text, size_t *len, struct mesh_profile **parsed)
{
    struct mesh_context *ctx = change->ctx;
    const char *identifier = json_string_value(
        json_object_get(mesh_payload_inner(payload), "Identifier"));
    json_t *object = mesh_signed_make(ctx, identifier, payload, signer);

    *parsed = NULL;
    *text =
        object == NULL ? NULL : document_text(ctx, kind, object, before, len);
    json_decref(object);
    if (*text == NULL
        || !mesh_profile_parse(ctx, *text, *len, "the new profile", parsed))
        return 0;
    if ((*parsed)->kind != kind || !json_equal((*parsed)->payload, payload))
        return mesh_raise(ctx, MESH_R_INTERNAL,
                          "the new profile %s reads back as another one",
                          identifier);
    mesh_change_saw(change, *parsed);
    if (kind != MESH_PROFILE_APPLICATION)
        return 1;
    return personal != NULL ? mesh_trust_application(ctx, *parsed, personal)
                            : mesh_resolve_trust(ctx, *parsed);
}

#define MASTER_MEMBER "SignedMasterProfile"

json_t *mesh_change_open_master(struct mesh_change *change,
                                const struct mesh_profile *personal)
{
    json_t *inner = mesh_payload_inner(personal->payload), *payload = NULL;
    struct mesh_signed *master;

    if (mesh_signed_parse(change->ctx, json_object_get(inner, MASTER_MEMBER),
                          &master))
        payload = mesh_json_parse(change->ctx, (char *)master->payload,
                                  master->payload_len, MASTER_MEMBER);
    mesh_signed_free(master);
    return payload;
}

int mesh_change_sign_master(struct mesh_change *change,
                            struct mesh_profile *personal, json_t *payload)
{
    struct mesh_context *ctx = change->ctx;
    json_t *inner = mesh_payload_inner(personal->payload), *object;
    json_t *before = json_object_get(inner, MASTER_MEMBER);
    const struct mesh_profile_key *key =
        mesh_profile_one_key(ctx, personal, "master");
    int ok, held;

    if (key == NULL || !mesh_role_holds(ctx, key, &held))
        return 0;
    if (!held)
        return mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                          "the master key of personal profile %s; change the "
                          "master profile on the device that has it",
                          personal->identifier);
    if (!mesh_payload_touch(ctx, mesh_payload_inner(payload)))
        return 0;
    object = mesh_signed_make(ctx,
                              json_string_value(json_object_get(
                                  mesh_payload_inner(payload), "Identifier")),
                              payload, key->public);
    if (object == NULL)
        return 0;
    ok = json_object_update_missing(object, before) == 0
         && json_object_set(inner, MASTER_MEMBER, object) == 0;
    json_decref(object);
    return ok || mesh_raise(ctx, MESH_R_MEMORY, MASTER_MEMBER);
}

/* The first key of a role whose private half is here; NULL is raised. */
static const struct mesh_profile_key *
held_key(struct mesh_context *ctx, const struct mesh_profile *profile,
         const char *role)
{
    const struct mesh_profile_key *keys[MESH_SIGNERS_MAX];
    size_t count =
        mesh_profile_find_keys(ctx, profile, role, keys, MESH_SIGNERS_MAX);
    struct mesh_key_name name;
    int held = 0;

    for (size_t i = 0; i < count && i < MESH_SIGNERS_MAX; i++) {
        if (!mesh_key_name_of(ctx, keys[i]->public, &name)
            || !mesh_keystore_holds(ctx, &name, &held))
            return NULL;
        if (held)
            return keys[i];
    }
    mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
               "none of the %zu %s keys of %s profile %s is here; change it "
               "on the device that has one",
               count, role, mesh_kind_word(profile->kind), profile->identifier);
    return NULL;
}

/* The key that signs a change of the profile, which is the profile's own, or
 * that of *device; NULL is raised. */
static const struct mesh_profile_key *
find_signer(struct mesh_context *ctx, const struct mesh_profile *profile,
            struct mesh_profile **device)
{
    const struct mesh_profile_key *ignored;

    *device = NULL;
    switch (profile->kind) {
    case MESH_PROFILE_PERSONAL:
        if (profile->by_owner)
            return held_key(ctx, profile, "online");
        /* What is not believed must not become the owner's word. */
        mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                   "personal profile %s is signed by a device alone and is not "
                   "changed",
                   profile->identifier);
        return NULL;
    case MESH_PROFILE_DEVICE:
        return held_key(ctx, profile, "sign");
    case MESH_PROFILE_APPLICATION:
        break;
    }
    return mesh_resolve_profile(ctx, "device", device, &ignored)
               ? held_key(ctx, *device, "sign")
               : NULL;
}

int mesh_change_can_sign(struct mesh_context *ctx,
                         const struct mesh_profile *profile)
{
    struct mesh_profile *device;
    int can = find_signer(ctx, profile, &device) != NULL;

    mesh_profile_free(device);
    return can;
}

/* The entry of a profile in the layout; NULL is raised. */
static const struct mesh_layout_entry *
entry_of(struct mesh_context *ctx, const struct mesh_layout *layout,
         const struct mesh_profile *profile)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_find(layout, profile->kind, &profile->udf);

    if (entry != NULL)
        return entry;
    mesh_raise(ctx, MESH_R_PROFILE_MISSING,
               "%s profile %s is not in the layout of this device",
               mesh_kind_word(profile->kind), profile->identifier);
    return NULL;
}

int mesh_change_resign(struct mesh_change *change,
                       struct mesh_profile **changed)
{
    struct mesh_profile *device;
    const struct mesh_profile_key *signer =
        find_signer(change->ctx, *changed, &device);
    int ok = signer != NULL
             && mesh_change_resign_by(change, changed, signer->public);

    mesh_profile_free(device);
    return ok;
}

int mesh_change_resign_by(struct mesh_change *change,
                          struct mesh_profile **changed, EVP_PKEY *signer)
{
    struct mesh_context *ctx = change->ctx;
    struct mesh_profile *profile = *changed, *parsed = NULL;
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout;
    char *text = NULL;
    size_t len = 0;
    int ok;

    ok = mesh_layout_open(ctx, &layout)
         && (entry = entry_of(ctx, layout, profile)) != NULL
         && mesh_payload_touch(ctx, mesh_payload_inner(profile->payload))
         && mesh_change_sign(change, profile->kind, profile->payload, signer,
                             profile->document, NULL, &text, &len, &parsed)
         && mesh_change_write(change, entry->file, entry->archive, text, len);
    if (ok) {
        *changed = parsed;
        parsed = profile;
    }
    mesh_profile_free(parsed);
    mesh_layout_free(layout);
    OPENSSL_free(text);
    return ok;
}

static int role_names(struct mesh_context *ctx,
                      const struct mesh_profile *profile, const char *role,
                      EVP_PKEY *key)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t count =
        mesh_profile_find_keys(ctx, profile, role, keys, MESH_ROLE_KEYS_MAX);

    while (count > 0)
        if (EVP_PKEY_eq(keys[--count]->public, key) == 1)
            return 1;
    return 0;
}

/* Not every name is one for a list of keys: "escrow" stands for other members,
 * a personal profile's MasterEscrowKeys are the master key's to give.  What was
 * written tells. */
int mesh_change_enter_key(struct mesh_change *change,
                          struct mesh_profile **profile, const char *role,
                          EVP_PKEY *key, STACK_OF(X509) * certificates)
{
    struct mesh_context *ctx = change->ctx;
    int known = mesh_payload_find_key(ctx, (*profile)->payload, key) != NULL;

    return mesh_payload_enter_key(ctx, *profile, role, key, certificates)
           && mesh_change_resign(change, profile)
           && (known || role_names(ctx, *profile, role, key)
               || mesh_raise(ctx, MESH_R_USAGE,
                             "role '%.100s' would not name the key in profile "
                             "%s; take another name",
                             role, (*profile)->identifier));
}
