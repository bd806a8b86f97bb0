/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl csr: a certificate request (PKCS#10) that a key of the key store
 * signs.  libcrypto makes it, by the provider, which is built in here: meshctl
 * is a program like any other for that, with a library context of its own.
 */
#include "platform/algorithm.h"
#include "store/change.h"
#include "tools/command.h"
#include "tools/csr_names.h"
#include "tools/output.h"
#include "tools/target.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <string.h>

#define NAMES_MAX 100

OSSL_provider_init_fn OSSL_provider_init; /* of provider/provider.c */

/* Of the one command that runs: the provider's core has no room for it. */
static const struct mesh_config *config;

/* The upcall for settings: those of meshctl in the place of openssl.cnf. */
static int get_settings(const OSSL_CORE_HANDLE *core, OSSL_PARAM params[])
{
    const struct {
        const char *name, *value;
    } settings[] = {
        {"home", config->home},
        {"keystore", config->keystore},
        {"keyd-socket", config->keyd_socket},
        {"keyd-path", config->keyd_path},
    };
    OSSL_PARAM *p;

    (void)core;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (settings[i].value != NULL
            && (p = OSSL_PARAM_locate(params, settings[i].name)) != NULL
            && !OSSL_PARAM_set_utf8_ptr(p, settings[i].value))
            return 0;
    return 1;
}

/* The provider's entry, with that upcall.  (libcrypto has a function for the
 * settings of a provider since 3.2 only.) */
static int init_provider(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **provctx)
{
    OSSL_DISPATCH *upcalls;
    size_t count = 0;
    int ok;

    while (in[count].function_id != 0)
        count++;
    upcalls = OPENSSL_memdup(in, (count + 1) * sizeof(*in));
    if (upcalls == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (upcalls[i].function_id == OSSL_FUNC_CORE_GET_PARAMS)
            upcalls[i].function = (void (*)(void))get_settings;
    ok = OSSL_provider_init(core, upcalls, out, provctx);
    OPENSSL_free(upcalls);
    return ok;
}

/* Raises the first error of the provider that is in libcrypto's queue, else the
 * first of libcrypto itself; the queue is empty then. */
static int raise_queue(struct mesh_context *ctx, const char *uri)
{
    enum mesh_reason reason = MESH_R_OPERATION_FAILED;
    const char *text, *data;
    char first[MESH_ERROR_TEXT_MAX] = "";
    unsigned long code;
    int flags;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        unsigned number = (unsigned)ERR_GET_REASON(code);
        int ours = (text = ERR_reason_error_string(code)) != NULL
                   && number > MESH_R_NONE && number < MESH_R_END
                   && strcmp(text, mesh_reason_text(number)) == 0;

        if (ours) {
            reason = number;
            OPENSSL_strlcpy(first, data, sizeof(first));
            break;
        }
        if (first[0] == '\0' && text != NULL)
            OPENSSL_strlcpy(first, text, sizeof(first));
    }
    ERR_clear_error();
    if (reason != MESH_R_OPERATION_FAILED)
        return mesh_raise(ctx, reason, "%s", first);
    return mesh_raise(ctx, reason, "%s: %s", uri, first);
}

/* The private key that uri names, as a program gets it; NULL: in the queue. */
static EVP_PKEY *load_key(OSSL_LIB_CTX *libctx, const char *uri)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY))
        while (key == NULL && !OSSL_STORE_eof(store)
               && !OSSL_STORE_error(store)) {
            OSSL_STORE_INFO *info = OSSL_STORE_load(store);

            if (info != NULL)
                key = OSSL_STORE_INFO_get1_PKEY(info);
            OSSL_STORE_INFO_free(info);
        }
    OSSL_STORE_close(store);
    return key;
}

/* With the key's own digest, or none where the algorithm has it inside. */
static int sign_request(OSSL_LIB_CTX *libctx, X509_REQ *request, EVP_PKEY *key)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md != NULL
             && EVP_DigestSignInit_ex(md, NULL, NULL, libctx, NULL, key, NULL)
             && X509_REQ_sign_ctx(request, md) > 0;

    EVP_MD_CTX_free(md);
    return ok;
}

static int add_names(X509_REQ *request, GENERAL_NAMES *names)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    int ok =
        sk_GENERAL_NAME_num(names) == 0
        || (X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, 0) > 0
            && X509_REQ_add_extensions(request, extensions));

    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return ok;
}

/* Writes the request as PEM; 0: in the queue. */
static int make_request(OSSL_LIB_CTX *libctx, const char *uri,
                        const X509_NAME *subject, GENERAL_NAMES *names,
                        BIO *out)
{
    X509_REQ *request = X509_REQ_new_ex(libctx, NULL);
    EVP_PKEY *key = load_key(libctx, uri);
    int ok = request != NULL && key != NULL
             && X509_REQ_set_version(request, X509_REQ_VERSION_1)
             && X509_REQ_set_subject_name(request, subject)
             && X509_REQ_set_pubkey(request, key) && add_names(request, names)
             && sign_request(libctx, request, key)
             && PEM_write_bio_X509_REQ(out, request);

    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return ok;
}

/* The same in a library context that has the provider. */
static int request_by_provider(struct mesh_context *ctx, const char *uri,
                               const X509_NAME *subject, GENERAL_NAMES *names,
                               BIO *out)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *software = NULL, *mesh = NULL;
    int ok;

    config = &ctx->config;
    ERR_clear_error();
    ok = (libctx != NULL
          && OSSL_PROVIDER_add_builtin(libctx, "mesh", init_provider)
          && (software = OSSL_PROVIDER_load(libctx, "default")) != NULL
          && (mesh = OSSL_PROVIDER_load(libctx, "mesh")) != NULL
          && make_request(libctx, uri, subject, names, out))
         || raise_queue(ctx, uri);
    if (mesh != NULL)
        OSSL_PROVIDER_unload(mesh);
    if (software != NULL)
        OSSL_PROVIDER_unload(software);
    OSSL_LIB_CTX_free(libctx);
    return ok;
}

/* A CA wants the common name to be one of the names; who gives none wants the
 * profile's.  NULL is raised. */
static X509_NAME *choose_subject(struct mesh_context *ctx, const char *text,
                                 const char *const *names,
                                 const struct mesh_profile *profile)
{
    const char *name = csr_first_dns(names);

    if (text != NULL)
        return csr_subject(ctx, text);
    if (name == NULL)
        name = profile->description;
    if (name != NULL && name[0] != '\0')
        return csr_common_name(ctx, name);
    mesh_raise(ctx, MESH_R_USAGE,
               "%s profile %s has no description that could be the subject; "
               "write --subject, as in --subject /CN=www.example.net",
               mesh_kind_word(profile->kind), profile->identifier);
    return NULL;
}

static int check_signs(struct mesh_context *ctx,
                       const struct mesh_profile_key *key)
{
    int can;

    ERR_set_mark();
    can = EVP_PKEY_can_sign(key->public);
    ERR_pop_to_mark();
    return can
           || mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                         "key %s is %s, which cannot sign; a request is signed "
                         "by its key",
                         key->udf, mesh_algorithm_of(key->public));
}

/* The request for the key of target, written to path. */
static int write_request(struct mesh_context *ctx, const struct target *target,
                         const X509_NAME *subject, GENERAL_NAMES *names,
                         const char *path)
{
    char *uri =
        mesh_uri_print(ctx, target->profile->identifier, target->key->udf);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    int ok = 0;

    if (out == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "a certificate request");
    else if (uri != NULL
             && request_by_provider(ctx, uri, subject, names, out)) {
        len = BIO_get_mem_data(out, &text);
        ok = output_write(ctx, path, text, (size_t)len);
    }
    BIO_free(out);
    OPENSSL_free(uri);
    return ok;
}

int command_csr(struct mesh_context *ctx, int argc, char **argv)
{
    const char *path = OUTPUT_STANDARD, *text = NULL;
    const char *texts[NAMES_MAX + 1] = {NULL};
    const struct command_option options[] = {
        {"subject", &text, NULL, 0},
        {"name", texts, NULL, NAMES_MAX},
        {"out", &path, NULL, 0},
        {NULL, NULL, NULL, 0},
    };
    struct target target = {NULL, NULL};
    GENERAL_NAMES *names = NULL;
    X509_NAME *subject = NULL;
    int ok;

    if (!command_options(ctx, &argc, &argv, options, 1, 1)
        || !target_open_uri(ctx, argv[0], &target))
        return 0;
    if (target.key == NULL)
        target.key = mesh_profile_one_key(ctx, target.profile, "sign");
    ok = target.key != NULL && check_signs(ctx, target.key)
         && (names = csr_names(ctx, texts)) != NULL
         && (subject = choose_subject(ctx, text, texts, target.profile)) != NULL
         && write_request(ctx, &target, subject, names, path);
    X509_NAME_free(subject);
    GENERAL_NAMES_free(names);
    target_clear(&target);
    return ok;
}
