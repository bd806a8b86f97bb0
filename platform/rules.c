/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What may be asked of a private key: a table.
 */
#include "platform/rules.h"

#include "platform/algorithm.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#define CONTEXT_MAX 255 /* octets; RFC 8032, FIPS 204, FIPS 205 */

static const struct {
    unsigned feature;
    const char *refused, *missed;
} features[] = {
    {MESH_TAKES_DIGEST, "takes no digest", "needs a digest"},
    {MESH_TAKES_MGF1, "takes no digest for MGF1", NULL},
    {MESH_TAKES_SALT, "takes no length of a salt", NULL},
    {MESH_TAKES_LABEL, "takes no label", NULL},
    {MESH_TAKES_CONTEXT, "takes no context string", "needs a context string"},
    {MESH_TAKES_VARIANT, "has no variants", "needs its variant named"},
    {MESH_TAKES_DETERMINISTIC, "has no deterministic form", NULL},
    {MESH_TAKES_ENCODED, "takes no encoded messages", NULL},
    {MESH_TAKES_TLS, "takes no TLS version", "needs the client's TLS version"},
};

#define RSA_ALL  (MESH_FAMILY_RSA | MESH_FAMILY_RSA_PSS)
#define HAS_DH   (MESH_FAMILY_EC | MESH_FAMILY_XDH)
#define OF_EDDSA (MESH_TAKES_MESSAGE | MESH_TAKES_CONTEXT | MESH_TAKES_VARIANT)
#define OF_PQ                                                                  \
    (MESH_TAKES_MESSAGE | MESH_TAKES_CONTEXT | MESH_TAKES_DETERMINISTIC        \
     | MESH_TAKES_ENCODED)
#define OF_PSS  (MESH_TAKES_DIGEST | MESH_TAKES_MGF1 | MESH_TAKES_SALT)
#define OF_OAEP (MESH_TAKES_DIGEST | MESH_TAKES_MGF1 | MESH_TAKES_LABEL)

static const char *const ed25519[] = {"Ed25519", NULL};
static const char *const ed25519ctx[] = {"Ed25519ctx", NULL};
static const char *const ed25519ph[] = {"Ed25519ph", NULL};
static const char *const ed448[] = {"Ed448", "Ed448ph", NULL};
static const char *const dhkem[] = {"DHKEM", NULL};
static const char *const rsasve[] = {"RSASVE", NULL};

/* Everything else is refused.  Of several that fit, the first is taken. */
static const struct mesh_rule rules[] = {
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_EC, "sign", 0,
     MESH_TAKES_DIGEST | MESH_TAKES_DETERMINISTIC, 0, NULL},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_ED25519, "sign", 0,
     MESH_TAKES_MESSAGE | MESH_TAKES_VARIANT, 0, ed25519},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_ED25519, "sign", 0, OF_EDDSA,
     MESH_TAKES_VARIANT | MESH_TAKES_CONTEXT, ed25519ctx},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_ED25519, "sign", 0, OF_EDDSA,
     MESH_TAKES_VARIANT, ed25519ph},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_ED448, "sign", 0, OF_EDDSA, 0,
     ed448},
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_PQ_SIGN, "sign", 0, OF_PQ, 0,
     NULL},
    {MESH_OP_SIGN, MESH_PAD_NONE, MESH_FAMILY_RSA, "sign raw", RSA_NO_PADDING,
     0, 0, NULL},
    {MESH_OP_SIGN, MESH_PAD_PKCS1, MESH_FAMILY_RSA, "sign PKCS1",
     RSA_PKCS1_PADDING, MESH_TAKES_DIGEST, 0, NULL},
    {MESH_OP_SIGN, MESH_PAD_PSS, RSA_ALL, "sign PSS", RSA_PKCS1_PSS_PADDING,
     OF_PSS, MESH_TAKES_DIGEST, NULL},
    {MESH_OP_DECRYPT, MESH_PAD_NONE, MESH_FAMILY_RSA, "decrypt raw",
     RSA_NO_PADDING, 0, 0, NULL},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1, MESH_FAMILY_RSA, "decrypt PKCS1",
     RSA_PKCS1_PADDING, MESH_TAKES_REJECTION, 0, NULL},
    {MESH_OP_DECRYPT, MESH_PAD_OAEP, MESH_FAMILY_RSA, "decrypt OAEP",
     RSA_PKCS1_OAEP_PADDING, OF_OAEP, 0, NULL},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, MESH_FAMILY_RSA, "decrypt PKCS1-TLS",
     RSA_PKCS1_WITH_TLS_PADDING, MESH_TAKES_TLS, MESH_TAKES_TLS, NULL},
    {MESH_OP_DERIVE, MESH_PAD_DEFAULT, HAS_DH, "derive", 0, MESH_LEAVES_SECRETS,
     0, NULL},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, MESH_FAMILY_ML_KEM, "decapsulate",
     0, MESH_LEAVES_SECRETS, 0, NULL},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, HAS_DH, "decapsulate", 0,
     MESH_TAKES_VARIANT | MESH_LEAVES_SECRETS, 0, dhkem},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, MESH_FAMILY_RSA, "decapsulate", 0,
     MESH_TAKES_VARIANT, 0, rsasve},
};

static unsigned asked_features(const struct mesh_private_op *op)
{
    unsigned label =
        op->operation == MESH_OP_SIGN ? MESH_TAKES_CONTEXT : MESH_TAKES_LABEL;

    return (op->digest[0] != '\0' ? MESH_TAKES_DIGEST : 0)
           | (op->mgf1_digest[0] != '\0' ? MESH_TAKES_MGF1 : 0)
           | (op->salt_length != 0 ? MESH_TAKES_SALT : 0)
           | (op->label_len != 0 ? label : 0)
           | (op->variant[0] != '\0' ? MESH_TAKES_VARIANT : 0)
           | (op->deterministic != 0 ? MESH_TAKES_DETERMINISTIC : 0)
           | (op->encoded != 0 ? MESH_TAKES_ENCODED : 0)
           | (op->tls_client_version != 0 ? MESH_TAKES_TLS : 0);
}

const char *mesh_rule_variant(const struct mesh_rule *rule,
                              const struct mesh_private_op *op)
{
    const char *const *variant = rule->variants;

    if (op->variant[0] == '\0') /* a KEM's only one must be said, too */
        return variant != NULL && op->operation == MESH_OP_DECAPSULATE
                   ? *variant
                   : NULL;
    for (; variant != NULL && *variant != NULL; variant++)
        if (OPENSSL_strcasecmp(*variant, op->variant) == 0)
            return *variant;
    return NULL;
}

const char *mesh_rule_objection(const struct mesh_rule *rule,
                                const struct mesh_private_op *op, size_t in_len)
{
    unsigned asked = asked_features(op);

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if ((asked & ~rule->takes & features[i].feature) != 0)
            return features[i].refused;
        else if ((rule->needs & ~asked & features[i].feature) != 0)
            return features[i].missed;
    if (op->salt_length < 0 || op->salt_length > MESH_INPUT_MAX)
        return "needs the length of the salt in octets";
    if (op->variant[0] != '\0' && mesh_rule_variant(rule, op) == NULL)
        return "has no such variant";
    if ((asked & MESH_TAKES_CONTEXT) != 0 && op->label_len > CONTEXT_MAX)
        return "takes a context string of 255 octets at most";
    if (op->label_len > MESH_INPUT_MAX)
        return "takes no label of that length";
    if (in_len == 0 && (op->operation != MESH_OP_SIGN || rule->pad_mode != 0))
        return "needs input";
    if (in_len > MESH_INPUT_MAX && (rule->takes & MESH_TAKES_MESSAGE) == 0)
        return "takes no input of that length";
    return NULL;
}

const struct mesh_rule *mesh_rule_find(const struct mesh_private_op *op,
                                       unsigned family, size_t in_len,
                                       const char **against)
{
    const struct mesh_rule *nearest = NULL, *rule = rules;
    const char *why;

    *against = NULL;
    for (; rule < rules + sizeof(rules) / sizeof(rules[0]); rule++) {
        if (rule->operation != op->operation || rule->padding != op->padding
            || (family != 0 && (rule->families & family) == 0))
            continue;
        why = mesh_rule_objection(rule, op, in_len);
        if (why == NULL) {
            *against = NULL;
            return rule;
        }
        if (nearest == NULL || mesh_rule_variant(rule, op) != NULL) {
            nearest = rule;
            *against = why;
        }
    }
    return nearest;
}
