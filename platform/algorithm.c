/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key algorithms that can be generated, and how a key is called.
 */
#include "platform/algorithm.h"
#include "platform/keystore.h"
#include "platform/public_der.h"

#include <string.h>
#include <strings.h>

/* group is the name that libcrypto reports for a key, too. */
static const struct mesh_algorithm algorithms[] = {
    {"RSA-2048", "RSA", NULL, 2048}, {"RSA-3072", "RSA", NULL, 3072},
    {"RSA-4096", "RSA", NULL, 4096}, {"P-256", "EC", "prime256v1", 0},
    {"P-384", "EC", "secp384r1", 0}, {"P-521", "EC", "secp521r1", 0},
    {"ED25519", "ED25519", NULL, 0},
};

const struct mesh_algorithm *mesh_algorithm_row(size_t i)
{
    return i < sizeof(algorithms) / sizeof(algorithms[0]) ? &algorithms[i]
                                                          : NULL;
}

const struct mesh_algorithm *mesh_algorithm_find(const char *name)
{
    const struct mesh_algorithm *row;

    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++)
        if (strcasecmp(row->name, name) == 0)
            return row;
    return NULL;
}

const char *mesh_algorithm_of(const EVP_PKEY *key)
{
    const struct mesh_algorithm *row;
    char group[64] = "";

    if (EVP_PKEY_is_a(key, "EC")
        && !EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
        return EVP_PKEY_get0_type_name(key);
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++)
        if (EVP_PKEY_is_a(key, row->keytype)
            && (row->group == NULL || strcmp(row->group, group) == 0)
            && (row->bits == 0 || (int)row->bits == EVP_PKEY_get_bits(key)))
            return row->name;
    return EVP_PKEY_get0_type_name(key);
}

int mesh_spki_sha256(struct mesh_context *ctx, EVP_PKEY *key,
                     unsigned char digest[32])
{
    unsigned char *der;
    int len = mesh_public_spki(ctx, key, &der), ok;

    if (len == 0)
        return 0;
    ok = EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, der, (size_t)len, digest,
                      NULL);
    OPENSSL_free(der);
    return ok ? 1
              : mesh_raise(ctx, MESH_R_INTERNAL,
                           "SHA2-256 is not available in libcrypto");
}

int mesh_key_name_of(struct mesh_context *ctx, EVP_PKEY *key,
                     struct mesh_key_name *name)
{
    struct mesh_udf udf;

    memset(name, 0, sizeof(*name)); /* it travels whole, by its size */
    if (!mesh_udf_of_key(ctx, key, &udf)
        || !mesh_spki_sha256(ctx, key, name->spki_sha256))
        return 0;
    mesh_udf_print(&udf, name->udf);
    return 1;
}
