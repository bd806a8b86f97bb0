/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The entry (provider(7)): the provider's context, its errors as the core's,
 * and the operation tables of the floors below.  Nothing is opened here.
 */
#include "keymgmt/operations.h"
#include "platform/keystore.h"
#include "platform/layout.h"
#include "platform/resident.h"
#include "provider/config.h"
#include "store/decoder.h"
#include "store/loader.h"
#include "store/make_key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>

struct provider {
    const OSSL_CORE_HANDLE *core;
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_FUNC_provider_up_ref_fn *up_ref;
    OSSL_ITEM reasons[MESH_R_END];
};

/* The one symbol that is exported; on Windows mesh.def says so. */
#ifdef _WIN32
OSSL_provider_init_fn OSSL_provider_init;
#else
__attribute__((visibility("default"))) OSSL_provider_init_fn OSSL_provider_init;
#endif
static OSSL_FUNC_provider_teardown_fn teardown;
static OSSL_FUNC_provider_gettable_params_fn gettable_params;
static OSSL_FUNC_provider_get_params_fn get_params;
static OSSL_FUNC_provider_query_operation_fn query_operation;
static OSSL_FUNC_provider_get_reason_strings_fn get_reason_strings;
static OSSL_FUNC_provider_get_capabilities_fn get_capabilities;

static void set_error(const struct provider *p, enum mesh_reason reason,
                      const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    p->vset_error(p->core, (uint32_t)reason, fmt, args);
    va_end(args);
}

/* Through the core's upcalls: with a libcrypto of its own in the module the
 * user would never see what ERR_raise() leaves there. */
static void raise_in_core(struct mesh_context *ctx, enum mesh_reason reason,
                          const char *file, int line, const char *func,
                          const char *text)
{
    const struct provider *p = ctx->raise_arg;

    mesh_trace(ctx, "error: %s: %s", mesh_reason_text(reason), text);
    p->new_error(p->core);
    p->set_error_debug(p->core, file, line, func);
    set_error(p, reason, *text != '\0' ? "%s" : NULL, text);
}

static void stay(struct mesh_context *ctx)
{
    const struct provider *p = ctx->raise_arg;

    p->up_ref(p->core, 0);
}

static void teardown(void *provctx)
{
    struct mesh_context *ctx = provctx;
    struct provider *p = ctx->raise_arg;

    mesh_keystore_close(ctx);
    mesh_layout_forget(ctx);
    mesh_context_free(ctx);
    OPENSSL_free(p);
}

static const OSSL_PARAM *gettable_params(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, NULL, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, NULL, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, NULL, 0),
        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, NULL),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return gettable;
}

static int get_params(void *provctx, OSSL_PARAM params[])
{
    static const struct {
        const char *key, *value;
    } texts[] = {
        {OSSL_PROV_PARAM_NAME, "Mesh provider: keys named by fingerprint"},
        {OSSL_PROV_PARAM_VERSION, MESH_VERSION},
        {OSSL_PROV_PARAM_BUILDINFO,
         "mesh " MESH_VERSION ", " OPENSSL_VERSION_TEXT},
    };
    OSSL_PARAM *p;
    size_t i;

    (void)provctx;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if ((p = OSSL_PARAM_locate(params, texts[i].key)) != NULL
            && !OSSL_PARAM_set_utf8_ptr(p, texts[i].value))
            return 0;
    p = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    return p == NULL || OSSL_PARAM_set_int(p, 1);
}

/* All operations, always: what would appear later libssl does not see. */
static const OSSL_ALGORITHM *query_operation(void *provctx, int operation,
                                             int *no_cache)
{
    (void)provctx;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_ENCODER:
        return mesh_encoder_algorithms();
    case OSSL_OP_DECODER:
        return mesh_decoder_algorithms();
    case OSSL_OP_STORE:
        return mesh_store_algorithms;
    case OSSL_OP_KEYMGMT:
        return mesh_keymgmt_algorithms();
    case OSSL_OP_SIGNATURE:
        return mesh_signature_algorithms();
    case OSSL_OP_KEYEXCH:
        return mesh_keyexch_algorithms();
    case OSSL_OP_KEM:
        return mesh_kem_algorithms();
    case OSSL_OP_ASYM_CIPHER:
        return mesh_asymcipher_algorithms();
    }
    return NULL;
}

static const OSSL_ITEM *get_reason_strings(void *provctx)
{
    const struct mesh_context *ctx = provctx;
    const struct provider *p = ctx->raise_arg;

    return p->reasons;
}

/* Where the entries of a capability name their type of key: the first of the
 * parameters that is there.  (OpenSSL 3.2 has the signature algorithms.) */
static const struct capability {
    const char *name, *types[3];
} capabilities[] = {
    {"TLS-GROUP", {OSSL_CAPABILITY_TLS_GROUP_ALG}},
    {"TLS-SIGALG",
     {"tls-sigalg-keytype", "tls-sigalg-sig-name", "tls-sigalg-name"}},
};

struct filter {
    const struct capability *capability;
    OSSL_CALLBACK *cb;
    void *arg;
};

static int pass_our_types(const OSSL_PARAM params[], void *arg)
{
    const struct filter *filter = arg;
    const OSSL_PARAM *p = NULL;
    const char *type = NULL;
    size_t i;

    for (i = 0; p == NULL && i < 3; i++)
        if (filter->capability->types[i] != NULL)
            p = OSSL_PARAM_locate_const(params, filter->capability->types[i]);
    if (p == NULL || !OSSL_PARAM_get_utf8_string_ptr(p, &type)
        || !mesh_keymgmt_has_type(type))
        return 1;
    return filter->cb(params, filter->arg);
}

/* libssl believes a group or a signature algorithm only of the provider that
 * its key management comes from: with ours listed first it would have no NIST
 * curves, and would refuse every EC certificate in TLS 1.2. */
static int get_capabilities(void *provctx, const char *capability,
                            OSSL_CALLBACK *cb, void *arg)
{
    const struct mesh_context *ctx = provctx;
    struct filter filter = {NULL, cb, arg};
    size_t i;

    for (i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
        if (OPENSSL_strcasecmp(capability, capabilities[i].name) == 0)
            filter.capability = &capabilities[i];
    return filter.capability == NULL
           || OSSL_PROVIDER_get_capabilities(ctx->software, capability,
                                             pass_our_types, &filter);
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable_params},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get_params},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
    {OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, (void (*)(void))get_reason_strings},
    {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
    {0, NULL},
};

static void take_upcalls(struct provider *p, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            p->get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            p->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            p->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            p->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        case OSSL_FUNC_PROVIDER_UP_REF:
            p->up_ref = OSSL_FUNC_provider_up_ref(in);
            break;
        }
    }
}

int OSSL_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                       const OSSL_DISPATCH **out, void **provctx)
{
    struct mesh_context *ctx;
    struct provider *p;
    unsigned i;

    mesh_resident_begin();
    p = OPENSSL_zalloc(sizeof(*p));
    if (p == NULL)
        return 0;
    p->core = core;
    take_upcalls(p, in);
    /* Item 0 would end the list: it is "no error", and left out. */
    for (i = 1; i < MESH_R_END; i++) {
        p->reasons[i - 1].id = i;
        p->reasons[i - 1].ptr = (void *)mesh_reason_text(i);
    }
    if (p->get_params == NULL || p->new_error == NULL
        || p->set_error_debug == NULL || p->vset_error == NULL
        || (ctx = mesh_context_new(OSSL_LIB_CTX_new_from_dispatch(core, in),
                                   raise_in_core, p))
               == NULL) {
        OPENSSL_free(p);
        return 0;
    }
    mesh_layout_keep(ctx);
    ctx->make_key = mesh_make_key;
    ctx->unmake_key = mesh_unmake_key;
    ctx->stay = p->up_ref != NULL ? stay : NULL;
    if (!mesh_config_read(ctx, core, p->get_params)
        || !mesh_keystore_open(ctx)) {
        teardown(ctx);
        return 0;
    }
    *provctx = ctx;
    *out = functions;
    return 1;
}
