/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What OSSL_STORE_find() asks for, and which keys and certificates fit it.
 */
#include "store/criterion.h"

#include "platform/keystore.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

static int read_name(struct mesh_context *ctx, const OSSL_PARAM *p,
                     struct mesh_criterion *c)
{
    const unsigned char *der, *end;
    const void *data;
    size_t len;

    if (!OSSL_PARAM_get_octet_string_ptr(p, &data, &len))
        len = 0;
    der = len > 0 ? data : (const unsigned char *)"";
    end = der + len;
    ERR_set_mark();
    c->name = d2i_X509_NAME(NULL, &der, (long)len);
    ERR_pop_to_mark();
    return (c->name != NULL && der == end)
           || mesh_raise(ctx, MESH_R_USAGE,
                         "search: the subject or issuer is no DER of an X.509 "
                         "name");
}

static int read_serial(struct mesh_context *ctx, const OSSL_PARAM *p,
                       struct mesh_criterion *c)
{
    return OSSL_PARAM_get_BN(p, &c->serial)
           || mesh_raise(ctx, MESH_R_USAGE,
                         "search: the serial number is none");
}

static int read_digest(struct mesh_context *ctx, const OSSL_PARAM *p,
                       struct mesh_criterion *c)
{
    char name[MESH_DIGEST_NAME_MAX], *to = name;

    if (!OSSL_PARAM_get_utf8_string(p, &to, sizeof(name)))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "search: the digest has no name of at most %d octets",
                          MESH_DIGEST_NAME_MAX - 1);
    ERR_set_mark();
    c->digest = EVP_MD_fetch(ctx->libctx, name, NULL);
    ERR_pop_to_mark();
    return c->digest != NULL
           || mesh_raise(ctx, MESH_R_USAGE,
                         "search: the digest \"%s\" is unknown", name);
}

/* After read_digest(). */
static int read_fingerprint(struct mesh_context *ctx, const OSSL_PARAM *p,
                            struct mesh_criterion *c)
{
    void *to = c->fingerprint;

    if (!OSSL_PARAM_get_octet_string(p, &to, sizeof(c->fingerprint),
                                     &c->fingerprint_len)
        || c->fingerprint_len != (size_t)EVP_MD_get_size(c->digest))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "search: a %s fingerprint has %d octets, not %zu",
                          EVP_MD_get0_name(c->digest),
                          EVP_MD_get_size(c->digest), p->data_size);
    return 1;
}

static int read_alias(struct mesh_context *ctx, const OSSL_PARAM *p,
                      struct mesh_criterion *c)
{
    return (OSSL_PARAM_get_utf8_string(p, &c->alias, 0) && c->alias[0] != '\0')
           || mesh_raise(ctx, MESH_R_USAGE,
                         "search: the alias is empty or no text");
}

/* The parameters, those that others need first. */
static const struct row {
    const char *param;
    const char *with; /* what must stand beside it, or NULL */
    const char *says; /* which search that is */
    enum mesh_criterion_kind kind;
    int (*read)(struct mesh_context *ctx, const OSSL_PARAM *p,
                struct mesh_criterion *c);
} rows[] = {
    {OSSL_STORE_PARAM_SUBJECT, NULL, "subject", MESH_BY_SUBJECT, read_name},
    {OSSL_STORE_PARAM_ISSUER, OSSL_STORE_PARAM_SERIAL, "issuer and serial",
     MESH_BY_ISSUER_SERIAL, read_name},
    {OSSL_STORE_PARAM_SERIAL, OSSL_STORE_PARAM_ISSUER, "issuer and serial",
     MESH_BY_ISSUER_SERIAL, read_serial},
    {OSSL_STORE_PARAM_DIGEST, OSSL_STORE_PARAM_FINGERPRINT,
     "digest and fingerprint", MESH_BY_FINGERPRINT, read_digest},
    {OSSL_STORE_PARAM_FINGERPRINT, OSSL_STORE_PARAM_DIGEST,
     "digest and fingerprint", MESH_BY_FINGERPRINT, read_fingerprint},
    {OSSL_STORE_PARAM_ALIAS, NULL, "alias", MESH_BY_ALIAS, read_alias},
};

static int read_row(struct mesh_context *ctx, const struct row *row,
                    const OSSL_PARAM params[], struct mesh_criterion *c)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, row->param);

    if (p == NULL)
        return 1;
    if (c->kind != 0 && c->kind != row->kind)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "search by %s and something else at once", row->says);
    if (row->with != NULL && OSSL_PARAM_locate_const(params, row->with) == NULL)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "search by %s: one of the two is missing", row->says);
    c->kind = row->kind;
    return row->read(ctx, p, c);
}

int mesh_criterion_read(struct mesh_context *ctx, const OSSL_PARAM params[],
                        struct mesh_criterion **criterion)
{
    struct mesh_criterion *c = OPENSSL_zalloc(sizeof(*c));
    size_t i;
    int ok = c != NULL || mesh_raise(ctx, MESH_R_MEMORY, "reading a search");

    for (i = 0; ok && i < sizeof(rows) / sizeof(rows[0]); i++)
        ok = read_row(ctx, &rows[i], params, c);
    if (!ok || c->kind == 0) {
        mesh_criterion_free(c);
        c = NULL;
    }
    *criterion = c;
    return ok;
}

void mesh_criterion_free(struct mesh_criterion *c)
{
    if (c == NULL)
        return;
    X509_NAME_free(c->name);
    BN_free(c->serial);
    EVP_MD_free(c->digest);
    OPENSSL_free(c->alias);
    OPENSSL_free(c);
}

int mesh_criterion_fits_certificate(const struct mesh_criterion *c,
                                    X509 *certificate)
{
    BIGNUM *serial;
    int fits;

    if (c->kind == MESH_BY_SUBJECT)
        return X509_NAME_cmp(c->name, X509_get_subject_name(certificate)) == 0;
    if (X509_NAME_cmp(c->name, X509_get_issuer_name(certificate)) != 0)
        return 0;
    serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    fits = serial != NULL && BN_cmp(serial, c->serial) == 0;
    BN_free(serial);
    return fits;
}

int mesh_criterion_fits_key(struct mesh_context *ctx,
                            const struct mesh_criterion *c, EVP_PKEY *key,
                            int *fits)
{
    unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    unsigned digest_len = 0;
    struct mesh_udf udf;

    *fits =
        len > 0
        && EVP_Digest(der, (size_t)len, digest, &digest_len, c->digest, NULL)
        && digest_len == c->fingerprint_len
        && memcmp(digest, c->fingerprint, digest_len) == 0;
    OPENSSL_free(der);
    if (*fits
        || !mesh_udf_of_digest(c->digest, c->fingerprint, c->fingerprint_len,
                               &udf))
        return 1;
    return mesh_udf_names_key(ctx, &udf, key, fits);
}
