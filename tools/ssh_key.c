/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl ssh-key: public keys as OpenSSH's files have them.
 */
#include "platform/algorithm.h"
#include "store/role.h"
#include "tools/command.h"
#include "tools/target.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* The algorithms that SSH has public keys for: RFC 4253, 5656, 8709. */
static const struct ssh_algorithm {
    const char *keytype, *group; /* as OpenSSL calls them */
    const char *name, *curve;    /* as SSH does */
    int octets;                  /* of a coordinate */
} algorithms[] = {
    {"RSA", NULL, "ssh-rsa", NULL, 0},
    {"EC", "prime256v1", "ecdsa-sha2-nistp256", "nistp256", 32},
    {"EC", "secp384r1", "ecdsa-sha2-nistp384", "nistp384", 48},
    {"EC", "secp521r1", "ecdsa-sha2-nistp521", "nistp521", 66},
    {"ED25519", NULL, "ssh-ed25519", NULL, 0},
};

static const struct ssh_algorithm *find_algorithm(EVP_PKEY *key)
{
    char group[64] = "";

    ERR_set_mark();
    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    ERR_pop_to_mark();
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (EVP_PKEY_is_a(key, algorithms[i].keytype)
            && (algorithms[i].group == NULL
                || strcmp(algorithms[i].group, group) == 0))
            return &algorithms[i];
    return NULL;
}

/* RFC 4251, 5: a string, with its length before it. */
static int put_string(BIO *out, const void *data, int len)
{
    const unsigned char length[4] = {
        (unsigned char)(len >> 24), (unsigned char)(len >> 16),
        (unsigned char)(len >> 8), (unsigned char)len};

    return BIO_write(out, length, 4) == 4 && BIO_write(out, data, len) == len;
}

/* RFC 4251, 5: a positive mpint has no sign bit in its first octet. */
static int put_number(BIO *out, EVP_PKEY *key, const char *name)
{
    unsigned char octets[2049] = {0}; /* of 16384 bits, and a zero */
    BIGNUM *number = NULL;
    int len, ok = 0;

    if (EVP_PKEY_get_bn_param(key, name, &number)) {
        len = BN_num_bits(number) / 8 + 1;
        ok = len <= (int)sizeof(octets)
             && BN_bn2binpad(number, octets, len) == len
             && put_string(out, octets, len);
    }
    BN_free(number);
    return ok;
}

/* An uncompressed point: RFC 5656, 3.1. */
static int put_point(BIO *out, EVP_PKEY *key, int octets)
{
    unsigned char point[1 + 2 * 66] = {4};
    BIGNUM *x = NULL, *y = NULL;
    int ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x)
             && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y)
             && BN_bn2binpad(x, point + 1, octets) == octets
             && BN_bn2binpad(y, point + 1 + octets, octets) == octets
             && put_string(out, point, 1 + 2 * octets);

    BN_free(x);
    BN_free(y);
    return ok;
}

static int put_key(BIO *out, EVP_PKEY *key,
                   const struct ssh_algorithm *algorithm)
{
    unsigned char raw[32];
    size_t len = sizeof(raw);

    if (!put_string(out, algorithm->name, (int)strlen(algorithm->name)))
        return 0;
    if (algorithm->curve != NULL)
        return put_string(out, algorithm->curve, (int)strlen(algorithm->curve))
               && put_point(out, key, algorithm->octets);
    if (strcmp(algorithm->keytype, "RSA") == 0)
        return put_number(out, key, OSSL_PKEY_PARAM_RSA_E)
               && put_number(out, key, OSSL_PKEY_PARAM_RSA_N);
    return EVP_PKEY_get_raw_public_key(key, raw, &len)
           && put_string(out, raw, (int)len);
}

static int print_key(struct mesh_context *ctx,
                     const struct mesh_profile_key *key, const char *comment)
{
    const struct ssh_algorithm *algorithm = find_algorithm(key->public);
    BIO *blob = BIO_new(BIO_s_mem());
    unsigned char *text = NULL;
    char *data = NULL;
    int ok = 0, len;

    if (algorithm == NULL)
        mesh_raise(ctx, MESH_R_ALGORITHM,
                   "key %s is %s; SSH has public keys of RSA, P-256, P-384, "
                   "P-521 and ED25519",
                   key->udf, mesh_algorithm_of(key->public));
    else if (blob == NULL || !put_key(blob, key->public, algorithm))
        mesh_raise(ctx, MESH_R_INTERNAL, "key %s cannot be encoded", key->udf);
    else if (len = (int)BIO_get_mem_data(blob, &data),
             (text = OPENSSL_malloc((size_t)len / 3 * 4 + 5)) == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", key->udf);
    else {
        EVP_EncodeBlock(text, (unsigned char *)data, len);
        printf("%s %s %s\n", algorithm->name, (char *)text, comment);
        ok = 1;
    }
    OPENSSL_free(text);
    BIO_free(blob);
    return ok;
}

/* The description of the profile, one line whatever stands in it, or the URI of
 * the key; the caller frees (OPENSSL_free). */
static char *comment_of(struct mesh_context *ctx,
                        const struct mesh_profile *profile,
                        const struct mesh_profile_key *key)
{
    char *text = profile->description != NULL && profile->description[0] != '\0'
                     ? OPENSSL_strdup(profile->description)
                     : mesh_uri_print(ctx, profile->identifier, key->udf);

    if (text != NULL)
        mesh_text_clean(text);
    return text;
}

int command_ssh_key(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};
    const struct mesh_profile_key *keys[MESH_ROLE_KEYS_MAX];
    struct target target = {NULL, NULL};
    size_t count = 1;
    int ok;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !target_open_uri(ctx, argv[0], &target))
        return 0;
    keys[0] = target.key;
    /* An application has one for each device: all may log in. */
    if (target.key == NULL)
        count = mesh_profile_find_keys(ctx, target.profile, "sign", keys,
                                       MESH_ROLE_KEYS_MAX);
    ok = count > 0
         || mesh_raise(ctx, MESH_R_NO_ROLE,
                       "%s profile %s has no key 'sign'; name one of its keys",
                       mesh_kind_word(target.profile->kind),
                       target.profile->identifier);
    for (size_t i = 0; ok && i < count; i++) {
        char *comment = comment_of(ctx, target.profile, keys[i]);

        ok = comment != NULL && print_key(ctx, keys[i], comment);
        OPENSSL_free(comment);
    }
    target_clear(&target);
    return ok;
}
