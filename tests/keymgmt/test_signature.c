/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: a held key signs, and refuses to, as plain libcrypto does with
 * the whole key; each verifies what the other has signed.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

/* OpenSSL 3.4 */
int EVP_PKEY_sign_message_init(EVP_PKEY_CTX *ctx, EVP_SIGNATURE *algorithm,
                               const OSSL_PARAM params[]);
int EVP_PKEY_verify_message_init(EVP_PKEY_CTX *ctx, EVP_SIGNATURE *algorithm,
                                 const OSSL_PARAM params[]);
#if !defined(_WIN32)
#pragma weak EVP_PKEY_sign_message_init
#pragma weak EVP_PKEY_verify_message_init
#define NATIVE(function) function
#elif OPENSSL_VERSION_NUMBER >= 0x30400000L
#define NATIVE(function) function
#else /* no weak symbols there */
#define NATIVE(function) NULL
#endif

typedef int message_init_fn(EVP_PKEY_CTX *ctx, EVP_SIGNATURE *algorithm,
                            const OSSL_PARAM params[]);
static message_init_fn *const sign_message_init =
    NATIVE(EVP_PKEY_sign_message_init);
static message_init_fn *const verify_message_init =
    NATIVE(EVP_PKEY_verify_message_init);

#define SIGNATURE_MAX 32768 /* SLH-DSA-SHA2-128f: 17088 */

static const unsigned char message[] = "a message to be signed";

struct signed_data {
    unsigned char sig[SIGNATURE_MAX];
    size_t len;
    unsigned char aid[256]; /* AlgorithmIdentifier */
    size_t aid_len;
};

static void read_aid(EVP_PKEY_CTX *c, struct signed_data *data)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, data->aid,
                                sizeof(data->aid)),
        OSSL_PARAM_END,
    };

    ERR_set_mark();
    if (EVP_PKEY_CTX_get_params(c, params) == 1)
        data->aid_len = params[0].return_size;
    ERR_pop_to_mark();
}

/* 1 and the signature, or 0; asking for its size is no operation. */
static int sign(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *digest,
                const char *options, struct signed_data *data)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *c;
    unsigned before = double_operations;
    int ok;

    memset(data, 0, sizeof(*data));
    ok = EVP_DigestSignInit_ex(md, &c, digest, libctx, NULL, key, NULL) == 1
         && set_options(c, options);
    if (ok) {
        read_aid(c, data);
        ok =
            EVP_DigestSign(md, NULL, &data->len, message, sizeof(message)) == 1;
        assert_true(!ok || data->len <= SIGNATURE_MAX);
        assert_int_equal(double_operations, before);
        ok = ok
             && EVP_DigestSign(md, data->sig, &data->len, message,
                               sizeof(message))
                    == 1;
    }
    EVP_MD_CTX_free(md);
    return ok;
}

static int verify(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *digest,
                  const char *options, const struct signed_data *data)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *c;
    int ok;

    ok = EVP_DigestVerifyInit_ex(md, &c, digest, libctx, NULL, key, NULL) == 1
         && set_options(c, options)
         && EVP_DigestVerify(md, data->sig, data->len, message, sizeof(message))
                == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

struct how {
    const char *key, *digest, *options;
    int same; /* the signature has no random part */
};

/* verify: other options to verify with, NULL: the same */
static void compare_with(const struct how *how, const char *verify_options)
{
    static struct signed_data held_data, plain_data, file_data;
    EVP_PKEY *plain = double_key(how->key);
    EVP_PKEY *held = held_key(how->key), *public = public_key(how->key);
    EVP_PKEY *file = file_key(how->key);
    const char *d = how->digest, *o = how->options;
    const char *v = verify_options != NULL ? verify_options : o;
    int ok;

    double_operations = 0;
    ok = sign(NULL, plain, d, o, &plain_data);
    ERR_clear_error();
    if (sign(app, held, d, o, &held_data) != ok
        || sign(app, file, d, o, &file_data) != ok) {
        ERR_print_errors_fp(stderr);
        fail_msg("%s %s %s: %d", how->key, d, o, ok);
    }
    if (!ok) {
        assert_int_equal(double_operations, 0); /* known without the key */
    } else {
        assert_int_equal(double_operations, 1);
        assert_int_equal(held_data.aid_len, plain_data.aid_len);
        assert_memory_equal(held_data.aid, plain_data.aid, held_data.aid_len);
        if (how->same) {
            assert_int_equal(held_data.len, plain_data.len);
            assert_memory_equal(held_data.sig, plain_data.sig, held_data.len);
        }
        if (!verify(NULL, plain, d, v, &held_data)
            || !verify(app, held, d, v, &plain_data)
            || !verify(app, public, d, v, &plain_data)
            || !verify(app, file, d, v, &held_data)
            || !verify(NULL, plain, d, v, &file_data))
            fail_msg("%s %s %s", how->key, d, o);
        held_data.sig[held_data.len / 2] ^= 1;
        assert_int_equal(verify(app, held, d, v, &held_data), 0);
        assert_int_equal(verify(app, public, d, v, &held_data), 0);
        assert_int_equal(double_operations, 1);
    }
    EVP_PKEY_free(held);
    EVP_PKEY_free(public);
    EVP_PKEY_free(file);
    ERR_clear_error();
}

static void compare(const struct how *how, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (have(how[i].key))
            compare_with(&how[i], NULL);
}

static void test_digests(void **state)
{
    static const char *const keys[] = {"rsa", "ec", "p521", "rsa-pss",
                                       "rsa-pss-sha256"};
    static const char *const digests[] = {"SHA1",
                                          "SHA224",
                                          "sha256",
                                          "SHA2-384",
                                          "SHA512",
                                          "SHA512-224",
                                          "SHA2-512/256",
                                          "SHA3-224",
                                          "SHA3-256",
                                          "SHA3-384",
                                          "SHA3-512",
                                          "MD5",
                                          "MD5-SHA1",
                                          "RIPEMD-160",
                                          "SM3",
                                          "BLAKE2B-512",
                                          "2.16.840.1.101.3.4.2.1",
                                          "NOSUCH"};
    size_t i, k;

    (void)state;
    for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
            struct how how = {keys[k], digests[i], "", k == 0};

            compare_with(&how, NULL);
        }
        compare_with(&(struct how){keys[k], NULL, "", k == 0}, NULL);
    }
}

static void test_pss(void **state)
{
    static const char *const salts[] = {"digest", "max", "32",  "0",   "20",
                                        "31",     "33",  "222", "223", "300"};
    static const char *const keys[] = {"rsa", "rsa-pss", "rsa-pss-sha256"};
    static const struct how others[] = {
        {"rsa", "SHA256", "rsa_padding_mode:pss", 0},
        {"rsa", "SHA256", "rsa_padding_mode:pss rsa_pss_saltlen:auto-digestmax",
         0},
        {"rsa-pss", "SHA256", "rsa_pss_saltlen:auto", 0},
        {"rsa", "SHA256", "rsa_padding_mode:pss rsa_mgf1_md:sha1", 0},
        {"rsa", "SHA512", "rsa_padding_mode:pss rsa_mgf1_md:SHA3-256", 0},
        {"rsa", "SHA256", "rsa_padding_mode:pkcs1 rsa_pss_saltlen:20", 0},
        {"rsa", "SHA256", "rsa_padding_mode:none", 0},
        {"rsa", "SHA256", "rsa_padding_mode:oaep", 0},
        {"rsa-pss", "SHA256", "rsa_padding_mode:pkcs1", 0},
        {"rsa-pss", "SHA384", "rsa_mgf1_md:sha256", 0},
        {"rsa-pss-sha256", "SHA256", "rsa_padding_mode:pss", 0},
        {"rsa-pss-sha256", "SHA256", "rsa_padding_mode:pkcs1", 0},
        {"rsa-pss-sha256", "SHA256", "rsa_mgf1_md:sha256", 0},
        {"rsa-pss-sha256", "SHA256", "rsa_mgf1_md:sha1", 0},
    };
    static struct signed_data data;
    EVP_PKEY *restricted = held_key("rsa-pss-sha256");
    size_t i, k;

    (void)state;
    for (k = 0; k < 3; k++)
        for (i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
            char options[OPTIONS_MAX] = "rsa_padding_mode:pss rsa_pss_saltlen:";
            struct how how = {keys[k], "SHA256", options, 0};

            OPENSSL_strlcat(options, salts[i], sizeof(options));
            /* to verify with a restricted key one says which it is */
            if (k < 2)
                compare_with(&how, "rsa_padding_mode:pss");
            else
                compare_with(&how, i == 1 ? "rsa_pss_saltlen:222" : NULL);
        }
    compare(others, sizeof(others) / sizeof(others[0]));
    /* (with a restricted key libcrypto's versions differ: 3.5 refuses it) */
    assert_int_equal(
        sign(app, restricted, "SHA256", "rsa_pss_saltlen:auto", &data), 1);
    assert_int_equal(double_last.salt_length, 222);
    assert_int_equal(verify(NULL, double_key("rsa-pss-sha256"), "SHA256",
                            "rsa_pss_saltlen:222", &data),
                     1);
    EVP_PKEY_free(restricted);
}

/* The number that libssl uses for the padding, and what gets to the key. */
static void test_pss_as_libssl(void **state)
{
    EVP_PKEY *held = held_key("rsa");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *c;
    unsigned char sig[256];
    size_t len = sizeof(sig);

    (void)state;
    assert_int_equal(
        EVP_DigestSignInit_ex(md, &c, "SHA384", app, NULL, held, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST), 1);
    assert_int_equal(EVP_DigestSign(md, sig, &len, message, sizeof(message)),
                     1);
    assert_int_equal(double_last.padding, MESH_PAD_PSS);
    assert_string_equal(double_last.digest, "SHA384");
    assert_int_equal(double_last.salt_length, 48);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(held);
}

static void test_messages(void **state)
{
    static const struct how rows[] = {
        {"ed25519", NULL, "", 1},
        {"ed448", NULL, "", 1},
        {"ed25519", "SHA256", "", 1},
        {"ml-dsa-65", "SHA256", "", 1},
        /* OpenSSL 3.2 */
        {"ed25519", NULL, "instance:Ed25519", 1},
        {"ed25519", NULL, "instance:Ed25519ph", 1},
        {"ed25519", NULL, "instance:Ed25519ph context-string:text", 1},
        {"ed25519", NULL, "instance:Ed25519ctx context-string:text", 1},
        {"ed25519", NULL, "instance:ed25519ctx hexcontext-string:00ff", 1},
        {"ed25519", NULL, "instance:NoSuch", 1},
        {"ed448", NULL, "instance:Ed448ph", 1},
        {"ed448", NULL, "context-string:text", 1},
        {"ed448", NULL, "instance:Ed448ph hexcontext-string:00ff", 1},
        {"ec", "SHA256", "nonce-type:1", 1},
        {"ec", "SHA3-256", "nonce-type:1", 1},
        {"p384", "SHA256", "nonce-type:1", 1},
        {"p521", "SHA512", "nonce-type:0", 0},
        /* OpenSSL 3.5 */
        {"ml-dsa-44", NULL, "", 0},
        {"ml-dsa-65", NULL, "", 0},
        {"ml-dsa-87", NULL, "", 0},
        {"ml-dsa-44", NULL, "deterministic:1", 1},
        {"ml-dsa-65", NULL, "deterministic:1 context-string:text", 1},
        {"ml-dsa-87", NULL, "hexcontext-string:00ff", 0},
        {"ml-dsa-65", NULL, "deterministic:1 message-encoding:0", 1},
        {"ml-dsa-65", NULL, "message-encoding:1", 0},
        {"slh-dsa-sha2", NULL, "", 0},
        {"slh-dsa-sha2", NULL, "deterministic:1 context-string:text", 1},
        {"slh-dsa-shake", NULL, "deterministic:1 message-encoding:0", 1},
    };

    (void)state;
    compare(rows, sizeof(rows) / sizeof(rows[0]));
}

/* What a private operation cannot carry is refused, not left out. */
static void test_what_cannot_be_carried(void **state)
{
    static const struct how rows[] = {
        {"rsa", "SHA256", "rsa_padding_mode:x931", 0},
        {"ec", "SHAKE-256", "", 0}, /* OpenSSL 3.0 would */
        {"ed25519", NULL, "instance:Ed448", 0},
        {"ml-dsa-65", NULL, "mu:1", 0},
        {"ml-dsa-65", NULL, "hextest-entropy:00", 0},
        {"slh-dsa-sha2", NULL, "hextest-entropy:00", 0},
    };
    static struct signed_data data;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *held = held_key(rows[i].key);

        if (held == NULL)
            continue;
        assert_int_equal(
            sign(app, held, rows[i].digest, rows[i].options, &data), 0);
        if (i < 2)
            expect_error(MESH_R_OPERATION_UNSUPPORTED);
        EVP_PKEY_free(held);
    }
    assert_int_equal(double_operations, 0);
}

/* Parameters that this libcrypto does not know it would leave out. */
static void test_unknown_parameters(void **state)
{
    static const char *const names[] = {"rsa", "ec", "ed25519"};
    unsigned number = 1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_uint("no-such-parameter", &number),
        OSSL_PARAM_END,
    };
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        EVP_PKEY *held = held_key(names[i]);
        EVP_MD_CTX *md = EVP_MD_CTX_new();

        assert_int_not_equal(
            EVP_DigestSignInit_ex(md, NULL, NULL, app, NULL, held, params), 1);
        expect_error(MESH_R_OPERATION_UNSUPPORTED);
        EVP_MD_CTX_free(md);
        EVP_PKEY_free(held);
    }
}

/* In parts, and a copy in the middle; BIO_reset() on a digest filter starts
 * over without naming the key again. */
static void test_in_parts(void **state)
{
    static const char *const names[] = {"rsa", "ec", "rsa-pss-sha256"};
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        EVP_PKEY *held = held_key(names[i]);
        EVP_MD_CTX *md = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
        static struct signed_data data;

        data.len = SIGNATURE_MAX;
        assert_int_equal(
            EVP_DigestSignInit_ex(md, NULL, "SHA256", app, NULL, held, NULL),
            1);
        assert_int_equal(EVP_DigestSignUpdate(md, "rubbish", 7), 1);
        assert_int_equal(
            EVP_DigestSignInit_ex(md, NULL, "SHA256", app, NULL, NULL, NULL),
            1);
        assert_int_equal(EVP_DigestSignUpdate(md, message, 5), 1);
        assert_int_equal(EVP_MD_CTX_copy_ex(copy, md), 1);
        EVP_MD_CTX_free(md);
        assert_int_equal(
            EVP_DigestSignUpdate(copy, message + 5, sizeof(message) - 5), 1);
        assert_int_equal(EVP_DigestSignFinal(copy, data.sig, &data.len), 1);
        assert_int_equal(
            verify(NULL, double_key(names[i]), "SHA256", "", &data), 1);
        EVP_MD_CTX_free(copy);
        EVP_PKEY_free(held);
    }
}

/* A copy of a signature of messages has the parameters, too. */
static void test_copy_of_one_shot(void **state)
{
    static const char *const names[] = {"ed448", "ml-dsa-65"};
    static struct signed_data data;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        EVP_PKEY *held = held_key(names[i]);
        EVP_MD_CTX *md = EVP_MD_CTX_new(), *copy = EVP_MD_CTX_new();
        EVP_PKEY_CTX *c;
        const char *options = "context-string:text";

        if (held != NULL
            && EVP_DigestSignInit_ex(md, &c, NULL, app, NULL, held, NULL)
            && set_options(c, options)) {
            data.len = SIGNATURE_MAX;
            assert_int_equal(EVP_MD_CTX_copy_ex(copy, md), 1);
            assert_int_equal(EVP_DigestSign(copy, data.sig, &data.len, message,
                                            sizeof(message)),
                             1);
            assert_int_equal(
                verify(NULL, double_key(names[i]), NULL, options, &data), 1);
        } else {
            print_message("           %s: no context string, skipped\n",
                          names[i]);
        }
        EVP_MD_CTX_free(md);
        EVP_MD_CTX_free(copy);
        EVP_PKEY_free(held);
        ERR_clear_error();
    }
}

/* As the pages of ML-DSA have it: the algorithm is named, the message whole.
 * The algorithm of another provider cannot have the key. */
static void test_whole_messages(void **state)
{
    static const char *const names[] = {"ml-dsa-65", "ed25519", "rsa"};
    static struct signed_data data;
    size_t i;

    (void)state;
    if (sign_message_init == NULL) {
        print_message("           not in this libcrypto, skipped\n");
        return;
    }
    for (i = 0; i < 3; i++) {
        EVP_PKEY *held = held_key(names[i]);
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, held, NULL);
        EVP_SIGNATURE *ours = EVP_SIGNATURE_fetch(
            app, EVP_PKEY_get0_type_name(held), "provider=mesh");
        EVP_SIGNATURE *theirs = EVP_SIGNATURE_fetch(
            app, EVP_PKEY_get0_type_name(held), "provider=default");

        assert_non_null(ours);
        assert_int_not_equal(sign_message_init(c, theirs, NULL), 1);
        assert_int_equal(sign_message_init(c, ours, NULL) == 1, i < 2);
        if (i < 2) {
            assert_int_equal(
                EVP_PKEY_sign(c, NULL, &data.len, message, sizeof(message)), 1);
            assert_int_equal(
                EVP_PKEY_sign(c, data.sig, &data.len, message, sizeof(message)),
                1);
            assert_int_equal(
                verify(NULL, double_key(names[i]), NULL, "", &data), 1);
            assert_int_equal(verify_message_init(c, ours, NULL), 1);
            assert_int_equal(EVP_PKEY_verify(c, data.sig, data.len, message,
                                             sizeof(message)),
                             1);
            assert_int_not_equal(EVP_PKEY_verify(c, data.sig, data.len, message,
                                                 sizeof(message) - 1),
                                 1);
        }
        EVP_SIGNATURE_free(ours);
        EVP_SIGNATURE_free(theirs);
        EVP_PKEY_CTX_free(c);
        EVP_PKEY_free(held);
        ERR_clear_error();
    }
}

/* Of a digest, or of octets as they are: 1 and the signature, or 0. */
static int sign_digest(OSSL_LIB_CTX *libctx, EVP_PKEY *key, const char *options,
                       size_t in_len, struct signed_data *data)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    unsigned char in[512] = "octets to be signed";
    int ok;

    data->len = 0;
    ok = EVP_PKEY_sign_init(c) == 1 && set_options(c, options)
         && EVP_PKEY_sign(c, NULL, &data->len, in, in_len) == 1
         && EVP_PKEY_sign(c, data->sig, &data->len, in, in_len) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

/* recover: what was signed comes out again; else it is verified. */
static int check_digest(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                        const char *options, size_t in_len, int recover,
                        const struct signed_data *data)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    unsigned char in[512] = "octets to be signed", out[512];
    size_t len = 0;
    int ok;

    if (recover)
        ok =
            EVP_PKEY_verify_recover_init(c) == 1 && set_options(c, options)
            && EVP_PKEY_verify_recover(c, NULL, &len, data->sig, data->len) == 1
            && EVP_PKEY_verify_recover(c, out, &len, data->sig, data->len) == 1
            && len == in_len && memcmp(in, out, len) == 0;
    else
        ok = EVP_PKEY_verify_init(c) == 1 && set_options(c, options)
             && EVP_PKEY_verify(c, data->sig, data->len, in, in_len) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

static void test_without_hashing(void **state)
{
    static const struct {
        const char *key, *options;
        size_t in_len;
        int recovers;
    } rows[] = {
        {"rsa", "", 20, 1},
        {"rsa", "", 245, 1},
        {"rsa", "", 246, 0},
        {"rsa", "digest:SHA256", 32, 1},
        {"rsa", "digest:SHA256", 31, 0},
        {"rsa", "digest:SHA3-512", 64, 1},
        {"rsa", "rsa_padding_mode:none", 256, 1},
        {"rsa", "rsa_padding_mode:none", 255, 0},
        {"rsa", "rsa_padding_mode:pss digest:SHA256", 32, 0},
        {"rsa", "rsa_padding_mode:pss digest:SHA256", 20, 0},
        {"rsa-pss", "digest:SHA256", 32, 0},
        {"rsa-pss", "rsa_padding_mode:none", 256, 0},
        {"rsa-pss-sha256", "", 32, 0},
        {"rsa-pss-sha256", "", 20, 0},
        {"rsa-pss-sha256", "digest:SHA384", 48, 0},
        {"ec", "", 32, 0},
        {"ec", "digest:SHA256", 32, 0},
        {"ec", "digest:SHA512", 64, 0},
        {"ec", "", 100, 0},
        {"ec", "digest:SHA256", 20, 0},
        {"secp256k1", "", 32, 0},
        {"brainpool", "", 32, 0},
    };
    static struct signed_data data;
    size_t i;
    int ok, recover;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *plain = double_key(rows[i].key);
        EVP_PKEY *held = held_key(rows[i].key);

        ok = sign_digest(NULL, plain, rows[i].options, rows[i].in_len, &data);
        for (recover = 0; ok && recover <= rows[i].recovers; recover++)
            assert_int_equal(check_digest(app, held, rows[i].options,
                                          rows[i].in_len, recover, &data),
                             1);
        if (sign_digest(app, held, rows[i].options, rows[i].in_len, &data)
            != ok)
            fail_msg("%s %s %zu", rows[i].key, rows[i].options, rows[i].in_len);
        for (recover = 0; ok && recover <= rows[i].recovers; recover++)
            assert_int_equal(check_digest(NULL, plain, rows[i].options,
                                          rows[i].in_len, recover, &data),
                             1);
        EVP_PKEY_free(held);
        ERR_clear_error();
    }
}

/* Errors: of the key store, and of the caller. */
static void test_errors(void **state)
{
    EVP_PKEY *ec = held_key("ec"), *ed = held_key("ed25519");
    EVP_PKEY *public = public_key("ec"), *x25519 = held_key("x25519");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *c;
    static struct signed_data data;

    (void)state;
    double_failure = MESH_R_LOCKED;
    assert_int_equal(sign(app, ec, "SHA256", "", &data), 0);
    expect_error(MESH_R_LOCKED);
    double_failure = MESH_R_NONE;
    double_operations = 0;
    /* the public half alone, and a key that agrees */
    assert_int_equal(sign(app, public, "SHA256", "", &data), 0);
    assert_int_equal(sign(app, x25519, NULL, "", &data), 0);
    ERR_clear_error();
    /* EdDSA does not sign digests, and not in parts */
    c = EVP_PKEY_CTX_new_from_pkey(app, ed, NULL);
    assert_int_not_equal(EVP_PKEY_sign_init(c), 1);
    expect_error(MESH_R_OPERATION_UNSUPPORTED);
    EVP_PKEY_CTX_free(c);
    assert_int_equal(EVP_DigestSignInit_ex(md, NULL, NULL, app, NULL, ed, NULL),
                     1);
    assert_int_not_equal(EVP_DigestSignUpdate(md, message, 5), 1);
    expect_error(MESH_R_OPERATION_UNSUPPORTED);
    EVP_MD_CTX_reset(md);
    assert_int_not_equal(
        EVP_DigestSignInit_ex(md, NULL, "SHA256", app, NULL, ed, NULL), 1);
    expect_error(MESH_R_OPERATION_UNSUPPORTED);
    /* the digest cannot change once data is hashed */
    EVP_MD_CTX_reset(md);
    assert_int_equal(
        EVP_DigestSignInit_ex(md, &c, "SHA256", app, NULL, ec, NULL), 1);
    assert_int_not_equal(EVP_PKEY_CTX_set_signature_md(c, EVP_sha512()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()), 1);
    assert_int_equal(double_operations, 0);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(public);
    EVP_PKEY_free(x25519);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_digests),
        TEST(test_pss),
        TEST(test_pss_as_libssl),
        TEST(test_messages),
        TEST(test_what_cannot_be_carried),
        TEST(test_unknown_parameters),
        TEST(test_in_parts),
        TEST(test_copy_of_one_shot),
        TEST(test_whole_messages),
        TEST(test_without_hashing),
        TEST(test_errors),
    };

    return RUN_IN_EACH_ORDER(tests);
}
