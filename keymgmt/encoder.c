/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Encoders (provider-encoder(7)): text, and in place of a private key in PEM
 * or DER a key reference.  libcrypto asks them for software
 * keys too, if our provider is listed first: those the native EVP_PKEY writes.
 *
 * All else default's encoders do with what key management exports: public keys
 * in every form (but of EC), and for a private key of the key store "stays in
 * its key store".  Who asks for DER PrivateKeyInfo (PKCS#12, pkcs8 -topk8) or
 * PKCS#1 wants the numbers: that is refused here, with a text, for key
 * management is asked before every signature, too, and has none.
 */
#include "keymgmt/key.h"
#include "keymgmt/operations.h"
#include "keymgmt/types.h"
#include "platform/reference.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/params.h>
#include <string.h>

#define PRIVATE OSSL_KEYMGMT_SELECT_PRIVATE_KEY

struct encoder {
    struct mesh_context *ctx;
    const char *output;    /* TEXT, PEM, DER */
    const char *structure; /* NULL: of text */
    char cipher[64];       /* empty: not encrypted */
    int save_parameters;
};

static OSSL_FUNC_encoder_freectx_fn encoder_free;
static OSSL_FUNC_encoder_settable_ctx_params_fn encoder_settable_params;
static OSSL_FUNC_encoder_set_ctx_params_fn encoder_set_params;
static OSSL_FUNC_encoder_does_selection_fn text_does_selection;
static OSSL_FUNC_encoder_encode_fn text_encode;
static OSSL_FUNC_encoder_does_selection_fn reference_does_selection;
static OSSL_FUNC_encoder_encode_fn reference_encode;
static OSSL_FUNC_encoder_encode_fn numbers_encode;
static OSSL_FUNC_encoder_does_selection_fn public_does_selection;
static OSSL_FUNC_encoder_encode_fn public_encode;

static void *encoder_new(void *provctx, const char *output,
                         const char *structure)
{
    struct encoder *e = OPENSSL_zalloc(sizeof(*e));

    if (e != NULL) {
        e->ctx = provctx;
        e->output = output;
        e->structure = structure;
        e->save_parameters = 1;
    }
    return e;
}

static void encoder_free(void *encoderctx)
{
    OPENSSL_free(encoderctx);
}

static const OSSL_PARAM *encoder_settable_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_int(OSSL_ENCODER_PARAM_SAVE_PARAMETERS, NULL),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

/* Properties are for the application's library context; in ours is default
 * alone. */
static int encoder_set_params(void *encoderctx, const OSSL_PARAM params[])
{
    struct encoder *e = encoderctx;
    const OSSL_PARAM *cipher, *save;
    char *name = e->cipher;

    if (params == NULL)
        return 1;
    cipher = OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_CIPHER);
    save = OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_SAVE_PARAMETERS);
    return (cipher == NULL
            || OSSL_PARAM_get_utf8_string(cipher, &name, sizeof(e->cipher)))
           && (save == NULL || OSSL_PARAM_get_int(save, &e->save_parameters));
}

/* As default writes it.  0 without an error if default has no such encoder. */
static int write_native(struct encoder *e, EVP_PKEY *native, int selection,
                        BIO *out, OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_ENCODER_PARAM_SAVE_PARAMETERS, &e->save_parameters),
        OSSL_PARAM_END,
    };
    OSSL_ENCODER_CTX *encoder;
    int ok;

    if (native == NULL)
        return 0;
    encoder = OSSL_ENCODER_CTX_new_for_pkey(native, selection, e->output,
                                            e->structure, NULL);
    if (encoder == NULL)
        return 0;
    OSSL_ENCODER_CTX_set_params(encoder, params);
    ok = (e->cipher[0] == '\0'
          || OSSL_ENCODER_CTX_set_cipher(encoder, e->cipher, NULL))
         && (cb == NULL
             || OSSL_ENCODER_CTX_set_passphrase_cb(encoder, cb, cbarg))
         && OSSL_ENCODER_to_bio(encoder, out);
    OSSL_ENCODER_CTX_free(encoder);
    return ok;
}

static int text_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & OSSL_KEYMGMT_SELECT_ALL) != 0;
}

/* What is special about a key that a URI names. */
static int write_name(const struct mesh_key *key, int selection, BIO *out)
{
    char text[MESH_UDF_TEXT_MAX];
    struct mesh_udf udf;

    if ((selection & PRIVATE) != 0 && mesh_key_kind(key) == MESH_KEY_HELD
        && BIO_printf(out, "Private-Key: stays with %s\n", MESH_KEYSTORE_HOLDER)
               <= 0)
        return 0;
    if (!mesh_udf_of_key(mesh_key_context(key), mesh_key_public(key), &udf))
        return 0;
    mesh_udf_print(&udf, text);
    return BIO_printf(out, "URI: %s\nFingerprint: %s\n", mesh_key_uri(key),
                      text)
           > 0;
}

static int text_encode(void *encoderctx, OSSL_CORE_BIO *core,
                       const void *object, const OSSL_PARAM abstract[],
                       int selection, OSSL_PASSPHRASE_CALLBACK *cb, void *cbarg)
{
    struct encoder *e = encoderctx;
    const struct mesh_key *key = object;
    BIO *out;
    int ok;

    if (key == NULL || abstract != NULL
        || (out = BIO_new_from_core_bio(e->ctx->libctx, core)) == NULL)
        return 0;
    ok = mesh_key_uri(key) == NULL || write_name(key, selection, out);
    if (mesh_key_kind(key) == MESH_KEY_HELD && (selection & PRIVATE) != 0)
        selection = (selection & ~PRIVATE) | OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    ok = ok && write_native(e, mesh_key_public(key), selection, out, cb, cbarg);
    BIO_free(out);
    return ok;
}

static int reference_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & PRIVATE) != 0;
}

static int write_reference(struct encoder *e, const struct mesh_key *key,
                           BIO *out)
{
    char *uri;
    unsigned char *der = NULL;
    int len, ok;

    if (e->cipher[0] != '\0')
        return mesh_raise(e->ctx, MESH_R_NOT_EXPORTABLE,
                          "a reference to %s has no secret and cannot be "
                          "encrypted",
                          mesh_key_uri(key));
    if ((uri = mesh_reference_uri(e->ctx, mesh_key_uri(key),
                                  mesh_key_public(key)))
        == NULL)
        return 0;
    if (strcmp(e->output, "PEM") == 0)
        ok = mesh_reference_write(e->ctx, uri, out);
    else
        ok = mesh_reference_encode(e->ctx, uri, &der, &len)
             && BIO_write(out, der, len) == len;
    /* a full disk would only show when the application closes the file */
    if (ok && mesh_key_is_new(key) && BIO_flush(out) <= 0)
        ok = mesh_raise(e->ctx, MESH_R_FILE_IO, "cannot write a key reference");
    OPENSSL_free(der);
    OPENSSL_free(uri);
    return ok;
}

static int reference_encode(void *encoderctx, OSSL_CORE_BIO *core,
                            const void *object, const OSSL_PARAM abstract[],
                            int selection, OSSL_PASSPHRASE_CALLBACK *cb,
                            void *cbarg)
{
    struct encoder *e = encoderctx;
    const struct mesh_key *key = object;
    BIO *out;
    int ok;

    if (key == NULL || abstract != NULL
        || (out = BIO_new_from_core_bio(e->ctx->libctx, core)) == NULL)
        return 0;
    if (mesh_key_kind(key) != MESH_KEY_HELD)
        ok = write_native(e, mesh_key_public(key), selection, out, cb, cbarg);
    else if ((ok = write_reference(e, key, out)) != 0)
        mesh_key_settle(key);
    else
        mesh_key_unwritten(key);
    BIO_free(out);
    return ok;
}

#define numbers_does_selection reference_does_selection

static int numbers_encode(void *encoderctx, OSSL_CORE_BIO *core,
                          const void *object, const OSSL_PARAM abstract[],
                          int selection, OSSL_PASSPHRASE_CALLBACK *cb,
                          void *cbarg)
{
    struct encoder *e = encoderctx;

    if (object != NULL && mesh_key_kind(object) == MESH_KEY_HELD)
        return mesh_raise(e->ctx, MESH_R_NOT_EXPORTABLE,
                          "%s; `openssl pkey -out` writes a key-reference file "
                          "in place of it",
                          mesh_key_uri(object));
    return reference_encode(encoderctx, core, object, abstract, selection, cb,
                            cbarg);
}

static int public_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & PRIVATE) == 0
           && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
}

static int public_encode(void *encoderctx, OSSL_CORE_BIO *core,
                         const void *object, const OSSL_PARAM abstract[],
                         int selection, OSSL_PASSPHRASE_CALLBACK *cb,
                         void *cbarg)
{
    struct encoder *e = encoderctx;
    BIO *out;
    int ok;

    if (object == NULL || abstract != NULL
        || (out = BIO_new_from_core_bio(e->ctx->libctx, core)) == NULL)
        return 0;
    ok = write_native(e, mesh_key_public(object), selection, out, cb, cbarg);
    BIO_free(out);
    return ok;
}

#define ENCODER(id, output, structure, kind)                                   \
    static OSSL_FUNC_encoder_newctx_fn id##_new;                               \
    static void *id##_new(void *provctx)                                       \
    {                                                                          \
        return encoder_new(provctx, output, structure);                        \
    }                                                                          \
    static const OSSL_DISPATCH id##_functions[] = {                            \
        {OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))id##_new},                  \
        {OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free},             \
        {OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS,                                \
         (void (*)(void))encoder_settable_params},                             \
        {OSSL_FUNC_ENCODER_SET_CTX_PARAMS,                                     \
         (void (*)(void))encoder_set_params},                                  \
        {OSSL_FUNC_ENCODER_DOES_SELECTION,                                     \
         (void (*)(void))kind##_does_selection},                               \
        {OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))kind##_encode},             \
        {0, NULL},                                                             \
    }

ENCODER(text, "TEXT", NULL, text);
ENCODER(public_pem, "PEM", "SubjectPublicKeyInfo", public);
ENCODER(public_der, "DER", "SubjectPublicKeyInfo", public);
ENCODER(pem, "PEM", "PrivateKeyInfo", reference);
ENCODER(pem_specific, "PEM", "type-specific", reference);
ENCODER(der_specific, "DER", "type-specific", reference);
ENCODER(der, "DER", "PrivateKeyInfo", numbers);
ENCODER(pem_pkcs1, "PEM", "pkcs1", numbers);
ENCODER(der_pkcs1, "DER", "pkcs1", numbers);

#define ROWS(id, name, aliases, family)                                        \
    MESH_ALGORITHM(name aliases, ",output=text", text_functions, "text"),      \
        MESH_ALGORITHM(name aliases, ",output=pem,structure=PrivateKeyInfo",   \
                       pem_functions, "key references"),                       \
        MESH_ALGORITHM(name aliases, ",output=pem,structure=type-specific",    \
                       pem_specific_functions, "key references"),              \
        MESH_ALGORITHM(name aliases, ",output=der,structure=type-specific",    \
                       der_specific_functions, "key references"),              \
        MESH_ALGORITHM(name aliases, ",output=der,structure=PrivateKeyInfo",   \
                       der_functions, "refuses held keys"),
#define ROWS_OF_TYPE 5

/* The native EC key knows how its point is to be written (`openssl ec
 * -conv_form`); what key management exports does not. */
#define ROWS_OF_EC(id, name, aliases, family)                                  \
    MESH_ALGORITHM(name aliases, ",output=pem,structure=SubjectPublicKeyInfo", \
                   public_pem_functions, "public keys"),                       \
        MESH_ALGORITHM(name aliases,                                           \
                       ",output=der,structure=SubjectPublicKeyInfo",           \
                       public_der_functions, "public keys"),

#define ROWS_OF_RSA(id, name, aliases, family)                                 \
    MESH_ALGORITHM(name aliases, ",output=pem,structure=pkcs1",                \
                   pem_pkcs1_functions, "refuses held keys"),                  \
        MESH_ALGORITHM(name aliases, ",output=der,structure=pkcs1",            \
                       der_pkcs1_functions, "refuses held keys"),

static const OSSL_ALGORITHM algorithms[] = {
    MESH_TYPES_3_5(ROWS) MESH_TYPES_3_0(ROWS) MESH_TYPES_EC(ROWS_OF_EC)
        MESH_TYPES_RSA(ROWS_OF_RSA) MESH_TYPES_RSA_PSS(ROWS_OF_RSA)
            MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_encoder_algorithms(void)
{
    return mesh_libcrypto_is(3, 5)
               ? algorithms
               : algorithms + ROWS_OF_TYPE * (MESH_TYPES_3_5(MESH_COUNT));
}
