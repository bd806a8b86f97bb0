/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key generation (provider-keymgmt(7)).  With the option "profile" or "role" in
 * the key store; without, in software: libcrypto takes the key management of
 * the provider that is listed first, and if that is ours, generating the keys
 * of files and of TLS handshakes must go on as before.
 */
#include "keymgmt/generate.h"

#include "keymgmt/key.h"
#include "platform/algorithm.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define PARAM_PROFILE "profile"
#define PARAM_ROLE    "role"
#define RSA_BITS      2048 /* libcrypto's default */

struct generation {
    struct mesh_context *ctx;
    const char *type;
    int selection;
    OSSL_PARAM *params; /* all that was set: a template starts over */
    EVP_PKEY_CTX *native;
    OSSL_PARAM *settable; /* made when asked for */
};

static const OSSL_PARAM own_settable[] = {
    OSSL_PARAM_utf8_string(PARAM_PROFILE, NULL, 0),
    OSSL_PARAM_utf8_string(PARAM_ROLE, NULL, 0),
    OSSL_PARAM_END,
};

static int start(struct generation *g, EVP_PKEY *template)
{
    EVP_PKEY_CTX_free(g->native);
    g->native = template != NULL
                    ? EVP_PKEY_CTX_new_from_pkey(g->ctx->libctx, template, NULL)
                    : EVP_PKEY_CTX_new_from_name(g->ctx->libctx, g->type, NULL);
    if (g->native == NULL)
        return 0;
    return (g->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0
               ? EVP_PKEY_keygen_init(g->native) == 1
               : EVP_PKEY_paramgen_init(g->native) == 1;
}

void *mesh_generate_init(void *provctx, const char *type, int selection,
                         const OSSL_PARAM params[])
{
    struct generation *g = OPENSSL_zalloc(sizeof(*g));

    if (g == NULL)
        return NULL;
    g->ctx = provctx;
    g->type = type;
    g->selection = selection;
    if (start(g, NULL) && mesh_generate_set_params(g, params))
        return g;
    mesh_generate_free(g);
    return NULL;
}

int mesh_generate_set_template(void *genctx, void *template)
{
    struct generation *g = genctx;

    return mesh_key_public(template) != NULL
           && start(g, mesh_key_public(template))
           && (g->params == NULL
               || EVP_PKEY_CTX_set_params(g->native, g->params) == 1);
}

int mesh_generate_set_params(void *genctx, const OSSL_PARAM params[])
{
    struct generation *g = genctx;
    OSSL_PARAM *merged, *copy;

    if (params == NULL || params[0].key == NULL)
        return 1;
    /* merge only borrows what its arguments own */
    merged = OSSL_PARAM_merge(g->params, params);
    copy = merged != NULL ? OSSL_PARAM_dup(merged) : NULL;
    OPENSSL_free(merged);
    if (copy == NULL)
        return 0;
    OSSL_PARAM_free(g->params);
    g->params = copy;
    return EVP_PKEY_CTX_set_params(g->native, params) == 1;
}

const OSSL_PARAM *mesh_generate_settable_params(void *genctx, void *provctx)
{
    struct generation *g = genctx;
    const OSSL_PARAM *native;

    (void)provctx;
    if (g == NULL) /* for a list of what there is */
        return own_settable;
    native = EVP_PKEY_CTX_settable_params(g->native);
    if ((g->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return native;
    if (g->settable == NULL)
        g->settable = OSSL_PARAM_merge(own_settable, native);
    return g->settable;
}

struct progress {
    OSSL_CALLBACK *cb;
    void *arg;
};

static int report(EVP_PKEY_CTX *native)
{
    const struct progress *progress = EVP_PKEY_CTX_get_app_data(native);
    int potential = EVP_PKEY_CTX_get_keygen_info(native, 0);
    int iteration = EVP_PKEY_CTX_get_keygen_info(native, 1);
    OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_GEN_PARAM_POTENTIAL, &potential),
        OSSL_PARAM_int(OSSL_GEN_PARAM_ITERATION, &iteration),
        OSSL_PARAM_END,
    };

    return progress->cb(params, progress->arg);
}

static struct mesh_key *make_software_key(struct generation *g,
                                          struct progress *progress)
{
    struct mesh_key *key;
    EVP_PKEY *native = NULL;
    int ok;

    EVP_PKEY_CTX_set_app_data(g->native, progress);
    EVP_PKEY_CTX_set_cb(g->native, progress->cb != NULL ? report : NULL);
    ok = EVP_PKEY_generate(g->native, &native) == 1;
    /* progress is gone when we return */
    EVP_PKEY_CTX_set_cb(g->native, NULL);
    EVP_PKEY_CTX_set_app_data(g->native, NULL);
    if (!ok)
        return NULL;
    key = mesh_key_new(g->ctx, native, NULL,
                       (g->selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
                           ? MESH_KEY_SOFTWARE
                           : MESH_KEY_PARAMETERS);
    EVP_PKEY_free(native);
    return key;
}

/* The text of a parameter; NULL if it was not set. */
static const char *text_of(const struct generation *g, const char *name)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(g->params, name);
    const char *text = NULL;

    return p != NULL && OSSL_PARAM_get_utf8_string_ptr(p, &text) ? text : NULL;
}

/* The parameters that only have one value in the key store. */
static const struct fixed {
    const char *name, *value;
    int is_number;
} fixed[] = {
    {OSSL_PKEY_PARAM_RSA_E, "65537", 1},
    {OSSL_PKEY_PARAM_RSA_PRIMES, "2", 1},
    {OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP, 0},
    {OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
     OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED, 0},
};

static const struct fixed *find_fixed(const char *name)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (strcmp(fixed[i].name, name) == 0)
            return &fixed[i];
    return NULL;
}

static int has_value(const OSSL_PARAM *p, const struct fixed *row)
{
    BIGNUM *number = NULL, *wanted = NULL;
    const char *text;
    int has;

    if (!row->is_number)
        return OSSL_PARAM_get_utf8_string_ptr(p, &text)
               && strcmp(text, row->value) == 0;
    has = OSSL_PARAM_get_BN(p, &number) && BN_dec2bn(&wanted, row->value) > 0
          && BN_cmp(number, wanted) == 0;
    BN_free(number);
    BN_free(wanted);
    return has;
}

/* Whether a parameter chooses what is made, or who gets it. */
static int chooses(const OSSL_PARAM *p)
{
    static const char *const texts[] = {PARAM_PROFILE, PARAM_ROLE,
                                        OSSL_PKEY_PARAM_GROUP_NAME};
    const char *text;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(p->key, texts[i]) == 0)
            return OSSL_PARAM_get_utf8_string_ptr(p, &text);
    return strcmp(p->key, OSSL_PKEY_PARAM_RSA_BITS) == 0;
}

/* What was set and cannot be had is refused, never left out. */
static int check_params(const struct generation *g)
{
    for (const OSSL_PARAM *p = g->params; p->key != NULL; p++) {
        const struct fixed *row = find_fixed(p->key);

        if (row != NULL && !has_value(p, row))
            return mesh_raise(g->ctx, MESH_R_OPERATION_UNSUPPORTED,
                              "\"%s\" of a key in the key store can only be "
                              "%s",
                              row->name, row->value);
        if (row == NULL && !chooses(p))
            return mesh_raise(g->ctx, MESH_R_OPERATION_UNSUPPORTED,
                              "\"%.64s\" cannot be set for a key in the key "
                              "store",
                              p->key);
    }
    return 1;
}

/* libcrypto's own name of the group that was set, by whatever name, or that a
 * template has; empty if there is none. */
static void read_group(const struct generation *g, char *name, size_t size)
{
    EVP_PKEY *key = EVP_PKEY_CTX_get0_pkey(g->native), *made = NULL;
    EVP_PKEY_CTX *make = NULL;

    name[0] = '\0';
    ERR_set_mark();
    if (text_of(g, OSSL_PKEY_PARAM_GROUP_NAME) != NULL) {
        key = NULL;
        make = EVP_PKEY_CTX_new_from_name(g->ctx->libctx, g->type, NULL);
        if (make != NULL && EVP_PKEY_paramgen_init(make) == 1
            && EVP_PKEY_CTX_set_params(make, g->params) == 1
            && EVP_PKEY_paramgen(make, &made) == 1)
            key = made;
    }
    if (key != NULL && !EVP_PKEY_get_group_name(key, name, size, NULL))
        name[0] = '\0';
    ERR_pop_to_mark();
    EVP_PKEY_free(made);
    EVP_PKEY_CTX_free(make);
}

static unsigned bits_of(const struct generation *g)
{
    const OSSL_PARAM *p =
        OSSL_PARAM_locate_const(g->params, OSSL_PKEY_PARAM_RSA_BITS);
    unsigned bits = RSA_BITS;

    return p == NULL || OSSL_PARAM_get_uint(p, &bits) ? bits : 0;
}

/* The row that the parameters choose; NULL is raised. */
static const struct mesh_algorithm *find_row(const struct generation *g)
{
    const struct mesh_algorithm *row;
    unsigned bits = bits_of(g);
    char group[64], known[256] = "", wanted[96];

    const char *named = text_of(g, OSSL_PKEY_PARAM_GROUP_NAME);

    read_group(g, group, sizeof(group));
    OPENSSL_strlcpy(wanted, g->type, sizeof(wanted));
    for (size_t i = 0; (row = mesh_algorithm_row(i)) != NULL; i++) {
        if (strcmp(row->keytype, g->type) != 0)
            continue;
        if ((row->bits == 0 || row->bits == bits)
            && (row->group == NULL || strcmp(row->group, group) == 0))
            return row;
        if (row->bits != 0)
            BIO_snprintf(wanted, sizeof(wanted), "%s of %u bits", g->type,
                         bits);
        else
            BIO_snprintf(wanted, sizeof(wanted), "%s, %.60s", g->type,
                         group[0] != '\0' ? group
                         : named != NULL  ? named
                                          : "group not named (-pkeyopt "
                                            "group:P-256 names one)");
        OPENSSL_strlcat(known, known[0] != '\0' ? ", " : "", sizeof(known));
        OPENSSL_strlcat(known, row->name, sizeof(known));
    }
    mesh_raise(g->ctx, MESH_R_ALGORITHM, "%s: the key store makes %s", wanted,
               known[0] != '\0' ? known : "no keys of this type");
    return NULL;
}

/* The key store reports no progress. */
static struct mesh_key *make_held_key(struct generation *g)
{
    const struct mesh_algorithm *row;
    struct mesh_key *key;
    EVP_PKEY *public;
    char *uri;

    if ((g->selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) {
        mesh_raise(g->ctx, MESH_R_OPERATION_UNSUPPORTED,
                   "parameters alone have no \"" PARAM_PROFILE
                   "\" and no \"" PARAM_ROLE "\"");
        return NULL;
    }
    if (!check_params(g) || (row = find_row(g)) == NULL
        || !g->ctx->make_key(g->ctx, row->name, text_of(g, PARAM_PROFILE),
                             text_of(g, PARAM_ROLE), &public, &uri))
        return NULL;
    key = mesh_key_new_made(g->ctx, public, uri);
    if (key == NULL)
        g->ctx->unmake_key(g->ctx, public, uri);
    EVP_PKEY_free(public);
    OPENSSL_free(uri);
    return key;
}

void *mesh_generate(void *genctx, OSSL_CALLBACK *cb, void *cbarg)
{
    struct generation *g = genctx;
    struct progress progress = {cb, cbarg};

    if (g->params != NULL
        && (OSSL_PARAM_locate_const(g->params, PARAM_PROFILE) != NULL
            || OSSL_PARAM_locate_const(g->params, PARAM_ROLE) != NULL))
        return make_held_key(g);
    return make_software_key(g, &progress);
}

void mesh_generate_free(void *genctx)
{
    struct generation *g = genctx;

    EVP_PKEY_CTX_free(g->native);
    OSSL_PARAM_free(g->params);
    OPENSSL_free(g->settable);
    OPENSSL_free(g);
}
