/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key-reference files: reading and writing.
 */
#include "platform/reference.h"

#include "platform/udf.h"

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define FORMAT  "mesh key reference v"
#define VERSION "1"

typedef struct {
    ASN1_UTF8STRING *version;
    ASN1_UTF8STRING *uri;
} REFERENCE;

ASN1_SEQUENCE(REFERENCE) =
    {
        ASN1_SIMPLE(REFERENCE, version, ASN1_UTF8STRING),
        ASN1_SIMPLE(REFERENCE, uri, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(REFERENCE)

        static void reference_free(REFERENCE * reference)
{
    ASN1_item_free((ASN1_VALUE *)reference, ASN1_ITEM_rptr(REFERENCE));
}

static int reference_i2d(const REFERENCE *reference, unsigned char **der)
{
    return ASN1_item_i2d((const ASN1_VALUE *)reference, der,
                         ASN1_ITEM_rptr(REFERENCE));
}

char *mesh_reference_uri(struct mesh_context *ctx, const char *canonical,
                         EVP_PKEY *public)
{
    static const char scheme[] = "mesh://"; /* of every canonical URI */
    const size_t scheme_len = sizeof(scheme) - 1;
    char udf[MESH_UDF_TEXT_MAX], *uri = NULL;
    const char *profile;
    struct mesh_udf name;
    size_t len, room;

    if (canonical == NULL || strncmp(canonical, scheme, scheme_len) != 0) {
        mesh_raise(ctx, MESH_R_NOT_EXPORTABLE,
                   "a key without a mesh: URI has no reference");
        return NULL;
    }
    if (!mesh_udf_of_key(ctx, public, &name))
        return NULL;
    mesh_udf_print(&name, udf);
    profile = canonical + scheme_len;
    len = strcspn(profile, "/");
    room = scheme_len + len + 1 + sizeof(udf);
    if ((uri = OPENSSL_malloc(room)) == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "a key reference");
    else if (strlen(udf) == len && strncmp(profile, udf, len) == 0)
        BIO_snprintf(uri, room, "%s%s", scheme, udf);
    else
        BIO_snprintf(uri, room, "%s%.*s/%s", scheme, (int)len, profile, udf);
    return uri;
}

int mesh_reference_encode(struct mesh_context *ctx, const char *uri,
                          unsigned char **der, int *len)
{
    REFERENCE *reference =
        (REFERENCE *)ASN1_item_new(ASN1_ITEM_rptr(REFERENCE));

    *der = NULL;
    *len = -1;
    if (reference != NULL
        && ASN1_STRING_set(reference->version, FORMAT VERSION, -1)
        && ASN1_STRING_set(reference->uri, uri, -1))
        *len = reference_i2d(reference, der);
    reference_free(reference);
    return *len > 0 ? 1 : mesh_raise(ctx, MESH_R_MEMORY, "a key reference");
}

int mesh_reference_write(struct mesh_context *ctx, const char *uri, BIO *out)
{
    unsigned char *der;
    int len, ok;

    if (!mesh_reference_encode(ctx, uri, &der, &len))
        return 0;
    ok = PEM_write_bio(out, MESH_REFERENCE_LABEL, "", der, len) > 0;
    OPENSSL_free(der);
    return ok ? 1
              : mesh_raise(ctx, MESH_R_FILE_IO, "cannot write a key reference");
}

int mesh_reference_is(const unsigned char *der, size_t len)
{
    const size_t format = strlen(FORMAT);

    /* The headers before it: of a sequence 2 to 5 octets, of a string 2. */
    for (size_t at = 4; at <= 8 && at + format <= len; at++)
        if (memcmp(der + at, FORMAT, format) == 0)
            return 1;
    return 0;
}

static int check(struct mesh_context *ctx, const REFERENCE *reference)
{
    const char *version =
        (const char *)ASN1_STRING_get0_data(reference->version);
    int len = ASN1_STRING_length(reference->version);
    const int format = (int)strlen(FORMAT);

    if (len < format || memcmp(version, FORMAT, (size_t)format) != 0)
        return mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                          "it does not begin with \"%s\"", FORMAT VERSION);
    version += format;
    len -= format;
    if (len != 1 || version[0] != VERSION[0])
        return mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                          "it has another version; this provider reads v%s",
                          VERSION);
    if (memchr(ASN1_STRING_get0_data(reference->uri), '\0',
               (size_t)ASN1_STRING_length(reference->uri))
        != NULL)
        return mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                          "its URI has a null octet");
    return 1;
}

/* BER can say one thing in many ways, DER in one. */
static int is_der(const REFERENCE *reference, const unsigned char *der,
                  size_t len)
{
    unsigned char *again = NULL;
    int again_len = reference_i2d(reference, &again), same;

    same = again_len > 0 && (size_t)again_len == len
           && memcmp(again, der, len) == 0;
    OPENSSL_free(again);
    return same;
}

int mesh_reference_decode(struct mesh_context *ctx, const unsigned char *der,
                          size_t len, char **uri)
{
    const unsigned char *end = der;
    REFERENCE *reference = NULL;
    int ok = 0;

    *uri = NULL;
    ERR_set_mark();
    if (len <= LONG_MAX)
        reference = (REFERENCE *)ASN1_item_d2i(NULL, &end, (long)len,
                                               ASN1_ITEM_rptr(REFERENCE));
    ERR_pop_to_mark();
    if (reference == NULL)
        return mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                          "it is truncated or damaged");
    if (!check(ctx, reference))
        ok = 0;
    else if (end != der + len)
        mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED,
                   "%zu octets follow where it should end",
                   (size_t)(der + len - end));
    else if (!is_der(reference, der, len))
        mesh_raise(ctx, MESH_R_REFERENCE_MALFORMED, "it is not in DER");
    else if ((*uri = OPENSSL_strndup(
                  (const char *)ASN1_STRING_get0_data(reference->uri),
                  (size_t)ASN1_STRING_length(reference->uri)))
             == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "a key reference");
    else
        ok = 1;
    reference_free(reference);
    return ok;
}

char *mesh_reference_of_file(struct mesh_context *ctx,
                             const unsigned char *data, size_t len)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    BIO *in = len <= INT_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;
    unsigned char *der = NULL;
    char *uri = NULL;
    long der_len = 0;

    ERR_set_mark();
    if (in != NULL
        && PEM_bytes_read_bio(&der, &der_len, NULL, MESH_REFERENCE_LABEL, in,
                              NULL, NULL))
        (void)mesh_reference_decode(&quiet, der, (size_t)der_len, &uri);
    else
        (void)mesh_reference_decode(&quiet, data, len, &uri);
    ERR_pop_to_mark();
    OPENSSL_free(der);
    BIO_free(in);
    return uri;
}
