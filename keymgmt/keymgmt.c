/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key management (provider-keymgmt(7)), one for every algorithm: whatever is
 * asked of a key is asked of its public half, a native EVP_PKEY.
 */
#include "keymgmt/generate.h"
#include "keymgmt/hand_over.h"
#include "keymgmt/key.h"
#include "keymgmt/operations.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define PRIVATE OSSL_KEYMGMT_SELECT_PRIVATE_KEY
#define PUBLIC  OSSL_KEYMGMT_SELECT_PUBLIC_KEY

static OSSL_FUNC_keymgmt_free_fn keymgmt_free;
static OSSL_FUNC_keymgmt_load_fn keymgmt_load;
static OSSL_FUNC_keymgmt_has_fn keymgmt_has;
static OSSL_FUNC_keymgmt_match_fn keymgmt_match;
static OSSL_FUNC_keymgmt_validate_fn keymgmt_validate;
static OSSL_FUNC_keymgmt_dup_fn keymgmt_dup;
static OSSL_FUNC_keymgmt_get_params_fn keymgmt_get_params;
static OSSL_FUNC_keymgmt_gettable_params_fn keymgmt_gettable_params;
static OSSL_FUNC_keymgmt_set_params_fn keymgmt_set_params;
static OSSL_FUNC_keymgmt_settable_params_fn keymgmt_settable_params;
static OSSL_FUNC_keymgmt_import_fn keymgmt_import;
static OSSL_FUNC_keymgmt_import_types_fn keymgmt_types;
static OSSL_FUNC_keymgmt_export_fn keymgmt_export;

static void keymgmt_free(void *keydata)
{
    mesh_key_free(keydata);
}

static void *keymgmt_load(const void *reference, size_t size)
{
    return mesh_key_take(reference, size);
}

static int keymgmt_has(const void *keydata, int selection)
{
    const struct mesh_key *key = keydata;
    enum mesh_key_kind kind;

    if (key == NULL)
        return 0;
    kind = mesh_key_kind(key);
    if ((selection & PRIVATE) != 0 && kind != MESH_KEY_HELD
        && kind != MESH_KEY_SOFTWARE)
        return 0;
    if ((selection & PUBLIC) != 0 && kind == MESH_KEY_PARAMETERS)
        return 0;
    return selection == 0 || mesh_key_public(key) != NULL;
}

static int keymgmt_match(const void *keydata1, const void *keydata2,
                         int selection)
{
    EVP_PKEY *a = mesh_key_public(keydata1), *b = mesh_key_public(keydata2);
    int equal;

    if (a == NULL || b == NULL)
        return 0;
    /* "Different" is an answer, not an error. */
    ERR_set_mark();
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0)
        equal = EVP_PKEY_eq(a, b) == 1;
    else
        equal = EVP_PKEY_parameters_eq(a, b) == 1;
    ERR_pop_to_mark();
    return equal;
}

static int keymgmt_validate(const void *keydata, int selection, int checktype)
{
    EVP_PKEY *public = mesh_key_public(keydata);
    EVP_PKEY_CTX *check;
    int valid = 0;

    if (public == NULL)
        return 0;
    check = EVP_PKEY_CTX_new_from_pkey(mesh_key_context(keydata)->libctx,
                                       public, NULL);
    if (check == NULL)
        return 0;
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        valid = EVP_PKEY_param_check(check) == 1;
    else if ((selection & PRIVATE) != 0
             && mesh_key_kind(keydata) == MESH_KEY_SOFTWARE)
        valid = EVP_PKEY_check(check) == 1;
    else if (checktype == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK)
        valid = EVP_PKEY_public_check_quick(check) == 1;
    else
        valid = EVP_PKEY_public_check(check) == 1;
    EVP_PKEY_CTX_free(check);
    return valid;
}

static void *keymgmt_dup(const void *keydata, int selection)
{
    EVP_PKEY *public = mesh_key_public(keydata), *copy;
    struct mesh_context *ctx = mesh_key_context(keydata);
    enum mesh_key_kind kind = mesh_key_kind(keydata);
    struct mesh_key *key = NULL;

    if (public == NULL)
        return mesh_key_new_empty(ctx, mesh_key_type(keydata));
    mesh_key_settle(keydata);
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
        if ((copy = EVP_PKEY_dup(public)) == NULL)
            return NULL;
        key = mesh_key_new(ctx, copy, mesh_key_uri(keydata),
                           kind == MESH_KEY_PARAMETERS
                                   || (selection & PRIVATE) != 0
                               ? kind
                               : MESH_KEY_PUBLIC);
        EVP_PKEY_free(copy);
        return key;
    }
    /* CMS copies the parameters of an EC key alone, then sets a point. */
    if ((copy = EVP_PKEY_new()) == NULL
        || !EVP_PKEY_copy_parameters(copy, public)
        || (key = mesh_key_new_empty(ctx, mesh_key_type(keydata))) == NULL) {
        EVP_PKEY_free(copy);
        return NULL;
    }
    mesh_key_fill(key, copy, MESH_KEY_PARAMETERS);
    return key;
}

static int keymgmt_get_params(void *keydata, OSSL_PARAM params[])
{
    EVP_PKEY *public = mesh_key_public(keydata);

    return public != NULL && EVP_PKEY_get_params(public, params);
}

static const OSSL_PARAM *keymgmt_gettable_params(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return gettable;
}

/* A key that stands for one in the key store does not change. */
static int keymgmt_set_params(void *keydata, const OSSL_PARAM params[])
{
    struct mesh_key *key = keydata;
    EVP_PKEY *native = mesh_key_public(key);

    if (params == NULL || params[0].key == NULL)
        return 1;
    if (native == NULL || mesh_key_kind(key) == MESH_KEY_HELD
        || !EVP_PKEY_set_params(native, (OSSL_PARAM *)params))
        return 0;
    if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY)
            != NULL
        && mesh_key_kind(key) == MESH_KEY_PARAMETERS && EVP_PKEY_up_ref(native))
        mesh_key_fill(key, native, MESH_KEY_PUBLIC);
    return 1;
}

static const OSSL_PARAM *keymgmt_settable_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

static int has_private_numbers(const OSSL_PARAM params[])
{
    return OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != NULL
           || OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D) != NULL;
}

/* Peers, certificates; and with ours listed first all that a program makes of
 * numbers or reads from a file: that stays a software key. */
static int keymgmt_import(void *keydata, int selection,
                          const OSSL_PARAM params[])
{
    struct mesh_key *key = keydata;
    enum mesh_key_kind kind = MESH_KEY_PARAMETERS;
    EVP_PKEY *native = NULL;
    EVP_PKEY_CTX *make;
    int ok;

    if (key == NULL || mesh_key_public(key) != NULL)
        return 0;
    if ((selection & PRIVATE) != 0 && has_private_numbers(params))
        kind = MESH_KEY_SOFTWARE;
    else if ((selection & PUBLIC) != 0)
        kind = MESH_KEY_PUBLIC;
    make = EVP_PKEY_CTX_new_from_name(mesh_key_context(key)->libctx,
                                      mesh_key_type(key), NULL);
    ok = make != NULL && EVP_PKEY_fromdata_init(make) == 1
         && EVP_PKEY_fromdata(make, &native, selection, (OSSL_PARAM *)params)
                == 1;
    EVP_PKEY_CTX_free(make);
    if (ok)
        mesh_key_fill(key, native, kind);
    return ok;
}

static const OSSL_PARAM *keymgmt_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT1, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT2, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, NULL, 0),
        OSSL_PARAM_END,
    };

    return selection != 0 ? types : NULL;
}

/* Fails exactly when the private half of a held key is asked for: libcrypto
 * then leaves the operation to us.  Of a public key "all" is the public half.
 */
static int keymgmt_export(void *keydata, int selection, OSSL_CALLBACK *cb,
                          void *cbarg)
{
    EVP_PKEY *public = mesh_key_public(keydata);

    if (public == NULL)
        return 0;
    if ((selection & PRIVATE) != 0 && mesh_key_kind(keydata) == MESH_KEY_HELD)
        return mesh_raise(mesh_key_context(keydata), MESH_R_NOT_EXPORTABLE,
                          "%s stays in its key store",
                          mesh_key_uri(keydata) != NULL ? mesh_key_uri(keydata)
                                                        : "the key");
    if (mesh_key_kind(keydata) != MESH_KEY_SOFTWARE)
        selection &= ~PRIVATE;
    return selection != 0 && EVP_PKEY_export(public, selection, cb, cbarg);
}

static OSSL_FUNC_keymgmt_query_operation_name_fn ec_operation_name;
static const char *ec_operation_name(int operation)
{
    switch (operation) {
    case OSSL_OP_SIGNATURE:
        return "ECDSA";
    case OSSL_OP_KEYEXCH:
        return "ECDH";
    }
    return NULL;
}

/* What differs between algorithms: the type of a new key, and for some the name
 * of an operation. */
#define KEYMGMT(id, type, ...)                                                 \
    static OSSL_FUNC_keymgmt_new_fn id##_new;                                  \
    static void *id##_new(void *provctx)                                       \
    {                                                                          \
        return mesh_key_new_empty(provctx, type);                              \
    }                                                                          \
    static OSSL_FUNC_keymgmt_gen_init_fn id##_generate_init;                   \
    static void *id##_generate_init(void *provctx, int selection,              \
                                    const OSSL_PARAM params[])                 \
    {                                                                          \
        return mesh_generate_init(provctx, type, selection, params);           \
    }                                                                          \
    static const OSSL_DISPATCH id##_functions[] = {                            \
        {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))id##_new},                     \
        {OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))id##_generate_init},      \
        {OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE,                                   \
         (void (*)(void))mesh_generate_set_template},                          \
        {OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS,                                     \
         (void (*)(void))mesh_generate_set_params},                            \
        {OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS,                                \
         (void (*)(void))mesh_generate_settable_params},                       \
        {OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))mesh_generate},                \
        {OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))mesh_generate_free},   \
        {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))keymgmt_free},                \
        {OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))keymgmt_load},                \
        {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))keymgmt_has},                  \
        {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))keymgmt_match},              \
        {OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))keymgmt_validate},        \
        {OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))keymgmt_dup},                  \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))keymgmt_get_params},    \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,                                    \
         (void (*)(void))keymgmt_gettable_params},                             \
        {OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))keymgmt_set_params},    \
        {OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS,                                    \
         (void (*)(void))keymgmt_settable_params},                             \
        {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))keymgmt_import},            \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))keymgmt_types},       \
        {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))keymgmt_export},            \
        {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))keymgmt_types},       \
        __VA_ARGS__{0, NULL},                                                  \
    }

KEYMGMT(rsa, "RSA", );
KEYMGMT(ec, "EC",
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
         (void (*)(void))ec_operation_name}, );
KEYMGMT(ed25519, "ED25519", );

#define ROW(names, id)                                                         \
    {                                                                          \
        names, "provider=mesh", id##_functions,                                \
            "keys named by Mesh fingerprints"                                  \
    }

const OSSL_ALGORITHM mesh_keymgmt_algorithms[] = {
    ROW(MESH_NAMES_RSA, rsa),
    ROW(MESH_NAMES_EC, ec),
    ROW(MESH_NAMES_ED25519, ed25519),
    {NULL, NULL, NULL, NULL},
};

int mesh_keymgmt_has(const EVP_PKEY *key)
{
    size_t i;

    for (i = 0; mesh_keymgmt_algorithms[i].algorithm_names != NULL; i++) {
        const char *names = mesh_keymgmt_algorithms[i].algorithm_names;
        char name[32];

        OPENSSL_strlcpy(name, names, sizeof(name));
        name[strcspn(name, ":")] = '\0';
        if (EVP_PKEY_is_a(key, name))
            return 1;
    }
    return 0;
}
