/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Decoders (provider-decoder(7)) of key-reference files: from PEM to DER, and
 * for each type of key from DER to the key, by the same resolution as a URI's.
 *
 * Data that is not ours: 1, no callback, no error.  Ours and bad: 0, with the
 * error.  libcrypto keeps only errors of the first of the two for a file that
 * OSSL_STORE reads (openssl -in, -key): so that one resolves, and leaves what
 * it found for the other.
 */
#include "store/decoder.h"

#include "keymgmt/hand_over.h"
#include "keymgmt/types.h"
#include "platform/reference.h"
#include "platform/udf.h"
#include "store/resolve.h"
#include "store/uri.h"

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>

#define BEGIN    "-----BEGIN "
#define PEM_LINE 256  /* of PEM; what is longer comes in parts */
#define DER_MAX  4096 /* more than the longest URI needs */

#define PRIVATE OSSL_KEYMGMT_SELECT_PRIVATE_KEY

struct decoder {
    struct mesh_context *ctx;
    const char *type; /* of key; NULL: from PEM to DER */
};

/* The key that the first decoder found, while it calls the second. */
static _Thread_local struct found {
    struct mesh_context *ctx;
    const unsigned char *der;
    size_t len;
    struct mesh_key *key;
} found;

static struct decoder *decoder_new(struct mesh_context *ctx, const char *type)
{
    struct decoder *d = OPENSSL_zalloc(sizeof(*d));

    if (d != NULL) {
        d->ctx = ctx;
        d->type = type;
    }
    return d;
}

static OSSL_FUNC_decoder_freectx_fn decoder_free;
static void decoder_free(void *decoderctx)
{
    OPENSSL_free(decoderctx);
}

/* Keys, not domain parameters. */
static OSSL_FUNC_decoder_does_selection_fn decoder_does_selection;
static int decoder_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
}

static OSSL_FUNC_decoder_export_object_fn decoder_export;
static int decoder_export(void *decoderctx, const void *reference, size_t size,
                          OSSL_CALLBACK *cb, void *cbarg)
{
    (void)decoderctx;
    return mesh_key_export_given(reference, size, cb, cbarg);
}

/* A reference stands for a private key, unless the public half alone is asked
 * for. */
static int wants_private(int selection)
{
    return selection == 0 || (selection & PRIVATE) != 0;
}

/* Words mean something else on another device, and a file may be anybody's. */
static int is_of_fingerprints(struct mesh_context *ctx, const char *uri)
{
    struct mesh_uri parts;

    if (!mesh_uri_parse(ctx, uri, &parts))
        return 0;
    if (mesh_udf_looks_like(parts.profile)
        && (parts.role[0] == '\0' || mesh_udf_looks_like(parts.role)))
        return 1;
    return mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                      "its URI is not one of fingerprints: %.100s", uri);
}

static struct mesh_key *resolve(struct mesh_context *ctx,
                                const unsigned char *der, size_t len,
                                int selection)
{
    struct mesh_objects objects = {NULL, 0};
    struct mesh_key *key = NULL;
    char *uri;

    if (len >= DER_MAX) {
        mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                   "it is too long for any URI of at most %d octets",
                   MESH_URI_MAX);
        return NULL;
    }
    if (!mesh_reference_decode(ctx, der, len, &uri))
        return NULL;
    if (is_of_fingerprints(ctx, uri)
        && mesh_resolve(ctx, uri,
                        wants_private(selection) ? MESH_OBJECT_PRIVATE
                                                 : MESH_OBJECT_PUBLIC,
                        NULL, &objects)) {
        if (objects.count == 1 && objects.items[0].key != NULL)
            key = mesh_key_up_ref(objects.items[0].key);
        else
            mesh_raise(ctx, MESH_R_NO_ROLE,
                       "a key reference with a URI that names no key");
    }
    mesh_objects_free(&objects);
    OPENSSL_free(uri);
    return key;
}

static int begins_with(const char *line, const char *start)
{
    return strncmp(line, start, strlen(start)) == 0;
}

/* Whether the next PEM block has our label, damaged or not: in is then before
 * it.  For a private key certificates are passed over; libcrypto does that by
 * itself, but not if the program has left an old error in the queue. */
static int find_block(BIO *in, int selection)
{
    const int pass_certificates = (selection & PRIVATE) != 0;
    char line[PEM_LINE];
    int start = BIO_tell(in);

    for (; BIO_gets(in, line, sizeof(line)) > 0; start = BIO_tell(in)) {
        if (begins_with(line, BEGIN MESH_REFERENCE_LABEL "-----"))
            return start >= 0 && BIO_seek(in, start) >= 0
                   && BIO_tell(in) == start;
        if (begins_with(line, BEGIN)
            && !(pass_certificates
                 && begins_with(line, BEGIN PEM_STRING_X509 "-----")))
            break;
    }
    return 0;
}

/* The DER in a PEM block of our label; NULL with the error raised. */
static unsigned char *read_block(struct mesh_context *ctx, BIO *in, long *len)
{
    char *label = NULL, *header = NULL;
    unsigned char *der = NULL;
    int ok;

    ERR_set_mark();
    ok = PEM_read_bio(in, &label, &header, &der, len) > 0;
    ERR_pop_to_mark();
    if (!ok || strcmp(label, MESH_REFERENCE_LABEL) != 0)
        ok = mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                        "its PEM is truncated or damaged");
    else if (header[0] != '\0')
        ok = mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                        "its PEM has headers: it cannot be encrypted");
    OPENSSL_free(label);
    OPENSSL_free(header);
    if (ok)
        return der;
    OPENSSL_free(der);
    return NULL;
}

static OSSL_FUNC_decoder_newctx_fn pem_new;
static void *pem_new(void *provctx)
{
    return decoder_new(provctx, NULL);
}

/* The type of key is passed on, so that one decoder for DER is called and not
 * all of them. */
static int pass_on(struct mesh_key *key, unsigned char *der, size_t len,
                   OSSL_CALLBACK *cb, void *cbarg)
{
    const struct found outer = found;
    int type = OSSL_OBJECT_PKEY, ok;
    OSSL_PARAM params[4];

    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                                 (char *)mesh_key_type(key), 0);
    params[2] =
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der, len);
    params[3] = OSSL_PARAM_construct_end();

    found = (struct found){mesh_key_context(key), der, len, key};
    ok = cb(params, cbarg);
    found = outer;
    return ok;
}

static OSSL_FUNC_decoder_decode_fn pem_decode;
static int pem_decode(void *decoderctx, OSSL_CORE_BIO *core, int selection,
                      OSSL_CALLBACK *cb, void *cbarg,
                      OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    struct mesh_context *ctx = ((struct decoder *)decoderctx)->ctx;
    BIO *in = BIO_new_from_core_bio(ctx->libctx, core);
    struct mesh_key *key = NULL;
    unsigned char *der = NULL;
    long len;
    int ok = 1;

    (void)pw_cb;
    (void)pw_cbarg;
    if (in != NULL && find_block(in, selection)) {
        ok = (der = read_block(ctx, in, &len)) != NULL
             && (key = resolve(ctx, der, (size_t)len, selection)) != NULL
             && pass_on(key, der, (size_t)len, cb, cbarg);
    }
    mesh_key_free(key);
    OPENSSL_free(der);
    BIO_free(in);
    return ok;
}

/* Reads as far as a reference can go.  0: it is none. */
static size_t read_der(BIO *in, unsigned char *der)
{
    size_t len = 0, n;

    while (len < DER_MAX
           && BIO_read_ex(in, der + len, len == 0 ? 64 : DER_MAX - len, &n)
           && mesh_reference_is(der, len + n))
        len += n;
    return len;
}

/* The key of what has just been read from PEM, or NULL. */
static struct mesh_key *find(struct mesh_context *ctx, const unsigned char *der,
                             size_t len, int selection)
{
    struct mesh_key *key = found.key;

    if (key == NULL || found.ctx != ctx || found.len != len
        || memcmp(found.der, der, len) != 0)
        return NULL;
    if (wants_private(selection) == (mesh_key_kind(key) == MESH_KEY_HELD))
        return mesh_key_up_ref(key);
    return wants_private(selection)
               ? NULL
               : mesh_key_new(ctx, mesh_key_public(key), mesh_key_uri(key),
                              MESH_KEY_PUBLIC);
}

static OSSL_FUNC_decoder_decode_fn der_decode;
static int der_decode(void *decoderctx, OSSL_CORE_BIO *core, int selection,
                      OSSL_CALLBACK *cb, void *cbarg,
                      OSSL_PASSPHRASE_CALLBACK *pw_cb, void *pw_cbarg)
{
    const struct decoder *d = decoderctx;
    BIO *in = BIO_new_from_core_bio(d->ctx->libctx, core);
    unsigned char der[DER_MAX];
    struct mesh_key *key;
    size_t len = 0;
    int ok;

    (void)pw_cb;
    (void)pw_cbarg;
    if (in != NULL)
        len = read_der(in, der);
    BIO_free(in);
    if (len == 0)
        return 1;
    if ((key = find(d->ctx, der, len, selection)) == NULL
        && (key = resolve(d->ctx, der, len, selection)) == NULL)
        return 0;
    /* Without PEM every type of key is tried. */
    ok = strcmp(mesh_key_type(key), d->type) != 0
         || mesh_key_give(key, cb, cbarg);
    mesh_key_free(key);
    return ok;
}

static const OSSL_DISPATCH pem_functions[] = {
    {OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))pem_new},
    {OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free},
    {OSSL_FUNC_DECODER_DECODE, (void (*)(void))pem_decode},
    {0, NULL},
};

/* For each type of key the same but for its name. */
#define DECODER(id, name, aliases, family)                                     \
    static OSSL_FUNC_decoder_newctx_fn id##_new;                               \
    static void *id##_new(void *provctx)                                       \
    {                                                                          \
        return decoder_new(provctx, name);                                     \
    }                                                                          \
    static const OSSL_DISPATCH id##_functions[] = {                            \
        {OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))id##_new},                  \
        {OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free},             \
        {OSSL_FUNC_DECODER_DOES_SELECTION,                                     \
         (void (*)(void))decoder_does_selection},                              \
        {OSSL_FUNC_DECODER_DECODE, (void (*)(void))der_decode},                \
        {OSSL_FUNC_DECODER_EXPORT_OBJECT, (void (*)(void))decoder_export},     \
        {0, NULL},                                                             \
    };

MESH_TYPES_3_0(DECODER)
MESH_TYPES_3_5(DECODER)

/* No structure: with one, libcrypto would skip them where d2i_PrivateKey() asks
 * for "type-specific", and then ask default's for every structure. */
#define ROW(id, name, aliases, family)                                         \
    MESH_ALGORITHM(name aliases, ",input=der", id##_functions,                 \
                   "key references"),

static const OSSL_ALGORITHM algorithms[] = {
    MESH_TYPES_3_5(ROW) MESH_TYPES_3_0(ROW)
        MESH_ALGORITHM("DER", ",input=pem", pem_functions, "key references"),
    MESH_ALGORITHMS_END};

const OSSL_ALGORITHM *mesh_decoder_algorithms(void)
{
    return mesh_libcrypto_is(3, 5) ? algorithms
                                   : algorithms + MESH_TYPES_3_5(MESH_COUNT);
}
