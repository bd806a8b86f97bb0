/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates that a test makes, with keys of the fake key store.
 */
#ifndef MESH_TESTS_STORE_CERTIFICATE_H
#define MESH_TESTS_STORE_CERTIFICATE_H

#include "tests/store/made.h"

#include <openssl/x509v3.h>

static inline void set_name(X509_NAME *name, const char *cn)
{
    assert_true(X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0));
}

/* A CA's certificate of key, signed by issuer_key. */
static inline X509 *certificate(struct mesh_context *ctx, EVP_PKEY *key,
                                const char *subject, EVP_PKEY *issuer_key,
                                const char *issuer, long serial)
{
    X509 *made = X509_new_ex(ctx->libctx, NULL);
    EVP_MD *md = EVP_MD_fetch(ctx->libctx, "SHA256", NULL);
    X509V3_CTX v3;
    X509_EXTENSION *ca;

    X509V3_set_ctx_nodb(&v3);
    ca = X509V3_EXT_conf_nid(NULL, &v3, NID_basic_constraints,
                             "critical,CA:TRUE");
    set_name(X509_get_subject_name(made), subject);
    set_name(X509_get_issuer_name(made), issuer);
    assert_true(X509_set_version(made, X509_VERSION_3)
                && ASN1_INTEGER_set(X509_get_serialNumber(made), serial)
                && X509_gmtime_adj(X509_getm_notBefore(made), -60) != NULL
                && X509_gmtime_adj(X509_getm_notAfter(made), 3600) != NULL
                && X509_set_pubkey(made, key) && X509_add_ext(made, ca, -1));
    assert_true(X509_sign(made, issuer_key, md) > 0);
    X509_EXTENSION_free(ca);
    EVP_MD_free(md);
    return made;
}

/* The JSON of a key with certificates, which are taken over; NULL ends them. */
static inline json_t *key_with(struct mesh_context *ctx, EVP_PKEY *key,
                               X509 *own, X509 *chain)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    json_t *json;

    assert_true(sk_X509_push(certificates, own) > 0
                && (chain == NULL || sk_X509_push(certificates, chain) > 0));
    json = mesh_profile_key_json(ctx, key, certificates);
    assert_non_null(json);
    sk_X509_pop_free(certificates, X509_free);
    return json;
}

#endif
