/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The OSSL_STORE loader (provider-storemgmt(7)): resolves at the first load,
 * then hands out one object at a time.
 */
#include "store/loader.h"

#include "keymgmt/hand_over.h"
#include "store/resolve.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/store.h>

struct loader {
    struct mesh_context *ctx;
    char *uri;
    int expect;                       /* OSSL_STORE_INFO_…, 0: everything */
    struct mesh_criterion *criterion; /* NULL: no search */
    int refused; /* the search was: nothing may be given, least of all all */
    int resolved;
    struct mesh_objects objects;
    size_t next;
};

static OSSL_FUNC_store_open_fn loader_open;
static OSSL_FUNC_store_settable_ctx_params_fn loader_settable_params;
static OSSL_FUNC_store_set_ctx_params_fn loader_set_params;
static OSSL_FUNC_store_load_fn loader_load;
static OSSL_FUNC_store_eof_fn loader_eof;
static OSSL_FUNC_store_close_fn loader_close;
static OSSL_FUNC_store_export_object_fn loader_export;

static int loader_close(void *loaderctx)
{
    struct loader *l = loaderctx;

    mesh_objects_free(&l->objects);
    mesh_criterion_free(l->criterion);
    OPENSSL_free(l->uri);
    OPENSSL_free(l);
    return 1;
}

/* A malformed URI fails here, before anything is asked of it. */
static void *loader_open(void *provctx, const char *uri)
{
    struct mesh_uri parts;
    struct loader *l;

    if (!mesh_uri_parse(provctx, uri, &parts)
        || (l = OPENSSL_zalloc(sizeof(*l))) == NULL)
        return NULL;
    l->ctx = provctx;
    if ((l->uri = OPENSSL_strdup(uri)) == NULL) {
        loader_close(l);
        return NULL;
    }
    return l;
}

static const OSSL_PARAM *loader_settable_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_SUBJECT, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_ISSUER, NULL, 0),
        OSSL_PARAM_BN(OSSL_STORE_PARAM_SERIAL, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_STORE_PARAM_FINGERPRINT, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_ALIAS, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

/* Parameters that mean nothing to us are accepted: libcrypto sets properties
 * without asking whether the loader wants them. */
static int loader_set_params(void *loaderctx, const OSSL_PARAM params[])
{
    struct loader *l = loaderctx;
    struct mesh_criterion *criterion;
    const OSSL_PARAM *p;

    if (params == NULL)
        return 1;
    if (!mesh_criterion_read(l->ctx, params, &criterion)) {
        l->refused = 1; /* X509_STORE loads all the same */
        return 0;
    }
    if (criterion != NULL) {
        mesh_criterion_free(l->criterion);
        l->criterion = criterion;
        l->refused = 0;
    }
    p = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
    return p == NULL || OSSL_PARAM_get_int(p, &l->expect);
}

/* Which of our types an OSSL_STORE_INFO type asks for; 0 for one that no mesh:
 * URI has (parameters, revocation lists). */
static int expected_type(int info, enum mesh_object_type *type)
{
    static const struct {
        int info;
        enum mesh_object_type type;
    } types[] = {
        {0, MESH_OBJECT_ANY},
        {OSSL_STORE_INFO_NAME, MESH_OBJECT_NAME},
        {OSSL_STORE_INFO_PUBKEY, MESH_OBJECT_PUBLIC},
        {OSSL_STORE_INFO_PKEY, MESH_OBJECT_PRIVATE},
        {OSSL_STORE_INFO_CERT, MESH_OBJECT_CERTIFICATE},
    };
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].info == info) {
            *type = types[i].type;
            return 1;
        }
    return 0;
}

static int resolve(struct loader *l)
{
    enum mesh_object_type type;

    l->resolved = 1;
    return !expected_type(l->expect, &type)
           || mesh_resolve(l->ctx, l->uri, type, l->criterion, &l->objects);
}

static int give_name(const struct mesh_object *object, OSSL_CALLBACK *cb,
                     void *cbarg)
{
    int type = OSSL_OBJECT_NAME;
    OSSL_PARAM params[4];

    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA,
                                                 object->name, 0);
    if (object->description != NULL)
        params[2] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DESC,
                                                     object->description, 0);
    else
        params[2] = OSSL_PARAM_construct_end();
    params[3] = OSSL_PARAM_construct_end();
    return cb(params, cbarg);
}

static int give_certificate(const struct mesh_object *object, OSSL_CALLBACK *cb,
                            void *cbarg)
{
    int type = OSSL_OBJECT_CERT, len, ok;
    unsigned char *der = NULL;
    OSSL_PARAM params[3];

    if ((len = i2d_X509(object->certificate, &der)) <= 0)
        return 0;
    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der,
                                                  (size_t)len);
    params[2] = OSSL_PARAM_construct_end();
    ok = cb(params, cbarg);
    OPENSSL_free(der);
    return ok;
}

static int loader_load(void *loaderctx, OSSL_CALLBACK *cb, void *cbarg,
                       OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    struct loader *l = loaderctx;
    const struct mesh_object *object;

    (void)pw_cb;
    (void)pw_cbarg;
    if (l->refused || (!l->resolved && !resolve(l)))
        return 0;
    if (l->next >= l->objects.count)
        return 1; /* nothing of the expected type: an end, not an error */
    object = &l->objects.items[l->next++];
    switch (object->type) {
    case MESH_OBJECT_NAME:
        return give_name(object, cb, cbarg);
    case MESH_OBJECT_CERTIFICATE:
        return give_certificate(object, cb, cbarg);
    default:
        return mesh_key_give(object->key, cb, cbarg);
    }
}

/* True after an error too, else applications that ask again never end. */
static int loader_eof(void *loaderctx)
{
    struct loader *l = loaderctx;

    return l->refused || (l->resolved && l->next >= l->objects.count);
}

static int loader_export(void *loaderctx, const void *reference, size_t size,
                         OSSL_CALLBACK *cb, void *cbarg)
{
    (void)loaderctx;
    return mesh_key_export_given(reference, size, cb, cbarg);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_STORE_OPEN, (void (*)(void))loader_open},
    {OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS,
     (void (*)(void))loader_settable_params},
    {OSSL_FUNC_STORE_SET_CTX_PARAMS, (void (*)(void))loader_set_params},
    {OSSL_FUNC_STORE_LOAD, (void (*)(void))loader_load},
    {OSSL_FUNC_STORE_EOF, (void (*)(void))loader_eof},
    {OSSL_FUNC_STORE_CLOSE, (void (*)(void))loader_close},
    {OSSL_FUNC_STORE_EXPORT_OBJECT, (void (*)(void))loader_export},
    {0, NULL},
};

const OSSL_ALGORITHM mesh_store_algorithms[] = {
    {"mesh", "provider=mesh", functions, "keys named by Mesh fingerprints"},
    {NULL, NULL, NULL, NULL},
};
