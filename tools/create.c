/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl create: new keys, new profiles.
 */
#include "platform/algorithm.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/host.h"
#include "tools/portal_options.h"

#define MACHINE_NAME_MAX 256
#include <stdio.h>
#include <string.h>

#define ALGORITHM_DEFAULT "RSA-2048"
#define PORTALS_MAX       16

/* The row of an algorithm that is for one of uses; NULL is raised. */
static const struct mesh_algorithm *
find_algorithm(struct mesh_context *ctx, const char *name, unsigned uses)
{
    const struct mesh_algorithm *found = mesh_algorithm_need(ctx, name);
    char list[MESH_ALGORITHM_LIST_MAX];

    if (found == NULL || (found->uses & uses) != 0)
        return found;
    mesh_algorithm_list(ctx, uses, list);
    mesh_raise(ctx, MESH_R_USAGE, "%s keys cannot %s; those that can are %s",
               found->name,
               uses == MESH_USE_SIGN ? "sign" : "decrypt or agree on a secret",
               list);
    return NULL;
}

/* The algorithm for a key that others encrypt to: name if given, else that of
 * the other keys if it decrypts, which every program can use; key agreement is
 * for those who ask for it. */
static const struct mesh_algorithm *
find_encryption_algorithm(struct mesh_context *ctx, const char *name,
                          const struct mesh_algorithm *other)
{
    if (name == NULL && (other->uses & MESH_USE_DECRYPT) != 0)
        return other;
    return find_algorithm(ctx, name != NULL ? name : ALGORITHM_DEFAULT,
                          MESH_USE_ENCRYPT);
}

/* Makes a key and its JSON in member of object.  *public is the caller's. */
static int make_key(struct mesh_change *change,
                    const struct mesh_algorithm *algorithm, json_t *object,
                    const char *member, EVP_PKEY **public)
{
    json_t *key;

    if (!mesh_change_generate(change, algorithm->name, public))
        return 0;
    key = mesh_profile_key_json(change->ctx, *public, NULL);
    return key != NULL
           && (json_object_set_new(object, member, key) == 0
               || mesh_raise(change->ctx, MESH_R_MEMORY, "%s", member));
}

/* JSON has only UTF-8. */
static int check_description(struct mesh_context *ctx, const char *description)
{
    json_t *string = json_string(description);
    int ok = description == NULL || string != NULL
             || mesh_raise(ctx, MESH_R_USAGE,
                           "--description: the text must be UTF-8");

    json_decref(string);
    return ok;
}

/* An empty description is none. */
static const char *given(const char *description)
{
    return description != NULL && description[0] != '\0' ? description : NULL;
}

/* The payload {TAG: {Identifier, Names, Updated, Description, …more}}. */
static json_t *make_payload(struct mesh_context *ctx, const char *tag,
                            const char *identifier, const char *description,
                            json_t *more)
{
    json_t *inner =
        json_pack("{s:s, s:[], s:s, s:s*}", "Identifier", identifier, "Names",
                  "Updated", "", "Description", given(description));
    json_t *payload = NULL;

    if (inner == NULL || json_object_update(inner, more) != 0
        || (payload = json_pack("{s:O}", tag, inner)) == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", tag);
    else if (!mesh_payload_touch(ctx, inner)) {
        json_decref(payload);
        payload = NULL;
    }
    json_decref(inner);
    return payload;
}

static int name_of_key(struct mesh_context *ctx, EVP_PKEY *key,
                       char name[MESH_UDF_TEXT_MAX])
{
    struct mesh_udf udf;

    if (!mesh_udf_of_key(ctx, key, &udf))
        return 0;
    mesh_udf_print(&udf, name);
    return 1;
}

int command_create_device(struct mesh_context *ctx, int argc, char **argv)
{
    const char *algorithm = ALGORITHM_DEFAULT, *encryption = NULL;
    const char *description = NULL;
    int make_default = 0, ok = 0;
    const struct command_option options[] = {
        {"algorithm", &algorithm, NULL, 0},
        {"encryption-algorithm", &encryption, NULL, 0},
        {"description", &description, NULL, 0},
        {"default", NULL, &make_default, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_algorithm *sign, *encrypt;
    EVP_PKEY *keys[3] = {NULL, NULL, NULL};
    char host[MACHINE_NAME_MAX] = "", udf[MESH_UDF_TEXT_MAX], *text = NULL;
    json_t *members = json_object(), *payload = NULL;
    struct mesh_profile *parsed = NULL;
    struct mesh_change change;
    size_t len = 0;

    change_begin(&change, ctx);
    if (!command_options(ctx, &argc, &argv, options, 0, 0)
        || !check_description(ctx, description)
        || (sign = find_algorithm(ctx, algorithm, MESH_USE_SIGN)) == NULL
        || (encrypt = find_encryption_algorithm(ctx, encryption, sign)) == NULL)
        goto end;
    if (description == NULL && host_name(host, sizeof(host)))
        description = host;
    if (!make_key(&change, sign, members, "DeviceSignatureKey", &keys[0])
        || !make_key(&change, sign, members, "DeviceAuthenticationKey",
                     &keys[1])
        || !make_key(&change, encrypt, members, "DeviceEncryptiontionKey",
                     &keys[2])
        || !name_of_key(ctx, keys[0], udf))
        goto end;
    payload = make_payload(ctx, "DeviceProfile", udf, description, members);
    ok = payload != NULL && mesh_change_lock(&change)
         && mesh_change_sign(&change, MESH_PROFILE_DEVICE, payload, keys[0],
                             NULL, NULL, &text, &len, &parsed)
         && mesh_change_add(&change, MESH_PROFILE_DEVICE, NULL, udf, NULL, text,
                            len, make_default);
end:
    ok = change_end(&change, ok) && command_made(ctx, udf);
    for (size_t i = 0; i < 3; i++)
        EVP_PKEY_free(keys[i]);
    mesh_profile_free(parsed);
    json_decref(payload);
    json_decref(members);
    OPENSSL_free(text);
    return ok;
}

/* Makes master and escrow key and the signed master profile that declares the
 * online key.  The JSON is the caller's. */
static json_t *make_master(struct mesh_change *change,
                           const struct mesh_algorithm *sign,
                           const struct mesh_algorithm *encrypt,
                           EVP_PKEY *online, char udf[MESH_UDF_TEXT_MAX])
{
    struct mesh_context *ctx = change->ctx;
    EVP_PKEY *master = NULL, *escrow = NULL;
    json_t *members = json_object(), *escrow_member = json_object();
    json_t *online_key = mesh_profile_key_json(ctx, online, NULL);
    json_t *payload = NULL, *made = NULL;

    if (online_key == NULL
        || !make_key(change, sign, members, "MasterSignatureKey", &master)
        || !make_key(change, encrypt, escrow_member, "MasterEscrowKeys",
                     &escrow)
        || !name_of_key(ctx, master, udf))
        goto end;
    if (json_object_set_new(
            members, "MasterEscrowKeys",
            json_pack("[O]",
                      json_object_get(escrow_member, "MasterEscrowKeys")))
            != 0
        || json_object_set_new(members, "OnlineSignatureKeys",
                               json_pack("[O]", online_key))
               != 0) {
        mesh_raise(ctx, MESH_R_MEMORY, "MasterProfile");
        goto end;
    }
    payload = make_payload(ctx, "MasterProfile", udf, NULL, members);
    if (payload != NULL)
        made = mesh_signed_make(ctx, udf, payload, master);
end:
    EVP_PKEY_free(master);
    EVP_PKEY_free(escrow);
    json_decref(members);
    json_decref(escrow_member);
    json_decref(online_key);
    json_decref(payload);
    return made;
}

/* What refresh could not ask for is refused. */
static int check_portals(struct mesh_context *ctx, const char *const *portals)
{
    const char *host;

    for (; *portals != NULL; portals++)
        if (!portal_account_host(ctx, *portals, &host))
            return 0;
    return 1;
}

int command_create_personal(struct mesh_context *ctx, int argc, char **argv)
{
    const char *algorithm = ALGORITHM_DEFAULT, *description = NULL;
    const char *portals[PORTALS_MAX + 1] = {NULL};
    int make_default = 0, ok = 0;
    const struct command_option options[] = {
        {"algorithm", &algorithm, NULL, 0},
        {"description", &description, NULL, 0},
        {"portal", portals, NULL, PORTALS_MAX},
        {"default", NULL, &make_default, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_algorithm *sign, *encrypt;
    const struct mesh_profile_key *ignored;
    struct mesh_profile *device = NULL, *parsed = NULL;
    json_t *members = NULL, *master = NULL, *payload = NULL;
    EVP_PKEY *online = NULL;
    char udf[MESH_UDF_TEXT_MAX], *text = NULL;
    struct mesh_change change;
    size_t len = 0;

    change_begin(&change, ctx);
    if (!command_options(ctx, &argc, &argv, options, 0, 0)
        || !check_description(ctx, description) || !check_portals(ctx, portals)
        || (sign = find_algorithm(ctx, algorithm, MESH_USE_SIGN)) == NULL
        || (encrypt = find_encryption_algorithm(ctx, NULL, sign)) == NULL
        || !mesh_resolve_profile(ctx, "device", &device, &ignored)
        || !mesh_change_generate(&change, sign->name, &online)
        || (master = make_master(&change, sign, encrypt, online, udf)) == NULL)
        goto end;
    members = json_pack("{s:O, s:[O], s:[]}", "SignedMasterProfile", master,
                        "Devices", mesh_document_object(device->document),
                        "Applications");
    payload = make_payload(ctx, "PersonalProfile", udf, description, members);
    ok = payload != NULL && mesh_change_lock(&change)
         && mesh_change_sign(&change, MESH_PROFILE_PERSONAL, payload, online,
                             NULL, NULL, &text, &len, &parsed)
         && mesh_change_add(&change, MESH_PROFILE_PERSONAL, NULL, udf,
                            portals[0] != NULL ? portals : NULL, text, len,
                            make_default);
end:
    ok = change_end(&change, ok) && command_made(ctx, udf);
    EVP_PKEY_free(online);
    mesh_profile_free(device);
    mesh_profile_free(parsed);
    json_decref(members);
    json_decref(master);
    json_decref(payload);
    OPENSSL_free(text);
    return ok;
}

/* The members of an application profile with one key of this device.  Mail has
 * a member of its own for the key; the others list devices. */
static json_t *application_members(struct mesh_change *change, const char *type,
                                   const struct mesh_algorithm *algorithm,
                                   const struct mesh_profile *device)
{
    struct mesh_context *ctx = change->ctx;
    int mail = strcmp(type, "Mail") == 0;
    json_t *holder = json_object(), *members = NULL;
    EVP_PKEY *key = NULL;
    char tag[32];

    snprintf(tag, sizeof(tag), "%sDevicePublic", type);
    if (!make_key(change, algorithm, holder,
                  mail ? "EncryptionSMIME" : "PublicKey", &key))
        goto end;
    if (mail)
        members = json_incref(holder);
    else
        members = json_pack("{s:[{s:{s:s*, s:s, s:O}}]}", "Devices", tag,
                            "DeviceDescription", device->description,
                            "DeviceUDF", device->identifier, "PublicKey",
                            json_object_get(holder, "PublicKey"));
    if (members == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", tag);
end:
    EVP_PKEY_free(key);
    json_decref(holder);
    return members;
}

/* Whether the device may sign for this person. */
static int check_device(struct mesh_context *ctx,
                        const struct mesh_profile *personal,
                        const struct mesh_profile *device)
{
    for (size_t i = 0; i < personal->devices_count; i++)
        if (mesh_udf_may_equal(&personal->devices[i]->udf, &device->udf))
            return 1;
    return mesh_raise(ctx, MESH_R_PROFILE_SIGNER,
                      "the default device %s is not in the default personal "
                      "profile %s; put it there with 'meshctl add device', or "
                      "choose another one with 'meshctl default'",
                      device->identifier, personal->identifier);
}

/* Enters an application in the payload of a personal profile. */
static int enter_application(struct mesh_context *ctx,
                             struct mesh_profile *personal,
                             const struct mesh_profile *device,
                             const char *identifier, const char *tag,
                             const char *friendly)
{
    json_t *inner = mesh_payload_inner(personal->payload);
    json_t *list = json_object_get(inner, "Applications");
    json_t *entry;

    if (list == NULL) {
        json_object_set_new(inner, "Applications", json_array());
        list = json_object_get(inner, "Applications");
    }
    entry =
        json_pack("{s:s, s:s, s:s, s:[s], s:[s]}", "Identifier", identifier,
                  "Type", tag, "Friendly", friendly, "AdminDeviceUDF",
                  device->identifier, "DecryptDeviceUDF", device->identifier);
    return json_array_append_new(list, entry) == 0
               ? 1
               : mesh_raise(ctx, MESH_R_PROFILE_MALFORMED,
                            "Applications of personal profile %s is no list",
                            personal->identifier);
}

int command_create_application(struct mesh_context *ctx, int argc, char **argv)
{
    const char *name = ALGORITHM_DEFAULT, *description = NULL, *type = NULL;
    int make_default = 0, ok = 0;
    const struct command_option options[] = {
        {"algorithm", &name, NULL, 0},
        {"description", &description, NULL, 0},
        {"default", NULL, &make_default, 0},
        {NULL, NULL, NULL, 0},
    };
    const struct mesh_algorithm *algorithm;
    const struct mesh_profile_key *signer, *ignored;
    struct mesh_profile *device = NULL, *personal = NULL, *parsed = NULL;
    json_t *members = NULL, *payload = NULL;
    char udf[MESH_UDF_TEXT_MAX], tag[32], *text = NULL;
    enum mesh_profile_kind kind;
    struct mesh_udf random;
    struct mesh_change change;
    size_t len = 0;

    change_begin(&change, ctx);
    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !check_description(ctx, description))
        goto end;
    if (!kind_parse(argv[0], &kind, &type) || type == NULL) {
        mesh_raise(ctx, MESH_R_USAGE,
                   "application type '%.100s'; there are web, ssh, network, "
                   "mail",
                   argv[0]);
        goto end;
    }
    algorithm = strcmp(type, "Mail") == 0
                    ? find_encryption_algorithm(ctx, name, NULL)
                    : find_algorithm(ctx, name, MESH_USE_SIGN);
    if (algorithm == NULL || !mesh_change_lock(&change)
        || !mesh_resolve_profile(ctx, "device", &device, &ignored)
        || !mesh_resolve_profile(ctx, "personal", &personal, &ignored)
        || !check_device(ctx, personal, device)
        || (signer = mesh_profile_one_key(ctx, device, "sign")) == NULL
        || !mesh_udf_random(ctx, &random)
        || (members = application_members(&change, type, algorithm, device))
               == NULL)
        goto end;
    mesh_udf_print(&random, udf);
    snprintf(tag, sizeof(tag), "%sProfile", type);
    payload = make_payload(ctx, tag, udf, description, members);
    ok = payload != NULL
         && enter_application(ctx, personal, device, udf, tag,
                              given(description) != NULL ? description : type)
         && mesh_change_resign(&change, &personal)
         && mesh_change_sign(&change, MESH_PROFILE_APPLICATION, payload,
                             signer->public, NULL, personal, &text, &len,
                             &parsed)
         && mesh_change_add(&change, MESH_PROFILE_APPLICATION, type, udf, NULL,
                            text, len, make_default);
end:
    ok = change_end(&change, ok) && command_made(ctx, udf);
    mesh_profile_free(device);
    mesh_profile_free(personal);
    mesh_profile_free(parsed);
    json_decref(members);
    json_decref(payload);
    OPENSSL_free(text);
    return ok;
}
