/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What mesh-bench does with a key: a row for each operation.
 */
#include "tests/bench/operation.h"

#include "tests/load_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MESSAGE_SIZE 32

/* The public half as OpenSSL alone sees it. */
static EVP_PKEY *plain_public(EVP_PKEY *key, OSSL_LIB_CTX *plain)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_PUBKEY(key, &der);
    EVP_PKEY *public;

    if (len <= 0)
        return NULL;
    p = der;
    public = d2i_PUBKEY_ex(NULL, &p, len, plain, NULL);
    OPENSSL_free(der);
    return public;
}

/* NULL for EdDSA and what else takes the message itself. */
static const char *digest_of(EVP_PKEY *public)
{
    char name[32] = "";

    return EVP_PKEY_get_default_digest_name(public, name, sizeof(name)) == 2
                   && strcmp(name, "UNDEF") == 0
               ? NULL
               : "SHA256";
}

int bench_key_open(struct bench_key *key, OSSL_LIB_CTX *plain)
{
    key->plain = plain;
    key->private = load_private_key(key->source);
    if (key->private != NULL)
        key->public = plain_public(key->private, plain);
    if (key->public != NULL)
        key->digest = digest_of(key->public);
    return key->public != NULL;
}

void bench_key_close(struct bench_key *key)
{
    EVP_PKEY_free(key->private);
    EVP_PKEY_free(key->public);
    EVP_PKEY_free(key->peer);
}

void bench_key_name(const struct bench_key *key, char *text, size_t size)
{
    const char *type = EVP_PKEY_get0_type_name(key->public);

    if (EVP_PKEY_is_a(key->public, "EC")
        && EVP_PKEY_get_group_name(key->public, text, size, NULL))
        return;
    if (strncmp(type, "RSA", 3) == 0)
        snprintf(text, size, "%s-%d", type, EVP_PKEY_get_bits(key->public));
    else
        snprintf(text, size, "%s", type);
}

static int is_expected(const struct bench_key *key, const struct result *result)
{
    return result->len == key->expected_len
           && memcmp(result->octets, key->expected, result->len) == 0;
}

static int can_verify(const struct bench_key *key)
{
    int ok;

    ERR_set_mark();
    ok = EVP_PKEY_can_sign(key->public);
    ERR_pop_to_mark();
    return ok;
}

static void make_message(uint64_t number, unsigned char message[MESSAGE_SIZE])
{
    memset(message, 0, MESSAGE_SIZE);
    memcpy(message, &number, sizeof(number));
}

/* A fresh context for each signature, as libssl has it. */
static int sign_with(EVP_PKEY *private, const char *digest,
                     struct result *result)
{
    unsigned char message[MESSAGE_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    make_message(result->number, message);
    result->len = sizeof(result->octets);
    ok = ctx != NULL
         && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, private, NULL)
                > 0
         && EVP_DigestSign(ctx, result->octets, &result->len, message,
                           sizeof(message))
                > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static int sign(const struct bench_key *key, struct result *result)
{
    return sign_with(key->private, key->digest, result);
}

static int verify(const struct bench_key *key, const struct result *result)
{
    unsigned char message[MESSAGE_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    make_message(result->number, message);
    ok = ctx != NULL
         && EVP_DigestVerifyInit_ex(ctx, NULL, key->digest, key->plain, NULL,
                                    key->public, NULL)
                > 0
         && EVP_DigestVerify(ctx, result->octets, result->len, message,
                             sizeof(message))
                > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static int is_rsa(const struct bench_key *key)
{
    return EVP_PKEY_is_a(key->public, "RSA");
}

/* By name: not every provider has OAEP's defaults. */
static int set_oaep(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0
           && EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA1", NULL) > 0
           && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, "SHA1", NULL) > 0;
}

static int encrypt(struct bench_key *key)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(key->plain, key->public, NULL);
    int ok;

    key->expected_len = MESSAGE_SIZE;
    memset(key->expected, 0x5a, key->expected_len);
    key->input_len = sizeof(key->input);
    ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0 && set_oaep(ctx)
         && EVP_PKEY_encrypt(ctx, key->input, &key->input_len, key->expected,
                             key->expected_len)
                > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int decrypt(const struct bench_key *key, struct result *result)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->private, NULL);
    int ok;

    result->len = sizeof(result->octets);
    ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0 && set_oaep(ctx)
         && EVP_PKEY_decrypt(ctx, result->octets, &result->len, key->input,
                             key->input_len)
                > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int can_agree(const struct bench_key *key)
{
    static const char *const types[] = {"EC", "X25519", "X448", NULL};
    size_t i;

    for (i = 0; types[i] != NULL; i++)
        if (EVP_PKEY_is_a(key->public, types[i]))
            return 1;
    return 0;
}

static int agree(OSSL_LIB_CTX *libctx, EVP_PKEY *private, EVP_PKEY *peer,
                 unsigned char *secret, size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, private, NULL);
    int ok = ctx != NULL && EVP_PKEY_derive_init(ctx) > 0
             && EVP_PKEY_derive_set_peer(ctx, peer) > 0
             && EVP_PKEY_derive(ctx, secret, len) > 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* A peer, and what it gets. */
static int make_peer(struct bench_key *key)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(key->plain, key->public, NULL);
    EVP_PKEY *peer = NULL;
    int ok;

    key->expected_len = sizeof(key->expected);
    ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0
         && EVP_PKEY_generate(ctx, &peer) > 0
         && agree(key->plain, peer, key->public, key->expected,
                  &key->expected_len);
    EVP_PKEY_free(key->peer);
    key->peer = ok ? plain_public(peer, NULL) : NULL;
    EVP_PKEY_free(peer);
    EVP_PKEY_CTX_free(ctx);
    return key->peer != NULL;
}

static int derive(const struct bench_key *key, struct result *result)
{
    result->len = sizeof(result->octets);
    return agree(NULL, key->private, key->peer, result->octets, &result->len);
}

static int can_decapsulate(const struct bench_key *key)
{
    return strncasecmp(EVP_PKEY_get0_type_name(key->public), "ML-KEM", 6) == 0;
}

static int encapsulate(struct bench_key *key)
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(key->plain, key->public, NULL);
    int ok;

    key->input_len = sizeof(key->input);
    key->expected_len = sizeof(key->expected);
    ok = ctx != NULL && EVP_PKEY_encapsulate_init(ctx, NULL) > 0
         && EVP_PKEY_encapsulate(ctx, key->input, &key->input_len,
                                 key->expected, &key->expected_len)
                > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int decapsulate(const struct bench_key *key, struct result *result)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->private, NULL);
    int ok;

    result->len = sizeof(result->octets);
    ok = ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) > 0
         && EVP_PKEY_decapsulate(ctx, result->octets, &result->len, key->input,
                                 key->input_len)
                > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int always(const struct bench_key *key)
{
    (void)key;
    return 1;
}

/* By OSSL_STORE, the file too. */
static int load(const struct bench_key *key, struct result *result)
{
    EVP_PKEY_free(result->loaded);
    result->loaded = load_private_key(key->source);
    return result->loaded != NULL;
}

/* What is a file as programs that know files only read it; else as above. */
static int load_pem(const struct bench_key *key, struct result *result)
{
    BIO *file = strchr(key->source, ':') != NULL
                    ? NULL
                    : BIO_new_file(key->source, "r");

    if (file == NULL)
        return load(key, result);
    EVP_PKEY_free(result->loaded);
    result->loaded = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    return result->loaded != NULL;
}

static int is_same(const struct bench_key *key, const struct result *result)
{
    return EVP_PKEY_eq(result->loaded, key->private) == 1;
}

static int use_once(struct bench_key *key);

/* Loading, and what a program loads a key for. */
static int load_and_sign(const struct bench_key *key, struct result *result)
{
    return load(key, result) && sign_with(result->loaded, key->digest, result);
}

static const struct operation operations[] = {
    {"sign", can_verify, NULL, sign, verify},
    {"decrypt", is_rsa, encrypt, decrypt, is_expected},
    {"derive", can_agree, make_peer, derive, is_expected},
    {"decapsulate", can_decapsulate, encapsulate, decapsulate, is_expected},
    {"load", always, use_once, load, is_same},
    {"load-pem", always, use_once, load_pem, is_same},
    {"load-sign", can_verify, NULL, load_and_sign, verify},
};

/* So that a key holder has it in memory, as it has of a key in use. */
static int use_once(struct bench_key *key)
{
    static struct result result;
    const struct operation *first = operations;

    while (!first->applies(key))
        first++;
    return first->prepare == use_once
           || ((first->prepare == NULL || first->prepare(key))
               && first->run(key, &result));
}

const struct operation *operation_row(size_t i)
{
    return i < sizeof(operations) / sizeof(operations[0]) ? &operations[i]
                                                          : NULL;
}
