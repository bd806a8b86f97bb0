/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl import and certificate: keys and certificates that are there already.
 */
#include "platform/algorithm.h"
#include "platform/keystore.h"
#include "store/payload.h"
#include "store/resolve.h"
#include "store/role.h"
#include "store/uri.h"
#include "tools/change.h"
#include "tools/command.h"
#include "tools/host.h"
#include "tools/input.h"
#include "tools/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_MIN 1024 /* bits */

/* Puts the private key into the key store. */
static int keep_key(struct mesh_context *ctx, EVP_PKEY *key, EVP_PKEY **public)
{
    PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(key);
    int len = pkcs8 != NULL ? i2d_PKCS8_PRIV_KEY_INFO(pkcs8, NULL) : 0;
    unsigned char *der = len > 0 ? OPENSSL_secure_malloc((size_t)len) : NULL;
    unsigned char *end = der;
    int ok;

    if (der == NULL)
        ok = mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                        "OpenSSL cannot write this key as PKCS#8");
    else
        ok = i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &end) == len
             && mesh_keystore_import(ctx, der, (size_t)len, public);
    OPENSSL_secure_clear_free(der, len > 0 ? (size_t)len : 0);
    PKCS8_PRIV_KEY_INFO_free(pkcs8); /* cleanses */
    return ok;
}

/* Registers the file with the key holder, which will use it where it lies. */
static int register_file(struct mesh_context *ctx, const char *file,
                         const struct passphrase *passphrase, EVP_PKEY **public)
{
    const char *text = passphrase->text;
    char *path = mesh_file_real_path(ctx, file);
    int ok = path != NULL
             && mesh_keystore_register_file(
                 ctx, path, text != NULL ? "secret-service" : NULL, text,
                 text != NULL ? strlen(text) : 0, public);

    OPENSSL_free(path);
    return ok;
}

/* Keys that mesh-keyd would keep and no program could use. */
static int check_algorithm(struct mesh_context *ctx, const char *file,
                           const EVP_PKEY *key)
{
    const unsigned rsa = MESH_FAMILY_RSA | MESH_FAMILY_RSA_PSS;
    char group[64] = "", list[MESH_ALGORITHM_LIST_MAX];

    if (mesh_algorithm_find(mesh_algorithm_of(key)) != NULL
        || ((mesh_algorithm_family(key) & rsa) != 0
            && EVP_PKEY_get_bits(key) >= RSA_MIN))
        return 1;
    (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    mesh_algorithm_list(ctx, ~0u, list);
    return mesh_raise(ctx, MESH_R_ALGORITHM,
                      "%.300s: %s%s%s of %d bits; what can be used is %s, and "
                      "other RSA keys of %d bits and more",
                      file, EVP_PKEY_get0_type_name(key),
                      group[0] != '\0' ? " " : "", group,
                      EVP_PKEY_get_bits(key), list, RSA_MIN);
}

/* The key store must not have the key: a second copy could not be told from the
 * first, and undoing the import would delete the one that was there. */
static int check_new(struct mesh_context *ctx, EVP_PKEY *key)
{
    struct mesh_key_name name;
    int held = 0;

    if (!mesh_key_name_of(ctx, key, &name)
        || !mesh_keystore_holds(ctx, &name, &held))
        return 0;
    return held ? mesh_raise(ctx, MESH_R_KEY_EXISTS,
                             "the key store holds %s; to put it there anew, "
                             "delete it first: meshctl delete mesh://%s",
                             name.udf, name.udf)
                : 1;
}

struct import {
    const char *file, *role, *profile;
    int in_place, keep_passphrase;
    struct passphrase passphrase;
};

static int check_passphrase(struct mesh_context *ctx,
                            const struct import *import)
{
    if (import->in_place && import->passphrase.text != NULL
        && !import->keep_passphrase)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "%.200s is encrypted: to use it in place its "
                          "passphrase must be kept in the Secret Service; say "
                          "so by --keep-passphrase",
                          import->file);
    if (import->keep_passphrase && import->passphrase.text == NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--keep-passphrase: %.200s is not encrypted",
                          import->file);
    return 1;
}

/* Several keys under MESH_ROLE_DEFAULT: its URI names none of them. */
static void note_several(struct mesh_context *ctx,
                         const struct mesh_profile *profile, const char *role,
                         const char *udf)
{
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    size_t n =
        mesh_profile_find_keys(ctx, profile, role, keys, MESH_ROLE_KEYS_MAX);

    if (n > 1)
        command_note("the role %s now names %zu keys: name them by their "
                     "fingerprints, this one mesh://%s",
                     role, n, udf);
}

static int import_key(struct mesh_context *ctx, const struct import *import,
                      struct input *input)
{
    STACK_OF(X509) *certificates = NULL;
    const struct mesh_profile_key *ignored;
    struct mesh_profile *profile = NULL;
    char name[MESH_URI_PART_MAX];
    EVP_PKEY *public = NULL;
    struct mesh_change change;
    int ok;

    change_begin(&change, ctx);
    if (sk_X509_num(input->certificates) > 0) {
        if (input_sort_certificates(input, input->key))
            certificates = input->certificates;
        else
            command_note("the certificates in %s are of other keys and are "
                         "left out",
                         import->file);
    }
    ok = mesh_uri_profile_name(ctx, import->profile, name)
         && mesh_change_lock(&change)
         && mesh_resolve_profile(ctx, name, &profile, &ignored)
         && mesh_payload_check_role(ctx, profile, import->role, input->key)
         && check_new(ctx, input->key)
         && (import->in_place ? register_file(ctx, import->file,
                                              &import->passphrase, &public)
                              : keep_key(ctx, input->key, &public))
         && mesh_change_added_key(&change, public)
         && (EVP_PKEY_eq(public, input->key) == 1
             || mesh_raise(ctx, MESH_R_KEY_MISMATCH, "%.300s", import->file))
         && mesh_change_enter_key(&change, &profile, import->role, public,
                                  certificates);
    ok = change_end(&change, ok) && command_made(ctx, change.keys[0].udf);
    if (ok)
        note_several(ctx, profile, import->role, change.keys[0].udf);
    EVP_PKEY_free(public);
    mesh_profile_free(profile);
    return ok;
}

int command_import(struct mesh_context *ctx, int argc, char **argv)
{
    struct import import = {NULL, MESH_ROLE_DEFAULT, MESH_PROFILE_DEFAULT, 0, 0,
                            {0}};
    const struct command_option options[] = {
        {"role", &import.role, NULL, 0},
        {"profile", &import.profile, NULL, 0},
        {"in-place", NULL, &import.in_place, 0},
        {"keep-passphrase", NULL, &import.keep_passphrase, 0},
        {"passphrase-file", &import.passphrase.file, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct input input = {NULL, NULL};
    int ok;

    if (!command_options(ctx, &argc, &argv, options, 1, 1))
        return 0;
    if (import.keep_passphrase && !import.in_place)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--keep-passphrase is for --in-place alone: without "
                          "it the key needs no passphrase any more");
    if (strcmp(argv[0], INPUT_STANDARD) == 0
        && (import.in_place
            || (import.passphrase.file != NULL
                && strcmp(import.passphrase.file, INPUT_STANDARD) == 0)))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "the key comes from standard input: it can be "
                          "neither used in place nor followed by a passphrase");
    import.file = argv[0];
    import.passphrase.what = import.file;
    host_no_core(); /* the key is in this process now */
    ok = input_load(ctx, import.file, &import.passphrase, &input)
         && check_passphrase(ctx, &import)
         && check_algorithm(ctx, import.file, input.key)
         && import_key(ctx, &import, &input);
    if (ok && import.in_place)
        command_note("the key stays in %s: keep it, and closed to others",
                     import.file);
    else if (ok && mesh_file_is_regular(ctx, import.file))
        command_note("the key is in the key store; destroying %s is up to you",
                     import.file);
    input_clear(&input);
    passphrase_clear(&import.passphrase);
    return ok;
}

/* Gives the key its certificates, where it stands: in the profile's payload, or
 * in that of the master profile inside. */
static int set_certificates(struct mesh_change *change, struct target *target,
                            STACK_OF(X509) * certificates)
{
    struct mesh_context *ctx = change->ctx;
    struct mesh_profile *profile = target->profile;
    EVP_PKEY *key = target->key->public;
    int personal = profile->kind == MESH_PROFILE_PERSONAL, ok = 0;
    json_t *master = NULL, *object;

    if (personal && (master = mesh_change_open_master(change, profile)) == NULL)
        return 0;
    object = mesh_payload_find_key(ctx, master, key);
    if (object != NULL)
        ok = mesh_payload_set_certificates(ctx, object, key, certificates)
             && mesh_change_sign_master(change, profile, master);
    else if ((object = mesh_payload_find_key(ctx, profile->payload, key))
             != NULL)
        ok = mesh_payload_set_certificates(ctx, object, key, certificates);
    else
        mesh_raise(ctx, MESH_R_INTERNAL, "key %s is nowhere in its profile",
                   target->key->udf);
    json_decref(master);
    return ok;
}

int command_certificate(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    struct target target = {NULL, NULL};
    struct input input = {NULL, NULL};
    struct mesh_change change;
    struct mesh_uri parsed;
    int ok = 0;

    change_begin(&change, ctx);
    if (!command_options(ctx, &argc, &argv, options, 2, 2))
        goto end;
    if (mesh_uri_is(argv[1]) && !mesh_uri_is(argv[0])) {
        mesh_raise(ctx, MESH_R_USAGE,
                   "the URI comes first: meshctl certificate %.200s %.200s",
                   argv[1], argv[0]);
        goto end;
    }
    if (!target_parse_uri(ctx, argv[0], &parsed)
        || !input_load(ctx, argv[1], NULL, &input) || !mesh_change_lock(&change)
        || !target_open_uri(ctx, argv[0], &target))
        goto end;
    if (target.key == NULL) {
        mesh_raise(ctx, MESH_R_USAGE,
                   "'%.100s' names a profile; name one key, such as %s/sign",
                   argv[0], "mesh://device");
        goto end;
    }
    if (!input_sort_certificates(&input, target.key->public))
        mesh_raise(ctx, MESH_R_CERTIFICATE,
                   "no certificate in %.200s is of key %s", argv[1],
                   target.key->udf);
    else
        ok = set_certificates(&change, &target, input.certificates)
             && mesh_change_resign(&change, &target.profile);
end:
    change_end(&change, ok);
    target_clear(&target);
    input_clear(&input);
    return ok;
}
