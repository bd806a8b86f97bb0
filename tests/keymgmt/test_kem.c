/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key encapsulation: what plain libcrypto encapsulates for a held key it
 * decapsulates, and the reverse.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#define OCTETS_MAX 2048 /* ML-KEM-1024: 1568 */

/* OpenSSL 3.2 */
int EVP_PKEY_auth_encapsulate_init(EVP_PKEY_CTX *ctx, EVP_PKEY *authpriv,
                                   const OSSL_PARAM params[]);
int EVP_PKEY_auth_decapsulate_init(EVP_PKEY_CTX *ctx, EVP_PKEY *authpub,
                                   const OSSL_PARAM params[]);
#if !defined(_WIN32)
#pragma weak EVP_PKEY_auth_encapsulate_init
#pragma weak EVP_PKEY_auth_decapsulate_init
#define NATIVE(function) function
#elif OPENSSL_VERSION_NUMBER >= 0x30200000L
#define NATIVE(function) function
#else /* no weak symbols there */
#define NATIVE(function) NULL
#endif

typedef int auth_init_fn(EVP_PKEY_CTX *ctx, EVP_PKEY *other,
                         const OSSL_PARAM params[]);
static auth_init_fn *const auth_encapsulate_init =
    NATIVE(EVP_PKEY_auth_encapsulate_init);
static auth_init_fn *const auth_decapsulate_init =
    NATIVE(EVP_PKEY_auth_decapsulate_init);

struct capsule {
    unsigned char octets[OCTETS_MAX], secret[OCTETS_MAX];
    size_t len, secret_len;
};

static const struct kem {
    const char *key, *operation;
} kems[] = {
    {"rsa", "RSASVE"},    {"ec", "DHKEM"},        {"p384", "DHKEM"},
    {"p521", "DHKEM"},    {"secp256k1", "DHKEM"}, {"x25519", "DHKEM"},
    {"x448", "DHKEM"},    {"x25519", NULL},       {"ml-kem-512", NULL},
    {"ml-kem-768", NULL}, {"ml-kem-1024", NULL},  {"rsa", NULL},
    {"ed25519", NULL},    {"rsa", "DHKEM"},       {"ml-kem-768", "NoSuch"},
};

static int set_operation(EVP_PKEY_CTX *c, const struct kem *kem)
{
    return kem->operation == NULL
           || EVP_PKEY_CTX_set_kem_op(c, kem->operation) == 1;
}

static int encapsulate(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                       const struct kem *kem, const OSSL_PARAM params[],
                       struct capsule *capsule)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    int ok;

    memset(capsule, 0, sizeof(*capsule));
    ok = EVP_PKEY_encapsulate_init(c, params) == 1 && set_operation(c, kem)
         && EVP_PKEY_encapsulate(c, NULL, &capsule->len, NULL,
                                 &capsule->secret_len)
                == 1;
    assert_true(capsule->len <= OCTETS_MAX
                && capsule->secret_len <= OCTETS_MAX);
    ok = ok
         && EVP_PKEY_encapsulate(c, capsule->octets, &capsule->len,
                                 capsule->secret, &capsule->secret_len)
                == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

/* The secret into out; asking for its size is no operation. */
static int decapsulate(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                       const struct kem *kem, const struct capsule *capsule,
                       struct capsule *out)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    unsigned before = double_operations;
    int ok;

    memset(out, 0, sizeof(*out));
    ok = EVP_PKEY_decapsulate_init(c, NULL) == 1 && set_operation(c, kem)
         && EVP_PKEY_decapsulate(c, NULL, &out->secret_len, capsule->octets,
                                 capsule->len)
                == 1;
    assert_int_equal(double_operations, before);
    ok = ok
         && EVP_PKEY_decapsulate(c, out->secret, &out->secret_len,
                                 capsule->octets, capsule->len)
                == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

static void same_secret(const struct capsule *a, const struct capsule *b)
{
    assert_true(a->secret_len > 0);
    assert_int_equal(a->secret_len, b->secret_len);
    assert_memory_equal(a->secret, b->secret, a->secret_len);
}

/* Whoever encapsulates; plain libcrypto and the key store decapsulate. */
static void compare(const struct kem *kem)
{
    static struct capsule capsule, out;
    EVP_PKEY *plain = double_key(kem->key);
    EVP_PKEY *keys[] = {held_key(kem->key), public_key(kem->key),
                        file_key(kem->key)};
    size_t i;
    int ok = encapsulate(NULL, plain, kem, NULL, &capsule);

    if (ok) {
        double_operations = 0;
        assert_int_equal(decapsulate(app, keys[0], kem, &capsule, &out), 1);
        assert_int_equal(double_operations, 1);
        assert_int_equal(double_last.operation, MESH_OP_DECAPSULATE);
        assert_string_equal(double_last.variant,
                            kem->operation != NULL
                                    && strcmp(kem->operation, "NoSuch") != 0
                                ? kem->operation
                                : "");
        same_secret(&out, &capsule);
        assert_int_equal(decapsulate(app, keys[2], kem, &capsule, &out), 1);
        same_secret(&out, &capsule);
    } else {
        print_message("           %s %s: not by this libcrypto\n", kem->key,
                      kem->operation != NULL ? kem->operation : "");
        assert_int_equal(decapsulate(app, keys[0], kem, &capsule, &out), 0);
    }
    double_operations = 0;
    for (i = 0; i < 3; i++) {
        assert_int_equal(encapsulate(app, keys[i], kem, NULL, &capsule), ok);
        if (ok) {
            assert_int_equal(decapsulate(NULL, plain, kem, &capsule, &out), 1);
            same_secret(&out, &capsule);
        }
    }
    assert_int_equal(double_operations, 0);
    /* the public half alone */
    assert_int_equal(decapsulate(app, keys[1], kem, &capsule, &out), 0);
    for (i = 0; i < 3; i++)
        EVP_PKEY_free(keys[i]);
    ERR_clear_error();
}

static void test_secrets(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(kems) / sizeof(kems[0]); i++)
        if (have(kems[i].key))
            compare(&kems[i]);
}

/* The same randomness, the same capsule. */
static void test_ikm(void **state)
{
    static struct capsule plain, held;
    unsigned char ikm[66] = {1, 2, 3};
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string("ikme", ikm, 32),
        OSSL_PARAM_END,
    };
    static const struct kem rows[] = {
        {"x25519", "DHKEM"}, {"ec", "DHKEM"}, {"ml-kem-768", NULL}};
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        EVP_PKEY *key = held_key(rows[i].key);

        if (key != NULL
            && encapsulate(NULL, double_key(rows[i].key), &rows[i], params,
                           &plain)) {
            assert_int_equal(encapsulate(app, key, &rows[i], params, &held), 1);
            assert_memory_equal(plain.octets, held.octets, plain.len);
            same_secret(&plain, &held);
        }
        EVP_PKEY_free(key);
        ERR_clear_error();
    }
}

/* Changed, cut, longer: as plain libcrypto, which of ML-KEM makes another
 * secret of it. */
static void test_bad_capsules(void **state)
{
    static const struct kem rows[] = {{"rsa", "RSASVE"},
                                      {"ec", "DHKEM"},
                                      {"x25519", "DHKEM"},
                                      {"ml-kem-768", NULL}};
    static struct capsule good, bad, plain_out, held_out;
    size_t i, how;
    int ok;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *key = held_key(rows[i].key);

        for (how = 0; key != NULL && how < 3; how++) {
            if (!encapsulate(NULL, double_key(rows[i].key), &rows[i], NULL,
                             &good))
                continue;
            bad = good;
            if (how == 0)
                bad.octets[bad.len - 1] ^= 1;
            else
                bad.len += how == 1 ? 1 : (size_t)-1;
            ok = decapsulate(NULL, double_key(rows[i].key), &rows[i], &bad,
                             &plain_out);
            assert_int_equal(decapsulate(app, key, &rows[i], &bad, &held_out),
                             ok);
            if (ok)
                same_secret(&held_out, &plain_out);
        }
        EVP_PKEY_free(key);
        ERR_clear_error();
    }
}

/* With the sender's key: the application's own, but none of the key store. */
static void test_auth(void **state)
{
    static const char *const names[] = {"x25519", "ec"};
    size_t i;

    (void)state;
    if (auth_encapsulate_init == NULL) {
        print_message("           not in this libcrypto, skipped\n");
        return;
    }
    for (i = 0; i < 2; i++) {
        const struct kem kem = {names[i], "DHKEM"};
        EVP_PKEY *held = held_key(names[i]), *file = file_key(names[i]);
        EVP_PKEY *sender = i == 0 ? EVP_PKEY_Q_keygen(app, NULL, "X25519")
                                  : EVP_PKEY_Q_keygen(app, NULL, "EC", "P-256");
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
        static struct capsule capsule, out;

        capsule.len = capsule.secret_len = out.secret_len = OCTETS_MAX;
        assert_int_not_equal(auth_decapsulate_init(c, sender, NULL), 1);
        expect_error(MESH_R_OPERATION_UNSUPPORTED);
        /* for a held key by another: both halves are public work */
        assert_int_equal(auth_encapsulate_init(c, sender, NULL), 1);
        assert_int_equal(set_operation(c, &kem), 1);
        assert_int_equal(EVP_PKEY_encapsulate(c, capsule.octets, &capsule.len,
                                              capsule.secret,
                                              &capsule.secret_len),
                         1);
        EVP_PKEY_CTX_free(c);
        c = EVP_PKEY_CTX_new_from_pkey(app, file, NULL);
        assert_int_not_equal(auth_encapsulate_init(c, held, NULL), 1);
        ERR_clear_error();
        assert_int_equal(auth_decapsulate_init(c, sender, NULL), 1);
        assert_int_equal(set_operation(c, &kem), 1);
        assert_int_equal(EVP_PKEY_decapsulate(c, out.secret, &out.secret_len,
                                              capsule.octets, capsule.len),
                         1);
        same_secret(&out, &capsule);
        EVP_PKEY_CTX_free(c);
        EVP_PKEY_free(held);
        EVP_PKEY_free(file);
        EVP_PKEY_free(sender);
    }
    assert_int_equal(double_operations, 0);
}

static void test_misuse(void **state)
{
    const struct kem kem = {"rsa", "RSASVE"};
    EVP_PKEY *held = held_key("rsa");
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
    static struct capsule capsule, out;

    (void)state;
    assert_int_equal(encapsulate(app, held, &kem, NULL, &capsule), 1);
    /* too little room */
    out.secret_len = capsule.secret_len - 1;
    assert_int_equal(EVP_PKEY_decapsulate_init(c, NULL), 1);
    assert_int_equal(set_operation(c, &kem), 1);
    assert_int_not_equal(EVP_PKEY_decapsulate(c, out.secret, &out.secret_len,
                                              capsule.octets, capsule.len),
                         1);
    expect_error(MESH_R_BUFFER_TOO_SMALL);
    assert_int_equal(double_operations, 0);
    /* the key store's error is the application's */
    double_failure = MESH_R_LOCKED;
    assert_int_equal(decapsulate(app, held, &kem, &capsule, &out), 0);
    expect_error(MESH_R_LOCKED);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_secrets), TEST(test_ikm),    TEST(test_bad_capsules),
        TEST(test_auth),    TEST(test_misuse),
    };

    return RUN_IN_EACH_ORDER(tests);
}
