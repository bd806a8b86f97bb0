/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key exchange: the secret that a held key makes is the one that plain
 * libcrypto makes with the whole key.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <string.h>

#define SECRET_MAX 256

struct secret {
    unsigned char octets[SECRET_MAX];
    size_t len;
};

/* 1 and the secret, or 0. */
static int derive(OSSL_LIB_CTX *libctx, EVP_PKEY *key, EVP_PKEY *peer,
                  const OSSL_PARAM params[], struct secret *secret)
{
    EVP_PKEY *half = public_half(peer, libctx);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL), *copy;
    unsigned before = double_operations;
    size_t size = 0;
    int ok;

    memset(secret, 0, sizeof(*secret));
    ok = EVP_PKEY_derive_init_ex(c, params) == 1
         && EVP_PKEY_derive_set_peer(c, half) == 1
         && EVP_PKEY_derive(c, NULL, &size) == 1;
    if (ok) {
        assert_int_equal(double_operations, before); /* asking is free */
        /* a copy in the middle does the same, on 3.0, too */
        copy = EVP_PKEY_CTX_dup(c);
        assert_non_null(copy);
        EVP_PKEY_CTX_free(c);
        c = copy;
        secret->len = size;
        assert_true(size <= SECRET_MAX);
        ok = EVP_PKEY_derive(c, secret->octets, &secret->len) == 1;
        assert_true(!ok || secret->len <= size);
    }
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(half);
    return ok;
}

static const char *const exchange_names[] = {
    "ec",        "p384",      "p521",   "secp256k1",
    "brainpool", "sect283k1", "x25519", "x448",
};
#define EXCHANGES (sizeof(exchange_names) / sizeof(exchange_names[0]))

/* Ours with the peer's public half, theirs with ours; and with the same key
 * from a file. */
static void compare(const char *name, const OSSL_PARAM params[])
{
    EVP_PKEY *held = held_key(name), *file = file_key(name);
    EVP_PKEY *other = double_new_key(name);
    struct secret by_held, by_file, by_other;

    double_operations = 0;
    assert_int_equal(derive(app, held, other, params, &by_held), 1);
    assert_int_equal(double_operations, 1);
    assert_int_equal(double_last.operation, MESH_OP_DERIVE);
    assert_int_equal(derive(NULL, other, double_key(name), params, &by_other),
                     1);
    assert_int_equal(derive(app, file, other, params, &by_file), 1);
    assert_int_equal(double_operations, 1); /* a file's key stays where it is */
    assert_true(by_held.len > 0);
    assert_int_equal(by_held.len, by_other.len);
    assert_memory_equal(by_held.octets, by_other.octets, by_held.len);
    assert_int_equal(by_file.len, by_other.len);
    assert_memory_equal(by_file.octets, by_other.octets, by_held.len);
    EVP_PKEY_free(held);
    EVP_PKEY_free(file);
    EVP_PKEY_free(other);
}

static void test_secrets(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < EXCHANGES; i++)
        if (have(exchange_names[i]))
            compare(exchange_names[i], NULL);
}

static void test_x963_kdf(void **state)
{
    char kdf[] = "X963KDF", ukm[] = "user keying material";
    static char digests[][16] = {"SHA1", "SHA256", "SHA3-384"};
    size_t lengths[] = {1, 16, 48, 200}, i, j;

    (void)state;
    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
        for (j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
            OSSL_PARAM params[] = {
                OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, kdf,
                                       strlen(kdf)),
                OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST,
                                       digests[i], strlen(digests[i])),
                OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &lengths[j]),
                OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, ukm,
                                        sizeof(ukm)),
                OSSL_PARAM_END,
            };

            compare("ec", params);
            params[3] = OSSL_PARAM_construct_end(); /* without */
            compare("p521", params);
        }
}

/* What was set can be asked for. */
static void test_parameters(void **state)
{
    EVP_PKEY *held = held_key("ec");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
    const EVP_MD *md = NULL;
    unsigned char *ukm = NULL;
    int len = 0;
    OSSL_PARAM get[] = {
        OSSL_PARAM_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &ukm, 0),
        OSSL_PARAM_END,
    };

    (void)state;
    assert_int_equal(EVP_PKEY_derive_init(c), 1);
    assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_type(c), EVP_PKEY_ECDH_KDF_NONE);
    assert_int_equal(EVP_PKEY_CTX_set_ecdh_kdf_type(c, EVP_PKEY_ECDH_KDF_X9_63),
                     1);
    assert_int_equal(EVP_PKEY_CTX_set_ecdh_kdf_md(c, EVP_sha384()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ecdh_kdf_outlen(c, 99), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set0_ecdh_kdf_ukm(c, OPENSSL_memdup("ukm", 3), 3), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ecdh_cofactor_mode(c, 0), 1);
    assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_type(c),
                     EVP_PKEY_ECDH_KDF_X9_63);
    assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_md(c, &md), 1);
    assert_int_equal(EVP_MD_get_type(md), NID_sha384);
    assert_int_equal(EVP_PKEY_CTX_get_ecdh_kdf_outlen(c, &len), 1);
    assert_int_equal(len, 99);
    assert_int_equal(EVP_PKEY_CTX_get_params(c, get), 1);
    assert_int_equal(get[0].return_size, 3);
    assert_memory_equal(ukm, "ukm", 3);
    assert_int_equal(EVP_PKEY_CTX_get_ecdh_cofactor_mode(c), 0);
    assert_int_not_equal(EVP_PKEY_CTX_ctrl_str(c, "ecdh_kdf_md", "NOSUCH"), 1);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(held);
}

/* Less room: of ECDH the beginning of the secret, of X25519 an error, as with a
 * whole key. */
static void test_room(void **state)
{
    static const char *const names[] = {"ec", "x25519"};
    size_t i, k;

    (void)state;
    for (i = 0; i < 2; i++) {
        EVP_PKEY *keys[] = {held_key(names[i]), file_key(names[i])};
        EVP_PKEY *other = double_new_key(names[i]);
        EVP_PKEY *half = public_half(other, app);
        unsigned char out[2][32];

        for (k = 0; k < 2; k++) {
            EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, keys[k], NULL);
            size_t len = 20;

            memset(out[k], 0xee, sizeof(out[k]));
            assert_int_equal(EVP_PKEY_derive_init(c), 1);
            assert_int_equal(EVP_PKEY_derive_set_peer(c, half), 1);
            assert_int_equal(EVP_PKEY_derive(c, out[k], &len) == 1, i == 0);
            assert_int_equal(len, 20);
            assert_int_equal(out[k][20], 0xee);
            EVP_PKEY_CTX_free(c);
            EVP_PKEY_free(keys[k]);
        }
        if (i == 0)
            assert_memory_equal(out[0], out[1], sizeof(out[0]));
        EVP_PKEY_free(half);
        EVP_PKEY_free(other);
    }
}

/* Some octets as a public key of the type, unchecked; may be NULL. */
static EVP_PKEY *public_of(const char *type, const char *group,
                           const unsigned char *octets, size_t len)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)octets, len),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group,
                               group != NULL ? strlen(group) : 0),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(app, type, NULL);
    EVP_PKEY *key = NULL;

    if (group == NULL)
        params[1] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(c);
    return key;
}

static void refused_peer(const char *name, EVP_PKEY *peer)
{
    EVP_PKEY *held = held_key(name);
    int validate;

    for (validate = 0; validate < 2; validate++) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
        unsigned char out[SECRET_MAX];
        size_t len = sizeof(out);

        assert_int_equal(EVP_PKEY_derive_init(c), 1);
        assert_false(EVP_PKEY_derive_set_peer_ex(c, peer, validate) == 1
                     && EVP_PKEY_derive(c, out, &len) == 1);
        assert_int_not_equal(ERR_peek_error(), 0);
        ERR_clear_error();
        EVP_PKEY_CTX_free(c);
    }
    EVP_PKEY_free(held);
}

static void test_bad_peers(void **state)
{
    static const char *const others[] = {"p384", "secp256k1", "x25519", "rsa"};
    /* zero; of order 8 (RFC 7748, 6.1: the result is all zero) */
    static const unsigned char infinity[1], zero[56], one[56] = {1};
    EVP_PKEY *peer;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        peer = public_half(double_key(others[i]), app);
        refused_peer("ec", peer);
        EVP_PKEY_free(peer);
    }
    assert_int_equal(double_operations, 0); /* all known without the key */
    if ((peer = public_of("EC", "P-256", infinity, sizeof(infinity))) != NULL)
        refused_peer("ec", peer);
    EVP_PKEY_free(peer);
    for (i = 0; i < 2; i++) {
        const unsigned char *octets = i == 0 ? zero : one;

        peer = public_of("X25519", NULL, octets, 32);
        refused_peer("x25519", peer);
        EVP_PKEY_free(peer);
        peer = public_of("X448", NULL, octets, 56);
        refused_peer("x448", peer);
        EVP_PKEY_free(peer);
    }
}

static void test_misuse(void **state)
{
    EVP_PKEY *held = held_key("ec"), *public = public_key("ec");
    EVP_PKEY *signer = held_key("ed25519"), *binary = held_key("sect283k1");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
    unsigned char out[SECRET_MAX];
    size_t len = sizeof(out);
    struct secret secret;
    int mode = 1;
    OSSL_PARAM cofactor[] = {
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, &mode),
        OSSL_PARAM_END,
    };

    (void)state;
    /* without a peer */
    assert_int_equal(EVP_PKEY_derive_init(c), 1);
    assert_int_not_equal(EVP_PKEY_derive(c, out, &len), 1);
    expect_error(MESH_R_USAGE);
    EVP_PKEY_CTX_free(c);
    /* with the public half alone */
    assert_int_equal(derive(app, public, held, NULL, &secret), 0);
    /* by a key that signs */
    c = EVP_PKEY_CTX_new_from_pkey(app, signer, NULL);
    assert_int_not_equal(EVP_PKEY_derive_init(c), 1);
    EVP_PKEY_CTX_free(c);
    ERR_clear_error();
    /* with a cofactor that would count; where it is 1 it does not */
    assert_int_equal(double_operations, 0);
    assert_int_equal(derive(app, held, double_key("ec"), cofactor, &secret), 1);
    if (binary != NULL) {
        assert_int_equal(
            derive(app, binary, double_key("sect283k1"), cofactor, &secret), 0);
        expect_error(MESH_R_OPERATION_UNSUPPORTED);
    }
    assert_int_equal(double_operations, 1);
    /* the key store's error is the application's */
    double_failure = MESH_R_LOCKED;
    assert_int_equal(derive(app, held, double_key("ec"), NULL, &secret), 0);
    expect_error(MESH_R_LOCKED);
    EVP_PKEY_free(held);
    EVP_PKEY_free(public);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(binary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secrets), TEST(test_x963_kdf),  TEST(test_parameters),
        TEST(test_room),    TEST(test_bad_peers), TEST(test_misuse),
    };

    return RUN_IN_EACH_ORDER(tests);
}
