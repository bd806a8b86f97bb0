/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key algorithms, and how a key is called.
 */
#include "platform/algorithm.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#define RSA(bits)                                                              \
    {                                                                          \
        "RSA-" #bits, "RSA", NULL, bits, MESH_FAMILY_RSA,                      \
            MESH_USE_SIGN | MESH_USE_DECRYPT, NULL                             \
    }
#define RSA_PSS(bits)                                                          \
    {                                                                          \
        "RSA-PSS-" #bits, "RSA-PSS", NULL, bits, MESH_FAMILY_RSA_PSS,          \
            MESH_USE_SIGN, NULL                                                \
    }
/* group is the name that libcrypto reports for a key, too. */
#define EC(name, group)                                                        \
    {                                                                          \
        name, "EC", group, 0, MESH_FAMILY_EC, MESH_USE_SIGN | MESH_USE_AGREE,  \
            NULL                                                               \
    }
/* Those whose type says everything. */
#define TYPE(name, family, use, since)                                         \
    {                                                                          \
        name, name, NULL, 0, family, use, since                                \
    }
#define ML_DSA(name) TYPE(name, MESH_FAMILY_PQ_SIGN, MESH_USE_SIGN, "3.5")
#define SLH_DSA(name)                                                          \
    TYPE("SLH-DSA-" name, MESH_FAMILY_PQ_SIGN, MESH_USE_SIGN, "3.5")
#define ML_KEM(name) TYPE(name, MESH_FAMILY_ML_KEM, MESH_USE_AGREE, "3.5")

static const struct mesh_algorithm algorithms[] = {
    RSA(2048),
    RSA(3072),
    RSA(4096),
    EC("P-256", "prime256v1"),
    EC("P-384", "secp384r1"),
    EC("P-521", "secp521r1"),
    TYPE("ED25519", MESH_FAMILY_ED25519, MESH_USE_SIGN, NULL),
    TYPE("ED448", MESH_FAMILY_ED448, MESH_USE_SIGN, NULL),
    TYPE("X25519", MESH_FAMILY_XDH, MESH_USE_AGREE, NULL),
    TYPE("X448", MESH_FAMILY_XDH, MESH_USE_AGREE, NULL),
    RSA_PSS(2048),
    RSA_PSS(3072),
    RSA_PSS(4096),
    EC("secp256k1", "secp256k1"),
    EC("brainpoolP256r1", "brainpoolP256r1"),
    EC("brainpoolP384r1", "brainpoolP384r1"),
    EC("brainpoolP512r1", "brainpoolP512r1"),
    ML_DSA("ML-DSA-44"),
    ML_DSA("ML-DSA-65"),
    ML_DSA("ML-DSA-87"),
    ML_KEM("ML-KEM-512"),
    ML_KEM("ML-KEM-768"),
    ML_KEM("ML-KEM-1024"),
    SLH_DSA("SHA2-128s"),
    SLH_DSA("SHA2-128f"),
    SLH_DSA("SHA2-192s"),
    SLH_DSA("SHA2-192f"),
    SLH_DSA("SHA2-256s"),
    SLH_DSA("SHA2-256f"),
    SLH_DSA("SHAKE-128s"),
    SLH_DSA("SHAKE-128f"),
    SLH_DSA("SHAKE-192s"),
    SLH_DSA("SHAKE-192f"),
    SLH_DSA("SHAKE-256s"),
    SLH_DSA("SHAKE-256f"),
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
        if (OPENSSL_strcasecmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* Distributions leave curves out. */
static int group_available(const char *name)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(name));

    EC_GROUP_free(group);
    return group != NULL;
}

int mesh_algorithm_available(struct mesh_context *ctx,
                             const struct mesh_algorithm *row)
{
    EVP_KEYMGMT *keymgmt;
    int has;

    ERR_set_mark();
    keymgmt = EVP_KEYMGMT_fetch(ctx->libctx, row->keytype, NULL);
    has =
        keymgmt != NULL && (row->group == NULL || group_available(row->group));
    EVP_KEYMGMT_free(keymgmt);
    ERR_pop_to_mark();
    return has;
}

void mesh_algorithm_list(struct mesh_context *ctx, unsigned uses,
                         char text[MESH_ALGORITHM_LIST_MAX])
{
    const struct mesh_algorithm *row;

    text[0] = '\0';
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        if ((row->uses & uses) == 0 || !mesh_algorithm_available(ctx, row))
            continue;
        if (text[0] != '\0')
            OPENSSL_strlcat(text, ", ", MESH_ALGORITHM_LIST_MAX);
        OPENSSL_strlcat(text, row->name, MESH_ALGORITHM_LIST_MAX);
    }
}

const struct mesh_algorithm *mesh_algorithm_need(struct mesh_context *ctx,
                                                 const char *name)
{
    const struct mesh_algorithm *row = mesh_algorithm_find(name);
    char known[MESH_ALGORITHM_LIST_MAX];

    if (row != NULL && mesh_algorithm_available(ctx, row))
        return row;
    if (row == NULL) {
        mesh_algorithm_list(ctx, ~0u, known);
        mesh_raise(ctx, MESH_R_USAGE, "algorithm '%.64s'; there are %s", name,
                   known);
    } else {
        mesh_raise(ctx, MESH_R_ALGORITHM, "libcrypto %s has no %s%s%s%s",
                   OpenSSL_version(OPENSSL_VERSION_STRING), row->name,
                   row->since != NULL ? "; OpenSSL " : "",
                   row->since != NULL ? row->since : "",
                   row->since != NULL ? " has" : "");
    }
    return NULL;
}

/*
 * Called at each load.  Keys come from libcrypto's own providers, whose first
 * name for a type is the row's; asking EVP_PKEY_is_a() for each row would cost
 * a lock and a look-up each.
 */
static int is_of_type(const EVP_PKEY *key, const struct mesh_algorithm *row)
{
    const char *type = EVP_PKEY_get0_type_name(key);

    return type != NULL && strcmp(type, row->keytype) == 0;
}

unsigned mesh_algorithm_family(const EVP_PKEY *key)
{
    const struct mesh_algorithm *row;

    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++)
        if (is_of_type(key, row))
            return row->family;
    return 0;
}

const char *mesh_algorithm_of(const EVP_PKEY *key)
{
    const struct mesh_algorithm *row;
    char group[64] = "";
    unsigned bits = (unsigned)EVP_PKEY_get_bits(key);

    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        if (!is_of_type(key, row) || (row->bits != 0 && row->bits != bits))
            continue;
        if (row->group == NULL)
            return row->name;
        if (group[0] == '\0'
            && !EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
            break;
        if (strcmp(row->group, group) == 0)
            return row->name;
    }
    return EVP_PKEY_get0_type_name(key);
}
