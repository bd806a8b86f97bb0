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
#include "keymgmt/types.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define PRIVATE OSSL_KEYMGMT_SELECT_PRIVATE_KEY
#define PUBLIC  OSSL_KEYMGMT_SELECT_PUBLIC_KEY

/* ML-DSA, ML-KEM: what a private key is made of; OpenSSL 3.5 named it. */
#define PARAM_SEED "seed"

static OSSL_FUNC_keymgmt_free_fn keymgmt_free;
static OSSL_FUNC_keymgmt_load_fn keymgmt_load;
static OSSL_FUNC_keymgmt_has_fn keymgmt_has;
static OSSL_FUNC_keymgmt_match_fn keymgmt_match;
static OSSL_FUNC_keymgmt_validate_fn keymgmt_validate;
static OSSL_FUNC_keymgmt_dup_fn keymgmt_dup;
static OSSL_FUNC_keymgmt_get_params_fn keymgmt_get_params;
static OSSL_FUNC_keymgmt_set_params_fn keymgmt_set_params;
static OSSL_FUNC_keymgmt_import_fn keymgmt_import;
static OSSL_FUNC_keymgmt_export_fn keymgmt_export;

/* Some programs (socat) free a key after OPENSSL_cleanup(), in an exit handler
 * of their own.  libcrypto then frees the provider with its last key, and dies
 * at taking back the texts of its errors: so the provider stays. */
static void keymgmt_free(void *keydata)
{
    struct mesh_context *ctx;

    if (keydata == NULL)
        return;
    ctx = mesh_key_context(keydata);
    if (ctx->stay != NULL && !OPENSSL_init_crypto(0, NULL))
        ctx->stay(ctx);
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

    if (public == NULL
        || ((selection & PRIVATE) != 0 && !keymgmt_has(keydata, PRIVATE)))
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

/* The native key does not change: copies share it.  But a point may be set in
 * parameters (CMS copies those of an EC key alone): each has its own. */
static void *keymgmt_dup(const void *keydata, int selection)
{
    EVP_PKEY *public = mesh_key_public(keydata), *copy = NULL;
    struct mesh_context *ctx = mesh_key_context(keydata);
    enum mesh_key_kind kind = mesh_key_kind(keydata);
    struct mesh_key *key = NULL;

    if (public == NULL)
        return mesh_key_new_empty(ctx, mesh_key_type(keydata));
    mesh_key_settle(keydata);
    if (kind != MESH_KEY_PARAMETERS
        && (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
        if ((selection & PRIVATE) == 0)
            kind = MESH_KEY_PUBLIC;
        return mesh_key_new(ctx, public, mesh_key_uri(keydata), kind);
    }
    if (kind == MESH_KEY_PARAMETERS)
        copy = EVP_PKEY_dup(public);
    else if ((copy = EVP_PKEY_new()) != NULL
             && !EVP_PKEY_copy_parameters(copy, public)) {
        EVP_PKEY_free(copy);
        copy = NULL;
    }
    if (copy == NULL
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

/* What the native keys of a type list: static memory of the default provider,
 * which is there as long as ours. */
static const OSSL_PARAM *
native_list(struct mesh_context *ctx, const char *type,
            const OSSL_PARAM *(*list)(const EVP_KEYMGMT *keymgmt))
{
    EVP_KEYMGMT *native = EVP_KEYMGMT_fetch(ctx->libctx, type, NULL);
    const OSSL_PARAM *params = native != NULL ? list(native) : NULL;

    EVP_KEYMGMT_free(native);
    return params;
}

/* How the public half is written (`openssl ec -conv_form`) is not the key. */
static int is_of_encoding(const char *name)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC,
        OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
        OSSL_PKEY_PARAM_EC_ENCODING,
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* A key that stands for one in the key store does not change; of others it is
 * a copy that does, but for parameters, which nothing shares. */
static int keymgmt_set_params(void *keydata, const OSSL_PARAM params[])
{
    struct mesh_key *key = keydata;
    enum mesh_key_kind kind = mesh_key_kind(key);
    EVP_PKEY *native = mesh_key_public(key);

    if (params == NULL || params[0].key == NULL)
        return 1;
    for (size_t i = 0; kind == MESH_KEY_HELD && params[i].key != NULL; i++)
        if (!is_of_encoding(params[i].key))
            return mesh_raise(mesh_key_context(key), MESH_R_USAGE,
                              "the parameter %.40s of a key of the key store "
                              "cannot be changed",
                              params[i].key);
    if (native == NULL)
        return 0;
    if (kind != MESH_KEY_PARAMETERS)
        native = EVP_PKEY_dup(native);
    else if (!EVP_PKEY_up_ref(native))
        return 0;
    if (!EVP_PKEY_set_params(native, (OSSL_PARAM *)params)) {
        EVP_PKEY_free(native);
        return 0;
    }
    if (kind == MESH_KEY_PARAMETERS
        && OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY)
               != NULL)
        kind = MESH_KEY_PUBLIC;
    mesh_key_fill(key, native, kind);
    return 1;
}

/* (The seed of an EC key is its curve's.) */
static int has_private_numbers(const struct mesh_key *key,
                               const OSSL_PARAM params[])
{
    return OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != NULL
           || OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D) != NULL
           || (OSSL_PARAM_locate_const(params, PARAM_SEED) != NULL
               && strcmp(mesh_key_type(key), "EC") != 0);
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
    if ((selection & PRIVATE) != 0 && has_private_numbers(key, params))
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

/* Fails exactly when the private half of a held key is asked for: libcrypto
 * then leaves the operation to us; before each one, so the text is short.  Of a
 * public key "all" is the public half.
 */
static int keymgmt_export(void *keydata, int selection, OSSL_CALLBACK *cb,
                          void *cbarg)
{
    EVP_PKEY *public = mesh_key_public(keydata);

    if (public == NULL)
        return 0;
    /* no text: libcrypto tries this for every signature, and forgets the error
     */
    if ((selection & PRIVATE) != 0 && mesh_key_kind(keydata) == MESH_KEY_HELD)
        return mesh_raise(mesh_key_context(keydata), MESH_R_NOT_EXPORTABLE,
                          "%s", "");
    if (mesh_key_kind(keydata) != MESH_KEY_SOFTWARE)
        selection &= ~PRIVATE;
    return selection != 0 && EVP_PKEY_export(public, selection, cb, cbarg);
}

/* What a type of key is made of, by its family.  (The native keys cannot be
 * asked: these functions get no context.) */
static const OSSL_PARAM rsa_numbers[] = {
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR1, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_FACTOR2, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT1, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_EXPONENT2, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_MASKGENFUNC, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, NULL),
    OSSL_PARAM_END,
};
static const OSSL_PARAM ec_numbers[] = {
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
    OSSL_PARAM_END,
};
static const OSSL_PARAM raw_numbers[] = {
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, NULL, 0),
    OSSL_PARAM_octet_string(PARAM_SEED, NULL, 0),
    OSSL_PARAM_END,
};

#define TYPES(family)                                                          \
    static OSSL_FUNC_keymgmt_import_types_fn family##_types;                   \
    static const OSSL_PARAM *family##_types(int selection)                     \
    {                                                                          \
        return selection != 0 ? family##_numbers : NULL;                       \
    }

TYPES(rsa)
TYPES(ec)
TYPES(raw)

/* The name of an operation where it is not the type's own (NULL). */
static OSSL_FUNC_keymgmt_query_operation_name_fn rsa_operation;
static const char *rsa_operation(int operation)
{
    (void)operation;
    return "RSA"; /* RSA-PSS too */
}

static OSSL_FUNC_keymgmt_query_operation_name_fn ec_operation;
static const char *ec_operation(int operation)
{
    switch (operation) {
    case OSSL_OP_SIGNATURE:
        return "ECDSA";
    case OSSL_OP_KEYEXCH:
        return "ECDH";
    }
    return NULL;
}

static OSSL_FUNC_keymgmt_query_operation_name_fn raw_operation;
static const char *raw_operation(int operation)
{
    (void)operation;
    return NULL;
}

/* What differs between types. */
#define KEYMGMT(id, name, aliases, family)                                     \
    static OSSL_FUNC_keymgmt_new_fn id##_new;                                  \
    static void *id##_new(void *provctx)                                       \
    {                                                                          \
        return mesh_key_new_empty(provctx, name);                              \
    }                                                                          \
    static OSSL_FUNC_keymgmt_gen_init_fn id##_generate_init;                   \
    static void *id##_generate_init(void *provctx, int selection,              \
                                    const OSSL_PARAM params[])                 \
    {                                                                          \
        return mesh_generate_init(provctx, name, selection, params);           \
    }                                                                          \
    static OSSL_FUNC_keymgmt_gettable_params_fn id##_gettable;                 \
    static const OSSL_PARAM *id##_gettable(void *provctx)                      \
    {                                                                          \
        return native_list(provctx, name, EVP_KEYMGMT_gettable_params);        \
    }                                                                          \
    static OSSL_FUNC_keymgmt_settable_params_fn id##_settable;                 \
    static const OSSL_PARAM *id##_settable(void *provctx)                      \
    {                                                                          \
        return native_list(provctx, name, EVP_KEYMGMT_settable_params);        \
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
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))id##_gettable},    \
        {OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))keymgmt_set_params},    \
        {OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))id##_settable},    \
        {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))keymgmt_import},            \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))family##_types},      \
        {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))keymgmt_export},            \
        {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))family##_types},      \
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,                               \
         (void (*)(void))family##_operation},                                  \
        {0, NULL},                                                             \
    };

MESH_TYPES_3_0(KEYMGMT)
MESH_TYPES_3_5(KEYMGMT)

#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, "", id##_functions,                           \
                   "keys named by Mesh fingerprints"),

static const OSSL_ALGORITHM algorithms[] = {
    MESH_TYPES_3_5(ROW) MESH_TYPES_3_0(ROW) MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_keymgmt_algorithms(void)
{
    return mesh_libcrypto_is(3, 5) ? algorithms
                                   : algorithms + MESH_TYPES_3_5(MESH_COUNT);
}

int mesh_keymgmt_has_type(const char *name)
{
    const OSSL_ALGORITHM *row = mesh_keymgmt_algorithms();
    size_t len = strlen(name);

    for (; row->algorithm_names != NULL; row++)
        if (OPENSSL_strncasecmp(row->algorithm_names, name, len) == 0
            && row->algorithm_names[len] == ':')
            return 1;
    return 0;
}

int mesh_keymgmt_has(const EVP_PKEY *key)
{
    return mesh_keymgmt_has_type(EVP_PKEY_get0_type_name(key));
}

int mesh_libcrypto_is(unsigned major, unsigned minor)
{
    return OPENSSL_version_major() > major
           || (OPENSSL_version_major() == major
               && OPENSSL_version_minor() >= minor);
}
