/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What may be asked of a private key: a table.
 */
#ifndef MESH_PLATFORM_RULES_H
#define MESH_PLATFORM_RULES_H

#include "platform/keystore.h"

#define MESH_INPUT_MAX 8192 /* octets of anything but a message */

/* What an operation can carry besides its input. */
#define MESH_TAKES_DIGEST        0x001u
#define MESH_TAKES_MGF1          0x002u
#define MESH_TAKES_SALT          0x004u
#define MESH_TAKES_LABEL         0x008u
#define MESH_TAKES_CONTEXT       0x010u
#define MESH_TAKES_VARIANT       0x020u
#define MESH_TAKES_DETERMINISTIC 0x040u
#define MESH_TAKES_ENCODED       0x080u
#define MESH_TAKES_TLS           0x100u
/* What else is to be known of it. */
#define MESH_TAKES_MESSAGE   0x1000u /* the input is one, of any length */
#define MESH_TAKES_REJECTION 0x2000u /* implicit, where libcrypto has it */
#define MESH_LEAVES_SECRETS  0x4000u /* libcrypto does, on the stack */

struct mesh_rule {
    enum mesh_operation operation;
    enum mesh_padding padding;
    unsigned families; /* of keys: MESH_FAMILY_… */
    const char *name;  /* of the operation */
    int pad_mode;      /* libcrypto's number */
    unsigned takes, needs;
    const char *const *variants; /* their names, to NULL; NULL: none */
};

/*
 * The rule by which op is done with keys of a family (0: of any) and so much
 * input.  If no rule takes it: the nearest, with *against what that one has
 * against it, to be put behind its name.  NULL: no such key can do such a
 * thing at all.
 */
const struct mesh_rule *mesh_rule_find(const struct mesh_private_op *op,
                                       unsigned family, size_t in_len,
                                       const char **against);
/* What one rule has against it; NULL: nothing. */
const char *mesh_rule_objection(const struct mesh_rule *rule,
                                const struct mesh_private_op *op,
                                size_t in_len);

/* libcrypto's name of the variant that is asked for; NULL: it has no such one,
 * or none needs to be named. */
const char *mesh_rule_variant(const struct mesh_rule *rule,
                              const struct mesh_private_op *op);

#endif
